"""Every page and every role: who may read, who may act."""

from collections.abc import Callable

import pytest
from django.test import Client

from portal.access.rights import rights_of
from portal.access.roles import RIGHTS, Right
from portal.models import Role, User
from sync.models import DirectoryGroup, Run, Tenant
from tests.world.drafted import preview_of, with_draft, with_versions
from tests.world.people import person

READ = [
    "",
    "setup/",
    "connection/",
    "mappings/people/",
    "mappings/groups/",
    "mappings/expressions/",
    "mappings/fields/",
    "scope/",
    "scope/?object=group",
    "scope/?counts=1",
    "scope/people/",
    "configuration/export/",
    "configuration/export/?download=lockstep",
    "assignments/",
    "assignments/application/name/",
    "groups/00000000-1111-4111-8111-111111111111/",
    "groups/00000000-1111-4111-8111-111111111111/now/",
    "draft/",
    "draft/impact/90/",
    "draft/impact/90/export/",
    "versions/",
    "versions/1/",
    "provisioning/",
    "runs/",
    "logs/",
]
# Address, form, and the right that it needs.
ACTS = [
    ("connection/tests/", {"half": "aws"}, Right.CONFIGURE),
    ("connection/aws/", {}, Right.CONFIGURE),
    ("mappings/recommended/", {}, Right.CONFIGURE),
    ("mappings/people/reset/", {}, Right.CONFIGURE),
    ("mappings/people/undo/title/", {}, Right.CONFIGURE),
    ("mappings/people/move/userName/", {}, Right.CONFIGURE),
    ("mappings/people/actions/", {}, Right.CONFIGURE),
    ("mappings/people/actions/undo/", {}, Right.CONFIGURE),
    ("scope/filters/new/", {}, Right.CONFIGURE),
    ("scope/counts/", {}, Right.CONFIGURE),
    ("scope/settings/", {}, Right.CONFIGURE),
    ("configuration/import/", {"step": "file", "text": "{}"}, Right.CONFIGURE),
    ("configuration/import/", {"step": "entra"}, Right.CONFIGURE),
    ("configuration/import/", {"step": "take"}, Right.CONFIGURE),
    ("assignments/assign/", {}, Right.CONFIGURE),
    ("assignments/paste/", {}, Right.CONFIGURE),
    ("assignments/undo/", {}, Right.CONFIGURE),
    ("assignments/unassign/", {}, Right.CONFIGURE),
    ("assignments/group/00000000-1111-4111-8111-111111111111/unassign/", {}, Right.CONFIGURE),
    ("assignments/group/00000000-1111-4111-8111-111111111111/change/", {}, Right.CONFIGURE),
    ("assignments/application/", {}, Right.CONFIGURE),
    ("assignments/application/stop/", {}, Right.CONFIGURE),
    ("draft/undo/", {}, Right.CONFIGURE),
    ("draft/discard/", {}, Right.CONFIGURE),
    ("draft/preview/", {}, Right.CONFIGURE),
    ("draft/impact/90/keep/", {}, Right.CONFIGURE),
    ("draft/impact/90/publish/", {}, Right.CONFIGURE),
    ("versions/1/restore/", {}, Right.CONFIGURE),
    ("provisioning/", {"interval": 15}, Right.OPERATE),
    ("provisioning/turn-on/", {}, Right.OPERATE),
    ("provisioning/turn-off/", {}, Right.OPERATE),
    ("provisioning/sync-now/", {}, Right.OPERATE),
    ("runs/1/cancel/", {}, Right.OPERATE),
]


@pytest.fixture(autouse=True)
def drafted(tenant: Tenant) -> Run:
    with_versions(tenant)
    return preview_of(tenant, with_draft(tenant))


@pytest.fixture
def run(tenant: Tenant) -> Run:
    return Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="completed")


@pytest.fixture
def group(tenant: Tenant) -> DirectoryGroup:
    return DirectoryGroup.objects.create(tenant=tenant, object_id="00000000-1111-4111-8111-111111111111")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("path", READ)
def test_every_role_reads_every_page(
    tenant: Tenant, group: DirectoryGroup, client_of: Callable[[User], Client], role: Role, path: str
) -> None:
    user = person("ann@acme.example", role, None if role is Role.OWNER else tenant)
    answer = client_of(user).get(f"/t/acme/{path}", follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("path", "form", "right"), ACTS)
def test_acting_needs_the_right(
    tenant: Tenant,
    run: Run,
    client_of: Callable[[User], Client],
    role: Role,
    path: str,
    form: dict[str, str],
    right: Right,
) -> None:
    user = person("ann@acme.example", role, None if role is Role.OWNER else tenant)
    status = client_of(user).post(f"/t/acme/{path}", form).status_code
    assert (status == 403) == (right not in RIGHTS[role])


@pytest.mark.parametrize("path", [*READ, "runs/1/"])
def test_another_tenants_pages_do_not_exist_for_me(
    tenant: Tenant, run: Run, client_of: Callable[[User], Client], path: str
) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    stranger = person("eve@other.example", Role.CONFIGURATOR, other)
    assert client_of(stranger).get(f"/t/acme/{path}").status_code == 404


def test_only_an_owner_makes_tenants(tenant: Tenant, viewer: User, client_of: Callable[[User], Client]) -> None:
    assert client_of(viewer).get("/t/new/").status_code == 403


def test_a_refusal_names_the_role_and_the_owners(
    tenant: Tenant, owner: User, viewer: User, client_of: Callable[[User], Client]
) -> None:
    page = client_of(viewer).get("/t/acme/provisioning/turn-on/").content.decode()
    assert "Operator role" in page
    assert str(owner) in page


def test_rights_add_up_and_the_approver_stands_beside(tenant: Tenant) -> None:
    approver = person("app@acme.example", Role.APPROVER, tenant)
    assert rights_of(approver, tenant) == {Right.READ, Right.APPROVE}
    assert (
        RIGHTS[Role.VIEWER]
        < RIGHTS[Role.HELPDESK]
        < RIGHTS[Role.OPERATOR]
        < RIGHTS[Role.CONFIGURATOR]
        < RIGHTS[Role.OWNER]
    )
