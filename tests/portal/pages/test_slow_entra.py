"""Microsoft answers late, or asked by too many: every page that looks something up ends in its time, and says so."""

import functools
import json
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.http import HttpResponse
from django.test import Client
from requests import PreparedRequest

from sync.configuration import mappings
from sync.configuration.settings import set_settings
from sync.connection.services import save_entra
from sync.directory import live, patience
from sync.directory.patience import LONG_SECONDS, READ_SECONDS, SECONDS, Patience
from sync.models import Assignment, DirectoryUser, Tenant
from tests.world.tenant import ACTOR

GUID = "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1"
GROUP = "5cf687a0-8b15-5fd6-98e7-29696e6c2e14"
LOGIN, GRAPH = "https://login.microsoftonline.com", "https://graph.microsoft.com"
# To whatever is asked: discovery, token, an object, a list.
ANSWER = {
    "token_endpoint": f"{LOGIN}/token",
    "authorization_endpoint": f"{LOGIN}/authorize",
    "issuer": f"{LOGIN}/{GUID}/v2.0",
    "access_token": "a-token",
    "expires_in": 3599,
    "id": GROUP,
    "displayName": "Zelda",
    "value": [],
}
CANNOT, SLOWED = "Cannot read the directory right now", "Microsoft is slowing us down"


class Microsoft:
    """Answers each request after `seconds` of a clock of its own. `asked`: addresses, and how long each would be waited for."""

    def __init__(self) -> None:
        self.now, self.seconds = 0.0, 0.0
        self.asked: list[tuple[str, Any]] = []

    def clock(self) -> float:
        return self.now

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.now += self.seconds
        self.asked.append((str(request.url), request.req_kwargs["timeout"]))  # type: ignore[attr-defined]
        return 200, {}, json.dumps(ANSWER)


@pytest.fixture
def microsoft(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Microsoft]:
    """With what the pages below look up: assigned groups, a followed application, a cast of five, nothing read yet."""
    facts = {"cloud": "global", "directory_id": GUID, "client_id": GUID, "credential_kind": "secret"}
    save_entra(tenant=tenant, actor=ACTOR, credential="the-secret", ends_on=None, **facts)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    set_settings(actor=ACTOR, tenant=tenant, mirrored_app=GUID)
    configuration = tenant.configurations.current()
    for number in range(5):
        DirectoryUser.objects.create(tenant=tenant, object_id=f"{number:08}{GUID[8:]}", display_name=f"Zelda {number}")
        Assignment.objects.create(
            configuration=configuration, object_type="group", object_id=f"{number:08}{GROUP[8:]}", display_name="Group"
        )
    found = Microsoft()
    for module in (patience, live):
        monkeypatch.setattr(module, "Patience", functools.partial(Patience, clock=found.clock))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method, place in ((one, place) for one in ("GET", "POST") for place in (LOGIN, GRAPH)):
            mock.add_callback(method, re.compile(f"{re.escape(place)}/.*"), callback=found.answer)
        yield found


# Page -> what it says when it was not told in time.
PAGES = {
    "mappings/people/": "Zelda 0",
    "mappings/people/?find=zelda": CANNOT,
    f"mappings/people/?person={GUID}": "this person",
    "assignments/?counts=1": "Group",
    f"groups/{0:08}{GROUP[8:]}/now/": CANNOT,
    "assignments/assign/?q=zelda": CANNOT,
    f"assignments/assign/?q=zelda&chosen=group:{GUID}": CANNOT,
    "assignments/application/?q=zelda": CANNOT,
    "assignments/application/name/": GUID,
    "on-demand/?q=zelda": CANNOT,
}


def check(microsoft: Microsoft, answer: HttpResponse, words: str, seconds: float) -> None:
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert microsoft.asked
    # What is being answered when the time is over may end.
    assert microsoft.now <= seconds + READ_SECONDS
    for address, timeout in microsoft.asked:
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        assert max(connect, read) <= READ_SECONDS, address


@pytest.mark.parametrize(("path", "words"), PAGES.items())
def test_a_page_waits_so_long_and_then_says_that_it_was_not_told(
    microsoft: Microsoft, jo: Client, path: str, words: str
) -> None:
    microsoft.seconds = READ_SECONDS
    check(microsoft, jo.get(f"/t/acme/{path}"), words, SECONDS)


def test_a_cast_of_five_is_waited_for_no_longer_than_one_person(microsoft: Microsoft, jo: Client) -> None:
    for one in DirectoryUser.objects.all():
        jo.post("/t/acme/mappings/cast/", {"pin": one.object_id})
    microsoft.seconds = READ_SECONDS
    form = {"preview": "1", "target": "title", "kind": "direct", "source": "department", "apply": "always"}
    answer = jo.post("/t/acme/mappings/people/title/", form)
    check(microsoft, answer, "cannot be read", SECONDS)
    page = answer.content.decode()
    assert "Cannot read Zelda 0 right now. You can still edit." in page
    assert page.count("cannot be read") == 4


def test_five_groups_are_counted_while_the_page_s_time_lasts(microsoft: Microsoft, jo: Client) -> None:
    """Slow, and each answer in time: the page's is over all the same."""
    microsoft.seconds = READ_SECONDS / 2
    check(microsoft, jo.get("/t/acme/assignments/?counts=1"), "Group", SECONDS)


def test_pasted_names_wait_longer_and_not_for_ever(microsoft: Microsoft, jo: Client) -> None:
    microsoft.seconds = READ_SECONDS
    lines = "\n".join(f"zelda{number}@acme.example" for number in range(50))
    answer = jo.post("/t/acme/on-demand/", {"pasted": lines, "dry_run": "on"})
    assert (answer.status_code, CANNOT in answer.content.decode()) == (422, True)
    assert SECONDS < microsoft.now <= LONG_SECONDS + READ_SECONDS


@pytest.mark.parametrize(
    "path", ["mappings/people/?find=zelda", "assignments/assign/?q=zelda", "assignments/application/?q=zelda"]
)
def test_while_too_many_look_up_one_more_is_told_so_and_asks_nothing(
    microsoft: Microsoft, jo: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(patience, "SLOTS", taken())
    monkeypatch.setattr(patience, "Patience", functools.partial(Patience, wait=0))
    page = jo.get(f"/t/acme/{path}").content.decode()
    assert SLOWED in page or CANNOT in page
    assert microsoft.asked == []
    assert jo.get("/me/").status_code == 200


def taken() -> threading.BoundedSemaphore:
    slots = threading.BoundedSemaphore(1)
    slots.acquire()
    return slots


def test_strangers_who_come_back_from_microsoft_hold_a_few_threads_and_no_more(
    microsoft: Microsoft, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MICROSOFT_SIGN_IN = {"directory_id": GUID, "client_id": GUID, "cloud": "global", "roles": {}}
    stranger = Client()
    state = parse_qs(urlsplit(stranger.get("/sign-in/microsoft/")["Location"]).query)["state"][0]
    monkeypatch.setattr("portal.pages.accounts.microsoft.Patience", functools.partial(Patience, wait=0))
    monkeypatch.setattr("portal.pages.accounts.microsoft.SIGN_INS", taken())
    page = stranger.get("/sign-in/microsoft/answer/", {"state": state, "code": "x"}, follow=True).content.decode()
    assert "Too many people ask the same at once" in page
    assert microsoft.asked == []
