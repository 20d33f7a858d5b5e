"""Drafts and versions: one draft, published only with a fresh preview of exactly it, and undone by a restore."""

import datetime

import pytest
from django.utils import timezone

from sync.configuration import assignments, drafts, items, mappings, versions
from sync.configuration.editing import EditConflict, revision
from sync.configuration.settings import set_settings
from sync.configuration.versions import DraftInTheWay
from sync.directory.live import Found
from sync.models import Configuration, Run, Tenant
from sync.preview.services import NotPublished, publish_draft
from sync.rules.rows import MappingRow

pytestmark = pytest.mark.both

ACTOR = "jo@acme.example"
ADELE = Found("user", "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "Adele Vance", "adele@acme.example", "person")


@pytest.fixture
def published(tenant: Tenant) -> Tenant:
    versions.make_version(tenant.configurations.current(), actor=ACTOR)
    return tenant


def source_of(configuration: Configuration, target: str) -> str:
    return configuration.mappings.get(object_type="user", target=target).source


def edit_title(tenant: Tenant, source: str) -> None:
    row = drafts.draft_or_current(tenant).mappings.get(object_type="user", target="title")
    rule = MappingRow("title", "direct", source)
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def preview_of(tenant: Tenant, age: datetime.timedelta = datetime.timedelta()) -> Run:
    draft = tenant.configurations.draft()
    assert draft is not None
    number = tenant.runs.count() + 1
    return Run.objects.create(
        tenant=tenant,
        number=number,
        kind=Run.Kind.PREVIEW,
        trigger=Run.Trigger.PERSON,
        state=Run.State.COMPLETED,
        configuration=draft,
        configuration_digest=items.digest(draft),
        started_at=timezone.now() - age,
        finished_at=timezone.now() - age,
    )


def refused(tenant: Tenant, preview: Run | None) -> list[str]:
    with pytest.raises(NotPublished) as caught:
        publish_draft(tenant=tenant, actor=ACTOR, preview=preview)
    return list(caught.value.reasons)


def test_until_the_first_version_edits_count_at_once(tenant: Tenant) -> None:
    edit_title(tenant, "department")
    assert source_of(tenant.configurations.current(), "title") == "department"
    assert tenant.configurations.count() == 1
    assert drafts.changes(tenant) == []


def test_an_edit_after_publishing_leaves_the_version_as_it_is(published: Tenant) -> None:
    edit_title(published, "department")
    assert source_of(published.configurations.current(), "title") == "jobTitle"
    assert source_of(drafts.draft_or_current(published), "title") == "department"
    assert drafts.draft_or_current(published).edits["mapping:user:title"]["by"] == ACTOR


def test_only_a_fresh_preview_of_exactly_this_draft_publishes_it(published: Tenant) -> None:
    assert refused(published, None) == ["nothing-changed"]
    edit_title(published, "department")
    assert refused(published, None) == ["no-preview"]
    assert refused(published, preview_of(published, datetime.timedelta(minutes=61))) == ["stale"]
    preview = preview_of(published)
    edit_title(published, "companyName")
    assert refused(published, preview) == ["stale"]
    version = publish_draft(tenant=published, actor=ACTOR, preview=preview_of(published), comment="New titles")
    assert (version.number, version.comment, version.published_by) == (2, "New titles", ACTOR)
    assert version == published.configurations.current()
    assert source_of(version, "title") == "companyName"


def test_publishing_is_the_yes_that_the_engine_asks_for(published: Tenant) -> None:
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[ADELE])
    preview = preview_of(published)
    version = publish_draft(tenant=published, actor=ACTOR, preview=preview)
    assert version.confirmed
    assert version.confirmed_run == preview


def test_a_changed_scope_without_a_preview_waits_for_a_yes(published: Tenant) -> None:
    Configuration.objects.filter(tenant=published).update(confirmed_at=timezone.now())
    edit_title(published, "department")
    draft = published.configurations.draft()
    assert draft is not None
    assert versions.make_version(draft, actor=ACTOR).confirmed
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[ADELE])
    draft = published.configurations.draft()
    assert draft is not None
    assert not versions.make_version(draft, actor=ACTOR).confirmed


def test_one_change_is_undone_alone(published: Tenant) -> None:
    edit_title(published, "department")
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[ADELE])
    set_settings(actor=ACTOR, tenant=published, everybody=True)
    versions.undo_change(tenant=published, actor=ACTOR, key=f"assignment:user:{ADELE.object_id}")
    versions.undo_change(tenant=published, actor=ACTOR, key="setting:everybody")
    assert [one.key for one in drafts.changes(published)] == ["mapping:user:title"]
    versions.undo_change(tenant=published, actor=ACTOR, key="mapping:user:title")
    assert drafts.changes(published) == []


def test_a_discarded_draft_leaves_nothing(published: Tenant) -> None:
    edit_title(published, "department")
    versions.discard_draft(tenant=published, actor=ACTOR)
    assert published.configurations.draft() is None
    assert source_of(drafts.draft_or_current(published), "title") == "jobTitle"


def test_a_restored_version_is_a_draft_that_equals_it(published: Tenant) -> None:
    first = published.configurations.current()
    edit_title(published, "department")
    assignments.assign_objects(actor=ACTOR, tenant=published, chosen=[ADELE])
    publish_draft(tenant=published, actor=ACTOR, preview=preview_of(published))
    draft = versions.restore_version(tenant=published, actor=ACTOR, version=first)
    assert items.digest(draft) == items.digest(first)
    assert {one.key for one in drafts.changes(published)} == {
        "mapping:user:title",
        f"assignment:user:{ADELE.object_id}",
    }
    with pytest.raises(DraftInTheWay):
        versions.restore_version(tenant=published, actor=ACTOR, version=first)


def test_an_edit_over_somebody_elses_is_refused_with_how_it_stands(published: Tenant) -> None:
    row = drafts.draft_or_current(published).mappings.get(object_type="user", target="title")
    seen = revision(row)
    edit_title(published, "department")
    with pytest.raises(EditConflict) as caught:
        mappings.save_mapping(
            actor=ACTOR,
            tenant=published,
            object_type="user",
            rule=MappingRow("title", "direct", "companyName"),
            row=row,
            seen=seen,
        )
    assert caught.value.now is not None
    assert source_of(drafts.draft_or_current(published), "title") == "department"
