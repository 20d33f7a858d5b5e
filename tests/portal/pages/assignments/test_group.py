"""The page of one group: its tree, its people, where it is assigned, what Entra says now."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import User
from sync.configuration import assignments, drafts
from sync.directory import live
from sync.directory.live import Found
from sync.graph.errors import NotFound, Throttled
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Operation, Run, Snapshot, Tenant
from sync.standings.services import refresh_all
from tests.world.mirrored import mirrored_group
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
ACTOR = "jo@acme.example"


def oid(n: int) -> str:
    return f"{n:08d}-1111-4111-8111-111111111111"


ENGINEERING, DEVELOPERS, RELEASE = oid(1), oid(2), oid(3)


@pytest.fixture
def nested(tenant: Tenant) -> Tenant:
    """Engineering contains Developers, Developers contains Release, and Release contains Engineering again."""
    new_run(tenant)
    snapshot = Snapshot.objects.create(tenant=tenant, full=True, sealed_at=timezone.now())
    for object_id, name in ((ENGINEERING, "AWS-Engineering"), (DEVELOPERS, "AWS-Developers"), (RELEASE, "AWS-Release")):
        DirectoryGroup.objects.create(
            tenant=tenant, object_id=object_id, display_name=name, changed_snapshot=snapshot.pk
        )
    for outer, inner in ((ENGINEERING, DEVELOPERS), (DEVELOPERS, RELEASE), (RELEASE, ENGINEERING)):
        DirectoryMembership.objects.create(tenant=tenant, group_id=outer, member_id=inner, member_type="group")
    for n, group in ((10, ENGINEERING), (11, DEVELOPERS), (12, RELEASE)):
        join(tenant, n, group)
    chosen = [Found("group", ENGINEERING, "AWS-Engineering", "", "security")]
    [row] = assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    assignments.set_nested(actor=ACTOR, tenant=tenant, assignment=row, nested=True)
    return tenant


def join(tenant: Tenant, n: int, group: str) -> None:
    DirectoryUser.objects.create(
        tenant=tenant, object_id=oid(n), display_name=f"Person {n}", user_principal_name=f"p{n}@acme.example"
    )
    DirectoryMembership.objects.create(tenant=tenant, group_id=group, member_id=oid(n))


def text_of(client: Client, address: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


def test_the_tree_shows_depth_counts_and_the_loop(nested: Tenant, jo: Client) -> None:
    page = text_of(jo, f"/t/acme/groups/{ENGINEERING}/")
    assert "Level 0: AWS-Engineering 1 direct Level 1: AWS-Developers 1 direct Level 2: AWS-Release 1 direct" in page
    assert "Level 3: AWS-Engineering contained in itself" in page
    assert "These groups contain each other." in page
    assert "3 effective" in page


def test_people_come_with_the_group_that_lists_them_and_are_found_by_name(nested: Tenant, jo: Client) -> None:
    assert "Person 12 p12@acme.example Waiting for next run AWS-Release" in text_of(
        jo, f"/t/acme/groups/{ENGINEERING}/"
    )
    found = text_of(jo, f"/t/acme/groups/{ENGINEERING}/?q=p11")
    assert "Person 11" in found
    assert "Person 12" not in found


def test_people_are_paged_and_queries_do_not_grow(nested: Tenant, jo: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            jo.get(f"/t/acme/groups/{ENGINEERING}/")
        return len(captured)

    few = queries()
    for n in range(100, 200):
        join(nested, n, RELEASE)
    assert queries() <= few
    assert "1 to 50 of 103" in text_of(jo, f"/t/acme/groups/{ENGINEERING}/")
    assert "101 to 103 of 103" in text_of(jo, f"/t/acme/groups/{ENGINEERING}/?page=3")


def test_it_says_where_it_is_assigned_and_who_would_leave(nested: Tenant, jo: Client) -> None:
    page = jo.get(f"/t/acme/groups/{ENGINEERING}/")
    counted = f"/t/acme/groups/{ENGINEERING}/leaving/"
    assert f'hx-get="{counted}"' in page.content.decode()
    assert "3 people would leave AWS, 0 would stay." in text_of(jo, counted)
    assert jo.get(f"/t/acme/groups/{RELEASE}/leaving/").status_code == 404
    inner = text_of(jo, f"/t/acme/groups/{RELEASE}/")
    assert "It is not assigned itself." in inner
    assert "Inside of: AWS-Engineering" in inner


def test_direct_members_only_counts_them_alone(nested: Tenant, jo: Client) -> None:
    jo.post(f"/t/acme/assignments/group/{ENGINEERING}/change/", {"nested": "0", "back": ENGINEERING})
    page = text_of(jo, f"/t/acme/groups/{ENGINEERING}/")
    assert "Assigned with its direct members only: 1 effective" in page


def test_a_change_here_comes_back_here(nested: Tenant, jo: Client) -> None:
    address = f"/t/acme/groups/{ENGINEERING}/"
    change = f"/t/acme/assignments/group/{ENGINEERING}/change/"
    assert jo.post(change, {"send_group": "0", "back": ENGINEERING})["Location"] == address
    assert "Not sent: it only brings its people" in text_of(jo, address)
    assert jo.post(change, {"send_group": "1", "back": "//evil"})["Location"] == "/t/acme/assignments/"


def test_the_last_changes_are_told(nested: Tenant, jo: Client) -> None:
    run = Run.objects.create(tenant=nested, number=7, kind="full", trigger="person", state="completed")
    Operation.objects.create(
        run=run, tenant=nested, object_type="membership", object_id=ENGINEERING, action="add_member", result="added",
        finished_at=timezone.now(), changes={"members": [oid(10)]}, people=1,
    )  # fmt: skip
    assert "run 7" in text_of(jo, f"/t/acme/groups/{ENGINEERING}/")


def test_a_group_that_nobody_has_read_is_not_there(tenant: Tenant, jo: Client) -> None:
    assert jo.get(f"/t/acme/groups/{ENGINEERING}/").status_code == 404


def test_a_group_assigned_before_the_first_run_has_a_page(tenant: Tenant, jo: Client) -> None:
    chosen = [Found("group", ENGINEERING, "AWS-Engineering", "", "security")]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    assert "No run or preview has read the directory yet" in text_of(jo, f"/t/acme/groups/{ENGINEERING}/")


def test_a_group_inside_can_be_assigned_from_its_page(nested: Tenant, jo: Client) -> None:
    jo.post("/t/acme/assignments/assign/", {"chosen": f"group:{RELEASE}", "do": "assign"})
    assert drafts.draft_or_current(nested).assignments.filter(object_id=RELEASE, display_name="AWS-Release").exists()


def test_entra_tells_the_rule_of_a_dynamic_group(nested: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = '(user.department -eq "Engineering")'
    facts = {
        "id": ENGINEERING, "displayName": "AWS-Engineering", "groupTypes": ["DynamicMembership"],
        "membershipRule": rule, "membershipRuleProcessingState": "Paused",
    }  # fmt: skip
    monkeypatch.setattr(live, "group_now", lambda _tenant, _id: facts)
    page = jo.get(f"/t/acme/groups/{ENGINEERING}/now/", headers={"HX-Request": "true"}).content.decode()
    assert "Dynamic group" in page
    assert "(user.department -eq &quot;Engineering&quot;)" in page
    assert "Paused in Entra" in page
    assert "<html" not in page


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (NotFound("gone", status=404), "Entra does not have this group any more."),
        (Throttled("slow", retry_after=3), "Trying again in 3 s."),
    ],
)
def test_what_entra_cannot_tell_is_said(
    nested: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch, trouble: Exception, words: str
) -> None:
    class Graph:
        def group(self, *_: object) -> None:
            raise trouble

    monkeypatch.setattr(live, "client_of", lambda _tenant: Graph())
    assert words in jo.get(f"/t/acme/groups/{ENGINEERING}/now/").content.decode()


def test_a_group_in_scope_is_provisioned_from_its_page(
    tenant: Tenant, jo: Client, viewer: User, client_of: Callable[[User], Client]
) -> None:
    inside, outside = mirrored_group(tenant, "Inside"), mirrored_group(tenant, "Outside", in_scope=False)
    refresh_all(tenant)

    def offers(client: Client, object_id: str) -> bool:
        page = client.get(f"/t/acme/groups/{object_id}/").content.decode()
        return f'name="chosen" value="group:{object_id}"><button type="submit" class="btn btn-primary">' in page

    assert offers(jo, inside.object_id)
    assert not offers(jo, outside.object_id)
    assert not offers(client_of(viewer), inside.object_id)
