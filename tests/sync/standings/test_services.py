"""Which word follows from which facts; the first that is true wins."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from sync.models import DirectoryUser, HeldChange, Link, Standing, Tenant, Word
from sync.models.standing import FAMILIES
from sync.standings import queries, services
from tests.world.mirrored import (
    found,
    held,
    linked,
    member_of,
    mirrored_group,
    mirrored_person,
    new_comparison,
    standing,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both]
NOW = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
REFUSED = {"refused_code": "missing-family-name", "refused_attribute": "name.familyName", "refused_since": NOW}
FAILED = {"failures": 1, "failure_code": "rejected", "failure_words": "No.", "failure_request_id": "r-1"}
CLASH = {"refused_code": "same-value", "refused_attribute": "emails", "holder_name": "ann@acme", "holder_id": "aws-1"}


def word_of(row: Any) -> tuple[str, str, str]:
    found = standing(row)
    return found.word, found.code, found.attribute


@pytest.mark.parametrize(
    ("scim_id", "facts", "expected"),
    [
        (None, {}, ("in_aws", "", "")),
        ("", {}, ("waiting", "create", "")),
        ("", {"pending": "link"}, ("waiting", "link", "")),
        (None, {"pending": "update"}, ("waiting", "update", "")),
        ("", {"refused_code": "create-off"}, ("waiting", "create-off", "")),
        ("", REFUSED, ("not_ready", "missing-family-name", "name.familyName")),
        (None, REFUSED, ("not_ready", "missing-family-name", "name.familyName")),
        ("", {"ready_code": "too-long", "ready_attribute": "title"}, ("not_ready", "too-long", "title")),
        ("", CLASH, ("conflict", "same-value", "emails")),
        ("", {**REFUSED, **CLASH, **FAILED}, ("conflict", "same-value", "emails")),
        (None, FAILED, ("failed", "rejected", "")),
        ("", {**FAILED, "failure_code": "already-exists"}, ("conflict", "already-exists", "")),
        ("", {"match_code": "not-found-link"}, ("gone", "not-found-link", "")),
        (None, {"refused_code": "ignored-by-rule"}, ("in_aws", "", "")),
    ],
)
def test_the_word_of_somebody_in_scope(
    tenant: Tenant, scim_id: str | None, facts: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    person = mirrored_person(tenant)
    linked(person, scim_id, **facts)
    assert word_of(person) == expected


@pytest.mark.parametrize(
    ("scim_id", "facts", "expected"),
    [
        ("", {}, ("not_in_scope", "not-assigned", "")),
        ("", {**REFUSED, **FAILED}, ("not_in_scope", "not-assigned", "")),
        ("", {"match_code": "not-found-link"}, ("not_in_scope", "not-assigned", "")),
        (None, {}, ("waiting", "disable", "")),
        (None, {"active": False, "disabled_at": NOW}, ("disabled", "not-assigned", "")),
        (None, {"active": False, "ready_code": "too-long"}, ("disabled", "not-assigned", "")),
        (None, {"refused_code": "disable-off"}, ("in_aws", "", "")),
        (
            None,
            {"refused_code": "stays-active", "refused_attribute": "active"},
            ("not_ready", "stays-active", "active"),
        ),
    ],
)
def test_the_word_of_somebody_outside_scope(
    tenant: Tenant, scim_id: str | None, facts: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    person = mirrored_person(tenant, in_scope=False)
    linked(person, scim_id, **facts)
    assert word_of(person) == expected


def test_whoever_nobody_has_judged_waits_and_whoever_is_deleted_is_out(tenant: Tenant) -> None:
    assert word_of(mirrored_person(tenant)) == ("waiting", "create", "")
    gone = mirrored_person(tenant, in_scope=False, reason="not-assigned", deleted="soft")
    assert word_of(gone) == ("not_in_scope", "deleted", "")


def test_whose_scope_nobody_decided_has_no_standing_yet(tenant: Tenant) -> None:
    DirectoryUser.objects.create(tenant=tenant, object_id="a" * 36)
    services.refresh_all(tenant)
    assert not Standing.objects.exists()


def test_a_change_that_waits_comes_before_everything_and_what_is_kept_is_a_note(tenant: Tenant) -> None:
    person = mirrored_person(tenant, in_scope=False)
    linked(person, **FAILED)
    change = held(person)
    assert word_of(person) == ("held", "held-people", "")
    HeldChange.objects.filter(pk=change.pk).update(decision="approved", expires_at=timezone.now() + NEXT_HOUR)
    assert word_of(person)[0] == "failed"
    HeldChange.objects.filter(pk=change.pk).update(expires_at=timezone.now() - NEXT_HOUR)
    assert word_of(person)[0] == "held"
    HeldChange.objects.filter(pk=change.pk).update(decision="kept")
    Link.objects.update(failures=0)
    found = standing(person)
    assert (found.word, found.warning_codes) == ("in_aws", ["kept"])
    HeldChange.objects.filter(pk=change.pk).update(closed_at=timezone.now())
    assert word_of(person) == ("waiting", "disable", "")


NEXT_HOUR = datetime.timedelta(hours=1)


def test_members_of_a_group_that_wait_are_the_groups_own_matter(tenant: Tenant) -> None:
    person, group = mirrored_person(tenant), mirrored_group(tenant)
    linked(person)
    linked(group)
    held(group, "remove_member", object_type="membership", member_id=person.object_id)
    assert (word_of(group)[0], word_of(person)[0]) == ("held", "in_aws")


def test_a_group_out_of_scope_is_disabled_once_it_is_empty(tenant: Tenant) -> None:
    person, group = mirrored_person(tenant), mirrored_group(tenant, in_scope=False)
    member = member_of(linked(group), linked(person))
    assert word_of(group) == ("waiting", "disable", "")
    member.delete()
    assert word_of(group) == ("disabled", "not-assigned", "")


# What a comparison found


@pytest.mark.parametrize(
    ("kind", "expected"), [("missing", ("gone", "not-found-link")), ("differs", ("differs", "differs"))]
)
def test_the_newest_comparison_counts_until_something_is_written(
    tenant: Tenant, kind: str, expected: tuple[str, str]
) -> None:
    person = mirrored_person(tenant)
    link = linked(person, written_at=NOW)
    found(new_comparison(tenant), kind, link)
    assert word_of(person)[:2] == expected
    Link.objects.update(written_at=timezone.now())
    assert word_of(person)[0] == "in_aws"
    Link.objects.update(written_at=NOW)
    new_comparison(tenant)
    assert word_of(person)[0] == "in_aws"


def test_what_the_next_run_is_told_to_mend_waits(tenant: Tenant) -> None:
    person = mirrored_person(tenant)
    link = linked(person, pending="update")
    found(new_comparison(tenant), "differs", link, repaired=True)
    assert word_of(person)[:2] == ("waiting", "update")


def test_other_members_are_a_difference_of_the_group(tenant: Tenant) -> None:
    group = mirrored_group(tenant)
    found(new_comparison(tenant), "member_extra", linked(group), object_type="membership", member_scim_id="x")
    assert word_of(group)[:2] == ("differs", "members-differ")


def test_what_only_aws_holds_has_a_standing_until_it_is_linked_or_left_alone(tenant: Tenant) -> None:
    run = new_comparison(tenant)
    facts = {"object_type": "user", "name": "root@acme.example"}
    row = found(run, "only_in_aws", scim_id="u-1", **facts)
    found(run, "only_in_aws", scim_id="u-2", facts={"left_alone": True}, **facts)
    services.refresh_all(tenant)
    only = Standing.objects.get()
    assert (only.word, only.code, only.scim_id, only.name) == ("only_in_aws", "not-in-entra", "u-1", row.name)
    since = only.since
    services.refresh_all(tenant)
    assert Standing.objects.get().since == since
    person = mirrored_person(tenant)
    linked(person, "u-1")
    assert standing(person).word == "in_aws"
    assert not Standing.objects.filter(object_id="").exists()


def test_what_is_ours_by_our_id_is_not_only_in_aws(tenant: Tenant) -> None:
    person = mirrored_person(tenant)
    linked(person, "")
    ours = {"proposed_id": person.object_id, "proposed_by": "externalId"}
    found(new_comparison(tenant), "only_in_aws", object_type="user", scim_id="u-1", **ours)
    services.refresh_all(tenant)
    assert [row.word for row in Standing.objects.all()] == ["waiting"]


# What stands beside the word


def test_a_conflict_names_who_holds_the_value_and_a_failure_quotes_aws(tenant: Tenant) -> None:
    clashing, refused = mirrored_person(tenant), mirrored_person(tenant)
    linked(clashing, "", **CLASH, refused_words="ann@acme (aws-1)")
    linked(refused, "", **FAILED, retry_at=NOW)
    first, second = standing(clashing), standing(refused)
    assert (first.holder, first.holder_id, first.answered) == ("ann@acme", "aws-1", False)
    assert (second.quoted, second.request_id, second.next_try, second.answered) == ("No.", "r-1", NOW, True)
    assert second.parameters == {"quoted": "No.", "request_id": "r-1", "holder": "", "holder_id": ""}


def test_a_note_makes_nobody_worse(tenant: Tenant) -> None:
    person = mirrored_person(tenant)
    linked(person, warnings="manager-not-in-aws name-id-differs")
    found = standing(person)
    assert (found.word, found.family) == ("in_aws", "good")
    assert found.warning_codes == ["manager-not-in-aws", "name-id-differs"]


def test_since_is_when_the_word_with_its_code_began(tenant: Tenant) -> None:
    person = mirrored_person(tenant)
    link = linked(person, "", **REFUSED)
    # Who stood so before there were standings has stood so for longer.
    assert standing(person).since == NOW
    Link.objects.update(refused_words="said otherwise", refused_since=timezone.now(), retry_at=timezone.now())
    assert standing(person).since == NOW
    Link.objects.filter(pk=link.pk).update(refused_code="too-long")
    later = standing(person).since
    assert later > NOW
    Link.objects.filter(pk=link.pk).update(refused_code="", scim_id="u-1")
    assert standing(person).since > later


def test_only_the_named_are_derived_anew(tenant: Tenant) -> None:
    first, second = mirrored_person(tenant, "Ada"), mirrored_person(tenant, "Bob")
    services.refresh_all(tenant)
    DirectoryUser.objects.update(display_name="Eve")
    services.refresh(tenant.pk, "user", [second.object_id])
    names = {row.object_id: row.name for row in Standing.objects.all()}
    assert names == {first.object_id: "Ada", second.object_id: "Eve"}
    [difference] = queries.differences(tenant)
    assert difference.facts()["fields"] == {"name": ["Ada", "Eve"]}


def test_nobody_of_another_tenant_is_touched(tenant: Tenant, other_tenant: Tenant) -> None:
    mine, theirs = mirrored_person(tenant), mirrored_person(other_tenant)
    linked(theirs)
    assert standing(mine).word == "waiting"
    assert not Standing.objects.filter(tenant=other_tenant).exists()
    assert queries.differences(tenant) == []
    assert len(queries.differences(other_tenant)) == 1


def test_every_word_belongs_to_a_family() -> None:
    assert set(FAMILIES) == set(Word)


def test_the_daily_check_logs_what_differs_and_stores_what_the_facts_say(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    person = mirrored_person(tenant)
    services.refresh_all(tenant)
    Standing.objects.update(word="failed")
    services.check_daily(tenant.pk)
    assert Standing.objects.get().word == "failed", "checked less than a day ago"
    Tenant.objects.update(standings_checked_at=NOW - datetime.timedelta(days=400))
    services.check_daily(tenant.pk)
    assert "standing differs" in caplog.text
    assert person.object_id in caplog.text
    assert Standing.objects.get().word == "waiting"


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return Tenant.objects.create(name="Other", slug="other")
