"""An installation that people reach over HTTPS: its cookies and what it tells browsers, through a real sign-in."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_keys import SEAL, started
from tests.world.prepared import NewState

pytestmark = pytest.mark.process

SIGN_IN = """
import json
from django.test import Client
from portal.models import User
from tests.world.people import PASSWORD
User.objects.create_user("jo@acme.example", PASSWORD)
client = Client(HTTP_HOST="x.example")
page = client.get("/sign-in/", secure=True)
client.post("/sign-in/", {"login": "jo@acme.example", "password": PASSWORD}, secure=True)
kept = {name: {**cookie, "value": ""} for name, cookie in client.cookies.items()}
plain = client.get("/sign-in/")
print("found", json.dumps([kept, dict(page.headers), plain.status_code, plain["Location"]]))
"""


@pytest.fixture(scope="module")
def found(new_state: NewState, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    state: Path = new_state(tmp_path_factory.mktemp("https") / "state")
    ended = started(
        state, "manage.py", "shell", "--no-imports", "-c", SIGN_IN, SECRET_KEY="k" * 60, SEAL_KEYS=SEAL
    )  # fmt: skip
    answer: list[Any] = json.loads(ended.stdout.rpartition("found ")[2])
    return answer


def test_every_cookie_is_this_host_s_alone_and_no_script_reads_it(found: list[Any]) -> None:
    cookies: dict[str, Any] = found[0]
    assert cookies.keys() == {"__Host-session", "__Host-csrf", "__Host-device"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_browsers_come_back_over_https_alone(found: list[Any]) -> None:
    _cookies, headers, status, location = found
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert (status, location) == (301, "https://x.example/sign-in/")
