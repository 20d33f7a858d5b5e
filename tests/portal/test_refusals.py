"""“AWS refused” is said of an answer that came; before AWS was asked it is “AWS would refuse”."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import User
from sync.models import Delivery, Run, Tenant
from sync.problems.catalogue import PROBLEMS
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.on_demand import demand
from tests.world.tenant import ACTOR, assign, sync

WOULD, DID = "AWS would refuse the person.", "AWS refused the person."
LIMIT = "List attribute phoneNumbers exceeds allowed limit of 1"


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


@pytest.fixture
def told(wired: Tenant) -> Tenant:
    """By mail."""
    mail_to(wired, ACTOR)
    return wired


def pages(jo: Client, run: Run, person: dict[str, Any]) -> list[str]:
    """The run's, and the log entry's."""
    row = run.operations.get(object_id=person["id"])
    return [jo.get(f"/t/acme/{path}").content.decode() for path in (f"runs/{run.number}/", f"logs/{row.pk}/")]


@pytest.mark.django_db(transaction=True)
def test_whoever_was_not_sent_would_be_refused(told: Tenant, lab: Lab, jo: Client) -> None:
    kavi = hire(lab, "Kavi")
    assign(told, kavi)
    runs = [sync(told, Run.Kind.PREVIEW), sync(told)]
    assert not [one for one in lab.requests() if one["method"] == "POST"]
    texts = [page for run in runs for page in pages(jo, run, kavi)]
    dry = demand(told, kavi, write=False)
    texts += [jo.get(f"/t/acme/on-demand/{dry.pk}/").content.decode(), Delivery.objects.get().body]
    assert [(WOULD in text, DID in text) for text in texts] == [(True, False)] * len(texts)


@pytest.mark.django_db(transaction=True)
def test_whoever_aws_answered_about_was_refused(told: Tenant, lab: Lab, jo: Client) -> None:
    """Our rules let them through; AWS's own answer is what counts."""
    ada, bob = hire(lab, "Ada Byron"), hire(lab, "Bob Byron")
    body = f'{{"detail": "{LIMIT}", "status": "400"}}'
    fault = {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": body, "times": -1}
    lab.call("POST", "faults", fault)
    assign(told, ada)
    run = sync(told)
    texts = [*pages(jo, run, ada), Delivery.objects.get().body]
    assign(told, bob)
    real = demand(told, bob)
    texts.append(jo.get(f"/t/acme/on-demand/{real.pk}/").content.decode())
    assert [(WOULD in text, DID in text) for text in texts] == [(False, True)] * len(texts)


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_no_problem_claims_an_answer_where_none_came(code: str) -> None:
    words = PROBLEMS[code]
    for whom in ("person", "object"):
        assert f"AWS refused the {whom}" not in str(words.meaning)
        assert f"AWS refused the {whom}" not in str(words.reason)
    if words.refusal:
        assert str(words.told(answered=True)).startswith("AWS refused the ")
