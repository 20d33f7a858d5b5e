"""People and one person: the list, its chips, and the reasons of each standing."""

import functools
import itertools
import threading
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.directory import patience
from sync.models import DirectoryUser, Link, Standing, Tenant, Word
from sync.standings import queries as standings
from sync.standings import services
from tests.world.company import change, change_members, group_of, hire, leave
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.people import person
from tests.world.tenant import assign, sync

# The tests of a file share a lab: each has people of its own.
NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@pytest.fixture
def settled(kept: Kept) -> Tenant:
    return kept(two_people_in_aws).tenant


def two_people_in_aws(tenant: Tenant, lab: Lab) -> None:
    """Ada and Bo through a group; Cy is not assigned. The first run is over."""
    number = next(NUMBERS)
    ada, bo = (hire(lab, f"{name} Person {number}", department="Engineering") for name in ("Ada", "Bo"))
    hire(lab, f"Cy Person {number}")
    assign(tenant, group_of(lab, f"AWS-People {number}", [ada, bo]))
    sync(tenant)
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())


def of(name: str) -> Standing:
    """Of this test's person or group with this name."""
    return Standing.objects.filter(name__startswith=f"{name} ").get(name__endswith=f" {newest()}")


def newest() -> int:
    names = Standing.objects.filter(name__startswith="Ada Person ").values_list("name", flat=True)
    return max(int(name.rpartition(" ")[2]) for name in names)


def page(jo: Client, name: str) -> str:
    answer = jo.get(f"/t/acme/people/{of(name).object_id}/")
    assert answer.status_code == 200
    return answer.content.decode()


def blocker(jo: Client, name: str) -> str:
    found = jo.get(f"/t/acme/people/{of(name).object_id}/").context["blocker"]
    return found.key if found else ""


def test_the_list_shows_everybody_and_each_chip_its_own(settled: Tenant, jo: Client) -> None:
    context = jo.get("/t/acme/people/").context
    counts = standings.counts(settled, "user")
    assert context["count"] == sum(counts.values())
    for chip in context["chips"][1:]:
        assert chip["n"] == counts[Word(chip["word"])] == jo.get(f"/t/acme/people/{chip['url']}").context["count"]


def test_the_list_says_as_of_when(settled: Tenant, jo: Client) -> None:
    page = jo.get("/t/acme/people/").content.decode()
    assert "Entra read" in page
    assert "Never compared with AWS." in page


def test_people_are_found_by_parts_of_their_names(settled: Tenant, jo: Client) -> None:
    ada, bo = of("Ada Person"), of("Bo Person")
    user = DirectoryUser.objects.get(object_id=ada.object_id).user_principal_name
    for text, found in ((ada.name.upper(), {ada}), (user[:-3], {ada}), (ada.name.partition(" ")[2], {ada, bo})):
        people = jo.get("/t/acme/people/", {"q": text}).context["people"]
        assert {one["standing"] for one in people} >= found, text
    assert bo not in {one["standing"] for one in jo.get("/t/acme/people/", {"q": ada.name}).context["people"]}


def test_people_are_found_by_the_id_of_either_side(settled: Tenant, jo: Client) -> None:
    ada = of("Ada Person")
    for text in (ada.object_id[:13], ada.object_id.upper(), ada.scim_id[:18]):
        found = [one["standing"] for one in jo.get("/t/acme/people/", {"q": text}).context["people"]]
        assert found == [ada], text


def test_somebody_in_aws_has_nothing_in_the_way(settled: Tenant, jo: Client) -> None:
    assert blocker(jo, "Ada Person") == ""
    said = page(jo, "Ada Person")
    assert "In AWS. Everything that the mappings give is written." in said
    assert "AWS-People" in said


def lose_name(lab: Lab, who: dict[str, str]) -> None:
    change(lab, who, surname=None)


def disable(lab: Lab, who: dict[str, str]) -> None:
    change(lab, who, accountEnabled=False)


