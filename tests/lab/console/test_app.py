"""Whom the console answers: its own pages and local scripts, never a page of another site."""

import re
from typing import Any

import pytest
import requests

from tests.world.lab import Lab

pytestmark = pytest.mark.company(5, groups=1, memberships=2)

HIRE = {"displayName": "Ada Byron"}


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


def test_each_button_of_the_page_leads_to_an_action(lab: Lab) -> None:
    leaver = lab.call("POST", "entra/hire", HIRE)["id"]
    lab.call("POST", f"entra/users/{leaver}/leave")
    control_tower = post(lab, "actions/control_tower", {})
    assert control_tower.status_code == 303
    offered = set(re.findall(r'action="/actions/(\w+)"', lab.session.get(lab.facts["console"], timeout=20).text))
    assert {"hire", "restore", "rename_group", "delete_aws_user", "set_switch", "release_all"} <= offered
    for name in offered:
        answer = post(lab, f"actions/{name}", {})
        assert answer.status_code == 303
        # Without a form most miss a field; an action that does not exist is missed by its own name.
        assert f"%27{name}%27" not in answer.headers["Location"], name
