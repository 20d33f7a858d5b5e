"""A pasted list against Graph itself: before the first run nothing is mirrored."""

import pytest

from sync.directory import live, pasted
from sync.models import DirectoryUser, Tenant
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


def states(lines: list[pasted.PastedLine]) -> dict[str, str]:
    return {line.text: line.state for line in lines}


def graph_reads(lab: Lab) -> list[str]:
    return [one["path"] for one in lab.call("GET", "graph/ledger") if one["part"] == "graph"]


def test_lines_are_found_by_id_login_mail_and_group_name(wired: Tenant, lab: Lab) -> None:
    admins = lab.entra_group("AWS-Admins")
    guest = next(one for one in lab.call("GET", "entra/state")["users"] if one["displayName"] == "Guest 1")
    text = f"{{{admins['id'].upper()}}}\ntwin-one@CONTOSO.example\nguest1@partner.example\nteam0@contoso.example\nall-hands\nSiobhán O'Nobody\nnobody@contoso.example"
    lines = pasted.resolve(wired, pasted.lines_of(text))
    assert [line.found[0].name for line in lines[:5]] == [
        "AWS-Admins",
        "Sam Rowe",
        "Guest 1",
        "Engineering team",
        "All-Hands",
    ]
    assert lines[2].found[0].object_id == guest["id"]
    assert [line.state for line in lines[5:]] == ["unknown", "unknown"]


def test_two_groups_of_one_name_are_both_told(wired: Tenant, lab: Lab) -> None:
    for _ in range(2):
        lab.call("POST", "entra/groups", {"displayName": "Twins, O'Brien's and more", "members": []})
    [line] = pasted.resolve(wired, ["Twins, O'Brien's and more"])
    assert (line.state, len(line.found)) == ("ambiguous", 2)


def test_many_lines_are_asked_fifteen_at_once(wired: Tenant, lab: Lab) -> None:
    users = lab.call("GET", "entra/state")["users"][:40]
    lab.call("DELETE", "graph/ledger")
    lines = pasted.resolve(wired, [user["userPrincipalName"] for user in users])
    assert set(states(lines).values()) == {"found"}
    assert graph_reads(lab) == ["/v1.0/users"] * 3


def test_what_the_mirror_knows_is_not_asked_again(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    lab.call("DELETE", "graph/ledger")
    person = DirectoryUser.objects.exclude(user_principal_name="").earliest("pk")
    lines = pasted.resolve(wired, [person.user_principal_name, "AWS-Admins", "nobody@contoso.example"])
    assert [line.state for line in lines] == ["found", "found", "unknown"]
    assert len(graph_reads(lab)) == 3


def test_names_of_chosen_ones_are_read_many_at_once(wired: Tenant, lab: Lab) -> None:
    users = lab.call("GET", "entra/state")["users"][:20]
    lab.call("DELETE", "graph/ledger")
    references = [f"user:{user['id']}" for user in users]
    found = live.named(wired, [*references, "user:00000000-0000-4000-8000-000000000000"])
    assert [one.reference for one in found] == references
    assert len(graph_reads(lab)) == 2


def test_applications_are_found_by_name_and_by_id(wired: Tenant, lab: Lab) -> None:
    app = lab.facts["service_principal_id"]
    expected = [{"id": app, "name": "AWS IAM Identity Center"}]
    assert live.applications(wired, "aws iam") == expected
    assert live.applications(wired, app) == expected
    assert live.applications(wired, "iam") == []
    assert live.applications(wired, "00000000-0000-4000-8000-000000000000") == []
    assert live.application_name(wired, app) == "AWS IAM Identity Center"


def test_the_rule_of_a_dynamic_group_is_read(wired: Tenant, lab: Lab) -> None:
    found = live.group_now(wired, lab.entra_group("All-Engineering")["id"])
    assert found["membershipRule"] == '(user.department -eq "Engineering")'
    assert live.found_group(found).kind == "dynamic"