@pytest.mark.parametrize(
    ("happens", "word", "key", "fix"),
    [
        (lose_name, Word.NOT_READY, "ready", "Fill Last name in Entra"),
        (disable, Word.DISABLED, "enabled", "Enable the account in Entra."),
        (leave, Word.DISABLED, "exists", "Restore the person in Entra"),
    ],
)
def test_what_happened_in_entra_is_named_with_what_mends_it(
    settled: Tenant,
    lab: Lab,
    jo: Client,
    happens: Callable[[Lab, dict[str, str]], None],
    word: Word,
    key: str,
    fix: str,
) -> None:
    happens(lab, {"id": of("Ada Person").object_id})
    sync(settled)
    assert of("Ada Person").word == word
    assert blocker(jo, "Ada Person") == key
    assert fix in page(jo, "Ada Person")


def test_whoever_no_assignment_brings_is_told_so(settled: Tenant, jo: Client) -> None:
    assert blocker(jo, "Cy Person") == "assigned"
    said = page(jo, "Cy Person")
    assert "Not in AWS. Not assigned." in said
    assert "under Assignments." in said


def test_a_filter_that_stops_somebody_is_named(settled: Tenant, lab: Lab, jo: Client) -> None:
    change_members(lab, {"id": group_id()}, remove=[of("Ada Person").object_id])
    sync(settled)
    assert blocker(jo, "Ada Person") == "assigned"
    assert of("Ada Person").word == Word.DISABLED


def group_id() -> str:
    return of("AWS-People").object_id


def test_while_provisioning_is_off_whoever_waits_is_told_so(settled: Tenant, lab: Lab, jo: Client) -> None:
    Link.objects.filter(object_id=of("Ada Person").object_id).update(pending="update")
    services.refresh_all(settled)
    Tenant.objects.update(enabled=False)
    assert blocker(jo, "Ada Person") == "written"
    assert "Provisioning is off." in page(jo, "Ada Person")


def test_values_stand_side_by_side_and_are_read_in_aws_when_asked(settled: Tenant, lab: Lab, jo: Client) -> None:
    ada = of("Ada Person")
    lab.call("PATCH", f"aws/users/{ada.scim_id}", {"title": "By hand"})
    assert "By hand" not in page(jo, "Ada Person")
    answer = jo.get(f"/t/acme/people/{ada.object_id}/values/")
    assert "By hand" in answer.content.decode()


def test_a_value_that_is_not_sent_as_it_is_says_of_which_attribute_it_is(settled: Tenant, jo: Client) -> None:
    values = page(jo, "Ada Person").partition('id="values"')[2]
    # The account is on: what stands there is no state of the account.
    assert "<code>IsSoftDeleted</code>" in values
    assert "<code>userPrincipalName</code>" not in values


def test_while_aws_keeps_silent_its_values_are_those_written_last(
    settled: Tenant, lab: Lab, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.people.values.READ_SECONDS", 0.1)
    held = lab.call("POST", "faults", {"part": "aws", "kind": "hold_before", "match": "Users"})
    answer = jo.get(f"/t/acme/people/{of('Ada Person').object_id}/values/")
    assert "AWS could not be read now" in answer.content.decode()
    lab.call("POST", f"faults/{held['id']}/release")


def test_while_too_many_look_up_aws_is_not_asked(
    settled: Tenant, lab: Lab, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = threading.BoundedSemaphore(1)
    slots.acquire()
    monkeypatch.setattr(patience, "SLOTS", slots)
    monkeypatch.setattr(patience, "Patience", functools.partial(patience.Patience, wait=0))
    lab.forget_requests()
    answer = jo.get(f"/t/acme/people/{of('Ada Person').object_id}/values/")
    assert "AWS could not be read now" in answer.content.decode()
    assert lab.requests() == []


def test_a_viewer_reads_the_reasons_and_asks_nobody(settled: Tenant, client_of: Callable[[User], Client]) -> None:
    browser = client_of(person("vi@acme.example", Role.VIEWER))
    object_id = of("Ada Person").object_id
    assert "Provision now" not in browser.get(f"/t/acme/people/{object_id}/").content.decode()
    assert browser.get(f"/t/acme/people/{object_id}/values/").status_code == 403


def test_nobody_unknown_has_a_page(settled: Tenant, jo: Client) -> None:
    assert jo.get(f"/t/acme/people/{'0' * 8}-1111-4111-8111-111111111111/").status_code == 404


def test_a_page_asks_few_questions_of_the_database(
    settled: Tenant, jo: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    # Seven of them write the look-up into the audit log.
    with django_assert_max_num_queries(43):  # type: ignore[attr-defined]
        jo.get(f"/t/acme/people/{of('Ada Person').object_id}/")
