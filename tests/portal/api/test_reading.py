"""What the API says of people, groups, runs and operations."""

from typing import Any

import pytest
from django.conf import settings

from portal.models import User
from sync.models import AuditEntry, Operation, Standing, Tenant
from tests.world.api import Script, script_of
from tests.world.every_standing import GROUPS, PEOPLE
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def script(owner: User) -> Script:
    return script_of(owner)


def test_lists_are_read_page_by_page_and_each_row_once(every_standing: Tenant, script: Script) -> None:
    found = script.all_of("/tenants/acme/people", limit=7)
    assert len(found) == sum(PEOPLE.values())
    assert len({(one["entra_id"], one["aws_id"]) for one in found}) == len(found)
    first = script.read("/tenants/acme/people", limit=7)
    assert len(first["items"]) == 7


def test_people_are_found_by_standing_code_and_name(every_standing: Tenant, script: Script) -> None:
    for word, n in PEOPLE.items():
        found = script.all_of("/tenants/acme/people", standing=word)
        assert (len(found), {one["standing"] for one in found}) == (n, {word})
    one = script.all_of("/tenants/acme/people", standing="in_aws")[0]
    assert one in script.all_of("/tenants/acme/people", q=one["name"])
    assert script.all_of("/tenants/acme/people", q="nobody has this name") == []


def test_one_person_is_what_the_list_says_and_the_look_up_is_audited(every_standing: Tenant, script: Script) -> None:
    one = script.all_of("/tenants/acme/people", standing="failed")[0]
    assert script.read(f"/tenants/acme/people/{one['entra_id'].upper()}") == one
    assert one["user_principal_name"]
    assert one["quoted"] == "No."
    assert AuditEntry.objects.filter(verb="person.look_up").count() == 1
    assert script.get("/tenants/acme/people/nosuch").status_code == 404


def test_groups_have_their_aws_ids_and_members(every_standing: Tenant, script: Script) -> None:
    groups = script.all_of("/tenants/acme/groups")
    assert len(groups) == sum(GROUPS.values())
    standing = Standing.objects.filter(kind="group", word="in_aws").earliest("pk")
    one = script.read(f"/tenants/acme/groups/{standing.object_id}")
    assert one["aws_id"] == standing.scim_id
    assert one["aws_id"]
    assert one["members"] == {"wanted": 0, "in_aws": 0, "missing": 0, "extra": 0, "left": 0}


def test_runs_come_newest_first_and_one_by_its_number(tenant: Tenant, script: Script) -> None:
    for number in range(1, 5):
        new_run(tenant, number, state="completed", counts={"created": number})
    assert [one["number"] for one in script.all_of("/tenants/acme/runs", limit=3)] == [4, 3, 2, 1]
    assert script.read("/tenants/acme/runs/3")["counts"] == {"created": 3}
    assert script.get("/tenants/acme/runs/9").status_code == 404
    assert script.get(f"/tenants/acme/runs/{2**70}").status_code == 404


def test_a_run_that_did_not_change_is_not_sent_again(tenant: Tenant, script: Script) -> None:
    run = new_run(tenant, 1, state="running")
    etag = script.get("/tenants/acme/runs/1")["ETag"]
    same = script.get("/tenants/acme/runs/1", If_None_Match=etag)
    assert (same.status_code, same.content) == (304, b"")
    run.sequence += 1
    run.save()
    assert script.get("/tenants/acme/runs/1", If_None_Match=etag).status_code == 200


def test_operations_are_those_of_the_log_and_of_a_run_all(tenant: Tenant, script: Script) -> None:
    first, second = new_run(tenant, 1, state="completed"), new_run(tenant, 2, kind="preview", state="completed")
    operation(tenant, first, object_id="a" * 36, result="failed", problem="rejected", error="No.")
    operation(tenant, first, object_id="b" * 36, result="created")
    operation(tenant, second, object_id="c" * 36, result="planned")
    assert [one["result"] for one in script.all_of("/tenants/acme/operations")] == ["created", "failed"]
    assert [one["result"] for one in script.all_of("/tenants/acme/operations", run=2)] == ["planned"]
    [failed] = script.all_of("/tenants/acme/operations", result="failed")
    assert (failed["run"], failed["code"], failed["error"]) == (1, "rejected", "No.")
    assert len(script.all_of("/tenants/acme/operations", entra_id="B" * 36)) == 1
    assert script.get("/tenants/acme/operations", {"run": 9}).status_code == 404


def test_what_was_sent_to_aws_is_not_in_an_operation(tenant: Tenant, script: Script) -> None:
    run = new_run(tenant, 1, state="completed")
    one = operation(tenant, run, result="created")
    Operation.objects.filter(pk=one.pk).update(request={"body": "sent-canary"}, answer={"body": "answered-canary"})
    assert "canary" not in script.get("/tenants/acme/operations").content.decode()


def test_the_installation_says_whether_somebody_works(tenant: Tenant, script: Script) -> None:
    found: dict[str, Any] = script.read("/status")
    assert (found["version"], found["tenants"], found["overdue"]) == (settings.VERSION, 1, 0)
    assert (found["working"], found["missing"]) == (False, None), "nobody has ever worked here"


def test_what_a_page_of_rows_asks_does_not_grow_with_them(
    every_standing: Tenant, script: Script, django_assert_max_num_queries: Any
) -> None:
    for path in (
        "/tenants",
        "/tenants/acme/people",
        "/tenants/acme/groups",
        "/tenants/acme/runs",
        "/tenants/acme/holds",
    ):
        with django_assert_max_num_queries(20):
            script.read(path)
