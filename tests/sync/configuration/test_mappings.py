"""Writes of a configuration: what AWS takes decides what may be saved, and every write leaves its trace."""

from dataclasses import replace

import pytest

from sync.configuration import assignments, drafts, mappings, versions
from sync.configuration.current import configuration_of
from sync.configuration.editing import Refused
from sync.directory.live import Found
from sync.models import (
    AttributeMapping,
    AuditEntry,
    Configuration,
    Tenant,
)
from sync.rules import mapping_checks
from sync.rules.rows import MappingRow
from tests.world.database import empty_audit_log

FAX = 'phoneNumbers[type eq "fax"].value'
MOBILE = 'phoneNumbers[type eq "mobile"].value'
WORK = 'phoneNumbers[type eq "work"].value'
ACTOR = "jo@acme.example"


@pytest.fixture
def configuration(tenant: Tenant) -> Configuration:
    """As after a run: changed long ago by somebody else."""
    configuration = configuration_of(tenant)
    configuration.changed_by = "nobody@acme.example"
    configuration.save()
    empty_audit_log()
    return configuration


def row(tenant: Tenant, target: str, object_type: str = "user") -> AttributeMapping:
    return configuration_of(tenant).mappings.get(object_type=object_type, target=target)


def save(tenant: Tenant, rule: MappingRow, existing: AttributeMapping | None = None) -> AttributeMapping:
    return mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=existing)


def assert_changed(tenant: Tenant, before: Configuration, verb: str) -> None:
    after = configuration_of(tenant)
    assert after.changed_at > before.changed_at
    assert after.changed_by == ACTOR
    assert [entry.verb for entry in AuditEntry.objects.filter(tenant=tenant, actor=ACTOR)] == [verb]


def test_a_changed_row_is_saved_and_recorded_with_what_it_was(tenant: Tenant, configuration: Configuration) -> None:
    title = row(tenant, "title")
    save(tenant, replace(title.rule(), source="department"), title)
    assert row(tenant, "title").source == "department"
    assert_changed(tenant, configuration, "mapping.change")
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"source": "jobTitle"}, {"source": "department"})
    assert entry.object_name == "title"


def test_a_row_saved_unchanged_leaves_no_trace(tenant: Tenant, configuration: Configuration) -> None:
    fax = row(tenant, FAX)
    save(tenant, fax.rule(), fax)
    assert configuration_of(tenant).changed_by == "nobody@acme.example"
    assert not AuditEntry.objects.exists()


def test_a_new_row_comes_last(tenant: Tenant, configuration: Configuration) -> None:
    added = save(tenant, MappingRow("nickName", "direct", "mailNickname"))
    assert configuration.mappings.filter(object_type="user").last() == added
    assert not added.from_template
    assert_changed(tenant, configuration, "mapping.add")


def test_an_edited_second_phone_number_is_refused(tenant: Tenant, configuration: Configuration) -> None:
    """aws-scim §3.1: phoneNumbers takes one element; the template's own rows stay, an edit of one does not pass."""
    fax = row(tenant, FAX)
    with pytest.raises(Refused) as refused:
        save(tenant, replace(fax.rule(), source="mobile"), fax)
    assert [problem.code for problem in refused.value.problems] == ["one-list-value"]
    assert row(tenant, FAX).source == "facsimileTelephoneNumber"
    assert not AuditEntry.objects.exists()


def test_a_new_second_e_mail_is_refused(tenant: Tenant) -> None:
    with pytest.raises(Refused):
        save(tenant, MappingRow('emails[type eq "home"].value', "direct", "userPrincipalName"))


def test_two_rows_for_one_field_are_refused(tenant: Tenant) -> None:
    with pytest.raises(Refused):
        save(tenant, MappingRow("title", "direct", "department"))


def test_a_required_field_cannot_be_removed(tenant: Tenant) -> None:
    with pytest.raises(Refused):
        mappings.remove_mapping(actor=ACTOR, tenant=tenant, row=row(tenant, "name.familyName"))
    assert row(tenant, "name.familyName")


def test_a_removed_row_is_gone_and_recorded(tenant: Tenant, configuration: Configuration) -> None:
    mappings.remove_mapping(actor=ACTOR, tenant=tenant, row=row(tenant, FAX))
    assert not configuration.mappings.filter(target=FAX).exists()
    assert_changed(tenant, configuration, "mapping.remove")


