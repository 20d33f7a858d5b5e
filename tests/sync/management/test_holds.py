"""`holds`, `approve` and `adopt`: what waits, decided by name, all or nothing."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import AuditEntry, DirectoryUser, HeldChange, Hold, Link, Run, Tenant
from tests.world.company import aws_group, aws_user, hire
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def command(*words: str, code: int = 0) -> str:
    out = io.StringIO()
    ended = 0
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    return out.getvalue()


def in_json(*words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command(*words, "--json", code=code))
    return found


def hold_of(tenant: Tenant, *names: str) -> Hold:
    run = Run.objects.create(tenant=tenant, number=1, kind="changes", trigger="schedule", state="completed")
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 1, "planned": len(names)})
    for n, name in enumerate(names):
        object_id = f"{n:036d}"
        login = f"{name.lower().replace(' ', '.')}@acme.example"
        DirectoryUser.objects.create(tenant=tenant, object_id=object_id, display_name=name, user_principal_name=login)
        HeldChange.objects.create(
            hold=hold, tenant=tenant, action="disable", object_type="user", object_id=object_id,
            display_name=name, detail_name=login, cause="not-assigned",
        )  # fmt: skip
    return hold


def test_nothing_waits(tenant: Tenant) -> None:
    assert command("holds", "acme") == "Nothing is held.\n"


def test_what_waits_is_listed_with_names_causes_and_limit(tenant: Tenant) -> None:
    hold = hold_of(tenant, "Ada Byron", "Bob Ray")
    report = in_json("holds", "acme", code=3)
    [found] = report["holds"]
    assert (found["id"], found["kind"], found["limit"], found["run"]) == (hold.pk, "people", 1, 1)
    assert found["changes"][0] == {
        "action": "disable",
        "name": "Ada Byron",
        "user_principal_name": "ada.byron@acme.example",
        "id": "0" * 36,
        "group": None,
        "cause": "not-assigned",
        "decision": "waiting",
    }
    assert "Ada Byron <ada.byron@acme.example> (not-assigned)" in command("holds", "acme", code=3)


def test_what_was_kept_does_not_wait(tenant: Tenant) -> None:
    hold_of(tenant, "Ada Byron")
    assert command("approve", "acme", "--keep", "ada byron", "--comment", "on leave") == "0 approved, 1 kept.\n"
    assert in_json("holds", "acme")["holds"][0]["changes"][0]["decision"] == "kept"
    entry = AuditEntry.objects.get(verb="hold.decide")
    assert entry.after is not None
    assert entry.after["comment"] == "on leave"
    assert not Run.objects.filter(number=2).exists()


def test_an_unknown_name_decides_nothing(tenant: Tenant) -> None:
    hold_of(tenant, "Ada Byron", "Bob Ray")
    with pytest.raises(CommandError, match=r"Not held: zoe\. Nothing was decided"):
        command("approve", "acme", "--only", "Ada Byron", "Zoe")
    assert HeldChange.objects.waiting().count() == 2


def test_a_name_that_two_people_have_must_be_given_as_an_id(tenant: Tenant) -> None:
    hold_of(tenant, "Ada Byron", "Bob Ray")
    HeldChange.objects.update(display_name="Ada Byron")
    with pytest.raises(CommandError, match="several times"):
        command("approve", "acme", "--keep", "Ada Byron")
    command("approve", "acme", "--keep", "bob.ray@acme.example", "0" * 36)
    assert HeldChange.objects.kept().count() == 2


@pytest.mark.parametrize("words", [(), ("999", "--all"), ("--shrinkage",)])
def test_what_cannot_be_decided_is_said(tenant: Tenant, words: tuple[str, ...]) -> None:
    hold_of(tenant, "Ada Byron")
    with pytest.raises(CommandError):
        command("approve", "acme", *words)
    assert HeldChange.objects.waiting().count() == 1


def test_two_are_kept_and_the_rest_is_approved_and_done(wired: Tenant, lab: Lab) -> None:
    some = [hire(lab, f"Cee {n}") for n in range(14)]
    ids = [one["id"] for one in some]
    group = lab.call("POST", "entra/groups", {"displayName": "Emptied", "members": ids})
    assign(wired, group, lab.call("POST", "entra/groups", {"displayName": "Stays", "members": ids}))
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": ids})
    sync(wired)
    report = in_json("approve", "acme", "--all", "--keep", some[0]["userPrincipalName"], ids[1])
    assert (report["approved"], report["kept"], report["run"]["state"]) == (12, 2, "completed")
    kept = set(Link.objects.filter(object_id__in=ids[:2]).values_list("scim_id", flat=True))
    assert set(aws_group(lab, "Emptied")["members"]) == kept
    assert in_json("holds", "acme")["holds"][0]["changes"][0]["group"] == "Emptied"


def test_a_reading_that_shrank_is_taken_once_somebody_says_so(wired: Tenant, lab: Lab) -> None:
    Run.objects.create(
        tenant=wired, number=1, kind="full", trigger="schedule", state="completed", suspect="source-shrunk",
        started_at=timezone.now(),
    )  # fmt: skip
    Tenant.objects.update(last_run_number=1)
    assert in_json("holds", "acme", code=3)["shrunken"] == 1
    report = in_json("approve", "acme", "--shrinkage")
    assert report["run"]["kind"] == "full"
    assert in_json("holds", "acme")["shrunken"] is None
    assert AuditEntry.objects.filter(verb="directory.accept_shrinkage").exists()


def test_proposals_are_listed_and_linked_by_name(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Dee Here Already")
    made = lab.call(
        "POST",
        "aws/users",
        {
            "userName": person["userPrincipalName"],
            "displayName": "Old Dee",
            "name": {"givenName": "D", "familyName": "O"},
        },
    )
    assign(wired, person)
    sync(wired)
    [proposal] = in_json("adopt", "acme", "--list")["proposals"]
    assert (proposal["name"], proposal["matched_by"]) == ("Dee Here Already", "userName")
    assert proposal["aws_id"] == made["id"]
    with pytest.raises(CommandError, match="Nothing was linked"):
        command("adopt", "acme", "Nobody")
    report = in_json("adopt", "acme", person["userPrincipalName"])
    assert report["run"]["counts"]["linked"] == 1
    assert aws_user(lab, person["id"])["displayName"] == "Dee Here Already"
    assert command("adopt", "acme") == "Nothing is proposed for linking.\n"
