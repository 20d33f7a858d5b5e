"""What is certain to be refused is what AWS refuses, body by body, over HTTP."""

import json
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import requests

from sync.rules.acceptance import check_group, check_user
from sync.scim.resource import ENTERPRISE, group_body, units, user_body
from tests.world.lab import Lab

pytestmark = [pytest.mark.process, pytest.mark.pure]

Units = dict[str, Any]
Post = Callable[[str, dict[str, Any]], int]
NUMBER = count(1)


@pytest.fixture(scope="module")
def post(lab_process: Lab) -> Iterator[Post]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = lab_process.facts["ca_file"]
        session.headers["Authorization"] = f"Bearer {lab_process.facts['scim_token']}"
        endpoint = lab_process.facts["scim_endpoint"].rstrip("/")

        def send(path: str, body: dict[str, Any]) -> int:
            return session.post(f"{endpoint}/{path}", data=json.dumps(body), timeout=30).status_code

        yield send


def person(choose: random.Random) -> Units:
    """Somebody with up to two values that may or may not be right; names differ so that nobody is a duplicate."""
    n = next(NUMBER)
    good = {
        "userName": f"person{n}@acme.example",
        "externalId": f"id-{n}",
        "displayName": f"Person {n}",
        "name.givenName": "Given",
        "name.familyName": "Family",
        "active": True,
        'emails[type eq "work"].value': f"person{n}@acme.example",
        'addresses[type eq "work"].locality': "Bern",
        f"{ENTERPRISE}:department": "Sales",
    }
    chosen = choose.sample(sorted(good.keys() - {"active"}), choose.randrange(3))
    changed = good | {target: odd(choose, n) for target in chosen}
    if choose.random() < 0.15:
        changed['phoneNumbers[type eq "work"].value'] = "+1 1"
        changed['phoneNumbers[type eq "mobile"].value'] = "+1 2"
    return units({target: value for target, value in changed.items() if value is not None})


def odd(choose: random.Random, n: int) -> str | None:
    mark = choose.choice(
        ["", " ", "\t", "\n", "\u00a0", "\u3000", "\u2009", "\u200b", "\u0007", "\ue000", "<", ":", "😀"]
    )
    return choose.choice(
        [None, "", "Administrator", f"odd{mark}{n}", f"odd{mark}{n}", f"{n:x>129}", f"{n:x>257}", f"{n:x>1025}"]
    )


def group(choose: random.Random) -> Units:
    n = next(NUMBER)
    return {"displayName": odd(choose, n), "externalId": choose.choice([f"id-{n}", odd(choose, n)])}


@pytest.mark.parametrize("seed", range(60))
def test_aws_refuses_the_people_who_are_certain_to_be_refused(post: Post, seed: int) -> None:
    desired = person(random.Random(seed))
    certain = [finding for finding in check_user(desired) if finding.certain]
    assert post("Users", user_body(desired)) == (400 if certain else 201), (desired, certain)


@pytest.mark.parametrize("seed", range(30))
def test_aws_refuses_the_groups_that_are_certain_to_be_refused(post: Post, seed: int) -> None:
    desired = {name: value for name, value in group(random.Random(seed)).items() if value is not None}
    certain = [finding for finding in check_group(desired) if finding.certain]
    assert post("Groups", group_body(desired)) == (400 if certain else 201), (desired, certain)


@pytest.mark.parametrize(
    "change",
    [
        {"emails": []},
        {"emails": [{"value": "alone@acme.example", "type": "work"}]},
        {"phoneNumbers": []},
        {"title": ""},
        {"userName": "AWSAdministrators"},
    ],
)
def test_aws_refuses_what_no_mapping_makes_too(post: Post, change: Units) -> None:
    desired = person(random.Random(0)) | {"userName": "else@acme.example", "displayName": "Else"} | change
    assert any(finding.certain for finding in check_user(desired))
    assert post("Users", user_body(desired)) == 400


def test_the_people_made_here_are_of_both_kinds() -> None:
    verdicts = [any(finding.certain for finding in check_user(person(random.Random(seed)))) for seed in range(60)]
    assert 15 <= sum(verdicts) <= 45