def test_recommended_makes_the_three_edits_of_the_document(tenant: Tenant, configuration: Configuration) -> None:
    """AWS's own instructions: delete facsimileTelephoneNumber and mobile, externalId from objectId."""
    title = row(tenant, "title")
    save(tenant, replace(title.rule(), source="department"), title)
    empty_audit_log()
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    targets = set(configuration.mappings.filter(object_type="user").values_list("target", flat=True))
    assert WORK in targets
    assert not targets & {FAX, MOBILE}
    assert row(tenant, "externalId").source == "objectId"
    assert row(tenant, "title").source == "department"
    assert_changed(tenant, configuration, "mapping.recommended")
    rules = [one.rule() for one in configuration.mappings.filter(object_type="user")]
    assert [mapping_checks.check_mapping(rule, [o for o in rules if o != rule]) for rule in rules] == [[]] * 20


def test_back_to_defaults_brings_the_template_of_that_kind_only(tenant: Tenant, configuration: Configuration) -> None:
    mappings.apply_recommended(actor="x@acme.example", tenant=tenant)
    group = row(tenant, "externalId", "group")
    mappings.remove_mapping(actor="x@acme.example", tenant=tenant, row=group)
    mappings.reset_mappings(actor=ACTOR, tenant=tenant, object_type="user")
    assert configuration.mappings.filter(object_type="user", from_template=True).count() == 22
    assert configuration.mappings.filter(object_type="group").count() == 2
    assert_changed(tenant, configuration, "mapping.reset")


ADMINS = Found("group", "aaaaaaaa-1111-4111-8111-111111111111", "AWS-Admins", "", "security")
DEVS = Found("group", "aaaaaaaa-2222-4111-8111-111111111111", "AWS-Devs", "", "dynamic")
MIRA = Found("user", "bbbbbbbb-1111-4111-8111-111111111111", "Mira Holt", "mira@acme.example", "person")


def test_assigning_twice_assigns_once(tenant: Tenant, configuration: Configuration) -> None:
    assert len(assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[ADMINS, MIRA])) == 2
    assert assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[ADMINS]) == []
    assert sorted(str(one) for one in configuration.assignments.all()) == ["AWS-Admins", "Mira Holt"]
    assert [entry.verb for entry in AuditEntry.objects.filter(tenant=tenant)] == ["assignment.add"] * 2
    assert configuration_of(tenant).changed_by == ACTOR


def test_unassigning_is_recorded(tenant: Tenant, configuration: Configuration) -> None:
    [assignment] = assignments.assign_objects(actor="x@acme.example", tenant=tenant, chosen=[ADMINS])
    assignments.unassign_object(actor=ACTOR, tenant=tenant, assignment=assignment)
    assert not configuration.assignments.exists()
    assert_changed(tenant, configuration, "assignment.remove")


def test_many_are_unassigned_at_once_each_with_its_entry(tenant: Tenant, configuration: Configuration) -> None:
    assignments.assign_objects(actor="x@acme.example", tenant=tenant, chosen=[ADMINS, DEVS, MIRA])
    keys = [("group", ADMINS.object_id), ("user", MIRA.object_id), ("user", "nobody")]
    gone = assignments.unassign_objects(actor=ACTOR, tenant=tenant, keys=keys)
    assert sorted(str(row) for row in gone) == ["AWS-Admins", "Mira Holt"]
    assert [str(row) for row in configuration_of(tenant).assignments.all()] == ["AWS-Devs"]
    entries = AuditEntry.objects.filter(actor=ACTOR)
    assert {(entry.verb, entry.object_name) for entry in entries} == {
        ("assignment.remove", "AWS-Admins"),
        ("assignment.remove", "Mira Holt"),
    }


def test_a_draft_keeps_since_when_a_group_is_assigned(tenant: Tenant) -> None:
    [row] = assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[ADMINS])
    versions.make_version(configuration_of(tenant), actor=ACTOR)
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[DEVS])
    copy = drafts.draft_or_current(tenant).assignments.get(object_id=ADMINS.object_id)
    assert (copy.created_at, copy.created_by) == (row.created_at, ACTOR)
    assert copy.pk != row.pk
