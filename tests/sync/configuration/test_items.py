"""What differs between two configurations, and what a digest tells apart."""

import pytest

from sync.configuration import assignments, drafts, items, mappings, versions
from sync.configuration.filters import save_filter
from sync.configuration.settings import set_settings
from sync.directory.live import Found
from sync.models import Tenant
from sync.rules.rows import MappingRow

ACTOR = "jo@acme.example"
GROUP = Found("group", "2e1f8a60-0000-4000-8000-000000000001", "AWS-Admins", "", "security")


@pytest.fixture
def published(tenant: Tenant) -> Tenant:
    versions.make_version(tenant.configurations.current(), actor=ACTOR)
    return tenant


def test_a_fresh_copy_differs_in_nothing(published: Tenant) -> None:
    drafts.locked_draft(published, ACTOR)
    current, draft = published.configurations.current(), published.configurations.draft()
    assert draft is not None
    assert items.digest(current) == items.digest(draft)
    assert drafts.changes(published) == []


def test_each_kind_of_edit_is_one_difference_under_its_own_key(published: Tenant) -> None:
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[GROUP])
    set_settings(actor=ACTOR, tenant=published, leave_out_guests=True)
    clauses = [{"attribute": "department", "operator": "EQUALS", "value": "Sales", "ignore_case": False}]
    row = save_filter(actor=ACTOR, tenant=published, object_type="user", title="Sales", clauses=clauses)
    rule = MappingRow("title", "direct", "department")
    title = drafts.draft_or_current(published).mappings.get(object_type="user", target="title")
    mappings.save_mapping(actor=ACTOR, tenant=published, object_type="user", rule=rule, row=title)
    found = {one.key: one for one in drafts.changes(published)}
    assert list(found) == [
        "mapping:user:title",
        f"filter:{row.uid}",
        f"assignment:group:{GROUP.object_id}",
        "setting:leave_out_guests",
    ]
    assert "source" in found["mapping:user:title"].fields
    assert found[f"filter:{row.uid}"].before is None


def test_what_an_enterprise_application_brought_is_not_among_them(published: Tenant) -> None:
    drafts.locked_draft(published, ACTOR)
    before = items.digest(published.configurations.current())
    published.configurations.current().assignments.create(object_type="user", object_id="p1", mirrored=True)
    assert items.digest(published.configurations.current()) == before


def test_only_scope_and_matching_move_the_scope_digest(published: Tenant) -> None:
    draft = drafts.locked_draft(published, ACTOR)
    before = items.scope_digest(draft)
    draft.mappings.filter(target="title").update(source="department")
    draft.user_actions = ["create"]
    assert items.scope_digest(draft) == before
    draft.mappings.filter(object_type="user", target="userName").update(source="mail")
    assert items.scope_digest(draft) != before
