"""Whom the console answers: its own pages and local scripts, never a page of another site."""

import re
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.world.lab import Lab

pytestmark = pytest.mark.company(5, groups=1, memberships=2)

HIRE = {"displayName": "Ada Byron"}
ANN = {"userName": "ann", "displayName": "Ann", "name": {"givenName": "Ann", "familyName": "O"}}


def post(lab: Lab, path: str, headers: dict[str, str], **body: Any) -> requests.Response:
    url = f"{lab.facts['console']}{path}"
    return lab.session.post(url, headers=headers, timeout=20, allow_redirects=False, **body)


def people(lab: Lab) -> int:
    return len(lab.call("GET", "entra/state")["users"])


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="another site"),
        pytest.param({"Origin": "null"}, id="a sandboxed frame of any site"),
        pytest.param({"Host": "evil.example"}, id="a name that leads here"),
    ],
)
def test_a_page_of_another_site_changes_nothing(lab: Lab, headers: dict[str, str]) -> None:
    before = people(lab)
    assert post(lab, "api/entra/hire", headers, json=HIRE).status_code == 403
    assert post(lab, "actions/hire", headers, data={"name": "Ada Byron"}).status_code == 403
    assert people(lab) == before


def test_its_own_page_and_a_script_without_an_origin_are_answered(lab: Lab) -> None:
    before = people(lab)
    own = {"Origin": lab.facts["console"].rstrip("/")}
    answer = post(lab, "actions/hire", own, data={"name": "Ada Byron"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?message=Ada+Byron+was+hired.")
    assert post(lab, "api/entra/hire", {}, json=HIRE).status_code == 200
    assert people(lab) == before + 2


def buttons(lab: Lab, **query: str) -> set[str]:
    shown = lab.session.get(lab.facts["console"], params=query, timeout=20).text
    return set(re.findall(r'action="/actions/(\w+)"', shown))


def test_each_button_of_the_page_leads_to_an_action(lab: Lab) -> None:
    leaver, ada = (lab.call("POST", "entra/hire", HIRE)["id"] for _ in range(2))
    lab.call("POST", f"entra/users/{leaver}/leave")
    post(lab, "actions/control_tower", {})
    entra, aws = lab.call("GET", "entra/state"), lab.aws()
    picks = [leaver, ada, entra["groups"][0]["id"], aws["users"][0]["id"], aws["groups"][0]["id"]]
    offered = set().union(*(buttons(lab, pick=one) for one in picks), *(buttons(lab, tour=str(n)) for n in range(10)))
    assert {"hire", "restore", "rename_group", "delete_aws_user", "set_switch", "release_all"} <= offered
    for name in offered:
        answer = post(lab, f"actions/{name}", {})
        assert answer.status_code == 303
        # Without a form most miss a field; an action that does not exist is missed by its own name.
        assert f"%27{name}%27" not in answer.headers["Location"], name


def test_a_button_comes_back_to_what_the_page_showed(lab: Lab) -> None:
    answer = post(lab, "actions/release_all", {}, data={"back": "show=groups&page=2&tour=3&q=a&evil=1"})
    found = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert found == {"show": "groups", "page": "2", "tour": "3", "q": "a", "message": "Everything answers again."}


def test_the_values_of_the_connection_can_be_selected_without_a_script(lab: Lab) -> None:
    shown = lab.session.get(lab.facts["console"], timeout=20).text
    values = lab.call("GET", "connection")
    assert values.keys() == {"directory_id", "client_id", "client_secret", "scim_endpoint", "scim_token"}
    for value in values.values():
        assert f'readonly value="{escape(value)}"' in shown


@pytest.mark.company(5, groups=1, memberships=2, product="http://localhost:8000/", tenant="rehearsal")
def test_the_page_leads_to_the_product_and_to_each_person_there(lab: Lab) -> None:
    shown = lab.session.get(lab.facts["console"], timeout=20).text
    assert 'href="http://localhost:8000/t/rehearsal/"' in shown
    first = lab.call("GET", "entra/ids")["users"][0]
    assert f'href="http://localhost:8000/t/rehearsal/people/{first}/"' in shown


def test_the_page_shows_what_aws_was_asked_and_said(lab: Lab) -> None:
    headers = {"Authorization": "Bearer wrong"}
    lab.session.get(lab.facts["scim_endpoint"] + "Users", headers=headers, verify=lab.facts["ca_file"], timeout=20)
    shown = lab.session.get(lab.facts["console"], timeout=20).text
    assert '<code>GET /Users</code> <strong class="bad">401</strong>' in shown
    assert "Authorization header is invalid or missing." in shown


def test_what_was_kept_is_there_again(lab: Lab) -> None:
    """Entra, AWS and what a reader was told so far."""
    lab.call("POST", "aws/users", ANN)
    lab.call("PUT", "kept/before")
    entra, aws = lab.call("GET", "entra/state"), lab.aws()
    lab.call("POST", "entra/hire", HIRE)
    lab.call("DELETE", "aws/users")
    lab.call("POST", "kept/before")
    assert (lab.call("GET", "entra/state"), lab.aws()) == (entra, aws)
    assert post(lab, "api/kept/never", {}).status_code == 404
