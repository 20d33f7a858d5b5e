"""Readiness of a whole tenant, from the mirror alone: what is found, counted, proposed and printed."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from portal.celery import app
from sync.configuration.current import configuration_of
from sync.configuration.mappings import save_mapping
from sync.configuration.settings import set_settings
from sync.models import Assignment, DirectoryUser, Finding, Link, ReadinessCheck, Snapshot, Tenant
from sync.models.directory import DirectoryGroup
from sync.readiness.queries import failing, found_since
from sync.readiness.services import carry_out_check, check_now, request_check, request_nightly
from sync.rules.leavers import DISABLING
from sync.rules.rows import MappingRow
from sync.runs import lease
from sync.standings import queries as standings
from sync.standings.services import refresh_all

# SQLite takes no locks of rows.
pytestmark = [pytest.mark.django_db, pytest.mark.both]


def person(tenant: Tenant, name: str, **properties: Any) -> DirectoryUser:
    upn = f"{name.lower()}@acme.example"
    facts = {
        "id": name.ljust(36, "-"),
        "accountEnabled": True,
        "userPrincipalName": upn,
        "displayName": f"{name} Person",
        "givenName": name,
        "surname": "Person",
        "mail": upn,
        "mailNickname": name.lower(),
    } | properties
    return DirectoryUser.objects.create(
        tenant=tenant,
        object_id=facts["id"],
        display_name=facts["displayName"] or "",
        user_principal_name=facts["userPrincipalName"],
        properties=facts,
        in_scope=True,
        scope_reason="assigned",
    )


def group(tenant: Tenant, name: str, number: int = 1) -> None:
    object_id = f"{number}" * 36
    Assignment.objects.create(configuration=configuration_of(tenant), object_type="group", object_id=object_id)
    facts = {"properties": {"id": object_id, "displayName": name}, "in_scope": True, "scope_reason": "assigned"}
    DirectoryGroup.objects.create(tenant=tenant, object_id=object_id, display_name=name, **facts)


def found(tenant: Tenant) -> dict[str, int]:
    return {one.code: one.objects for one in failing(check_now(tenant))}


def map_active(tenant: Tenant, rule: MappingRow) -> None:
    row = configuration_of(tenant).mappings.get(object_type="user", target="active")
    save_mapping(actor="jo", tenant=tenant, object_type="user", rule=rule, row=row)


def test_who_would_stay_active_after_leaving_is_told_by_way(tenant: Tenant) -> None:
    person(tenant, "Adele")
    person(tenant, "Bela", department="Sales")
    assert found(tenant) == {}
    map_active(tenant, MappingRow("active", "direct", "accountEnabled"))
    [one] = failing(check_now(tenant))
    assert (one.code, one.outcome, one.objects) == ("stays-active", "keeps-access", 2)
    assert {(who.attribute, who.value) for who in one.affected} == {("active", "out of scope")}
    assert [cause.row.target for cause in one.causes] == ["active"]
    source = 'IIF([department]="Sales", "True", Not([IsSoftDeleted]))'
    map_active(tenant, MappingRow("active", "expression", source))
    check = check_now(tenant)
    [one] = failing(check)
    assert [(who.name, who.value) for who in one.affected] == [
        ("Bela Person", "blocked in Entra, out of scope, deleted in Entra")
    ]
    assert (check.people, check.people_ready) == (2, 2)


def test_a_leaver_whom_aws_holds_active_is_told_and_counts_as_nobody_to_come(tenant: Tenant) -> None:
    gone = person(tenant, "Adele")
    DirectoryUser.objects.filter(pk=gone.pk).update(in_scope=False, deleted="soft")
    facts = {"tenant": tenant, "object_type": "user", "object_id": gone.object_id}
    Link.objects.create(**facts, scim_id="aws-1", written={"userName": "adele", "active": True})
    assert found(tenant) == {}
    map_active(tenant, MappingRow("active", "constant", "True"))
    check = check_now(tenant)
    [one] = failing(check)
    assert (one.code, [who.value for who in one.affected]) == ("stays-active", ["deleted in Entra"])
    assert (check.people, check.people_ready) == (0, 0)
    set_settings(actor="jo", tenant=tenant, user_actions=["create", "update"])
    map_active(tenant, DISABLING)
    assert found(tenant) == {"disable-off": 1}


def test_everybody_is_ready_when_nothing_is_wrong(tenant: Tenant) -> None:
    person(tenant, "Adele")
    group(tenant, "AWS-Admins")
    check = check_now(tenant)
    assert (check.people, check.people_ready, check.groups, check.groups_ready) == (1, 1, 1, 1)
    assert failing(check) == []


def test_people_outside_scope_are_not_looked_at(tenant: Tenant) -> None:
    person(tenant, "Adele", surname=None)
    DirectoryUser.objects.update(in_scope=False)
    assert found(tenant) == {}


def test_a_missing_name_is_named_with_its_people_its_mapping_and_what_helps(tenant: Tenant) -> None:
    person(tenant, "Adele", surname=None)
    person(tenant, "Bo")
    check = check_now(tenant)
    assert (check.people, check.people_ready) == (2, 1)
    [one] = failing(check)
    assert (one.code, one.objects, one.alone, one.certain) == ("missing-family-name", 1, 1, True)
    assert [(who.name, who.detail, who.attribute) for who in one.affected] == [
        ("Adele Person", "adele@acme.example", "name.familyName")
    ]
    assert [(cause.row.target, cause.proposal) for cause in one.causes] == [
        ("name.familyName", 'Coalesce([surname], "-")')
    ]


def test_whoever_has_no_value_for_an_expression_is_not_ready_before_any_run(tenant: Tenant) -> None:
    person(tenant, "Adele", employeeId="none")
    row = configuration_of(tenant).mappings.get(object_type="user", target="title")
    rule = MappingRow("title", "expression", 'FormatDateTime([employeeId], , "yyyy-MM-dd", "dd")')
    save_mapping(actor="jo", tenant=tenant, object_type="user", rule=rule, row=row)
    assert found(tenant) == {"expression-error": 1}
    assert [(row.word, row.code, row.attribute) for row in standings.standings(tenant)] == [
        ("not_ready", "expression-error", "title")
    ]


def test_whoever_passed_since_the_check_is_no_longer_listed_and_whoever_came_since_is_counted(tenant: Tenant) -> None:
    mended, late = person(tenant, "Adele", surname=None), person(tenant, "Bo")
    check = check_now(tenant)
    assert (found_since(check), [one.code for one in failing(check)]) == (0, ["missing-family-name"])
    Link.objects.filter(object_id=mended.object_id).update(ready_code="")
    Link.objects.filter(object_id=late.object_id).update(refused_code="too-long", refused_attribute="title")
    refresh_all(tenant)
    assert failing(check) == []
    assert found_since(check) == 1
    assert standings.ready(tenant) == (1, 2)


def test_values_are_shown_with_what_cannot_be_seen(tenant: Tenant) -> None:
    person(tenant, "Adele", displayName="Zero\u200bWidth")
    [one] = failing(check_now(tenant))
    assert one.code == "bad-characters"
    assert one.affected[0].value == "Zero[U+200B]Width"


def test_two_people_for_one_value_are_both_named_whatever_the_letter_case(tenant: Tenant) -> None:
    person(tenant, "Adele", userPrincipalName="same@acme.example", mail="one@acme.example")
    person(tenant, "Bo", userPrincipalName="SAME@acme.example", mail="two@acme.example")
    person(tenant, "Cy")
    check = check_now(tenant)
    same = [one for one in failing(check) if one.code == "same-value"]
    assert {(who.object_id[:2], who.attribute) for one in same for who in one.affected} >= {
        ("Ad", "userName"),
        ("Bo", "userName"),
    }
    assert {one.outcome for one in same} == {"conflicts"}
    assert check.people_ready == 3, "who conflicts is not counted among who is not ready"


def test_two_groups_of_one_name_are_both_named(tenant: Tenant) -> None:
    group(tenant, "Admins", 1)
    group(tenant, "admins", 2)
    check = check_now(tenant)
    assert (check.groups, check.groups_ready) == (2, 2)
    assert [who.name for one in failing(check) for who in one.affected] == ["Admins", "admins"]


def test_a_manager_outside_scope_is_told_and_keeps_nobody_from_being_ready(tenant: Tenant) -> None:
    boss = person(tenant, "Boss")
    DirectoryUser.objects.update(in_scope=False)
    report = person(tenant, "Report")
    DirectoryUser.objects.filter(pk=report.pk).update(manager_id=boss.object_id)
    check = check_now(tenant)
    [one] = failing(check)
    assert (one.code, one.outcome, one.affected[0].value) == ("manager-outside-scope", "left-out", "Boss Person")
    assert check.people_ready == 1


def test_the_sign_in_name_is_compared_with_the_chosen_attribute(tenant: Tenant) -> None:
    person(tenant, "Adele", mail="other@acme.example")
    assert found(tenant) == {}
    Tenant.objects.update(name_id="mail")
    tenant.refresh_from_db()
    assert found(tenant) == {"name-id-differs": 1}


def test_an_attribute_that_was_not_read_is_said_and_judged_nobody_by(tenant: Tenant) -> None:
    person(tenant, "Adele", mail=None)
    Tenant.objects.update(name_id="mail", tracked_select=["id", "userPrincipalName"])
    tenant.refresh_from_db()
    check = check_now(tenant)
    assert check.unread == ["mail"]
    assert "name-id-empty" not in {one.code for one in failing(check)}


def test_the_verdict_and_the_unique_values_stand_on_the_links(tenant: Tenant) -> None:
    person(tenant, "Adele", surname=None)
    check_now(tenant)
    link = Link.objects.get()
    assert (link.ready_code, link.wanted_name) == ("missing-family-name", "adele@acme.example")
    assert link.ready_at is not None


def test_links_are_left_alone_while_a_run_is_in_progress(tenant: Tenant) -> None:
    person(tenant, "Adele", surname=None)
    assert lease.claim(tenant.pk) is not None
    assert found(tenant) == {"missing-family-name": 1}
    assert not Link.objects.exists()


def test_a_new_check_replaces_what_the_old_one_found(tenant: Tenant) -> None:
    row = person(tenant, "Adele", surname=None)
    check_now(tenant)
    row.properties["surname"] = "Vance"
    row.save()
    assert found(tenant) == {}
    assert not Finding.objects.exists()
    assert [check.people_ready for check in ReadinessCheck.objects.order_by("pk")] == [0, 1]


@pytest.mark.usefixtures("transactional_db")
def test_pressing_twice_makes_one_check(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: sent.append(key))
    first = request_check(tenant=tenant, actor="jo@acme.example")
    assert request_check(tenant=tenant, actor="jo@acme.example") == first
    assert sent == [first.pk]
    assert carry_out_check(first.pk).state == "done"


def test_the_command_ends_with_3_while_somebody_is_not_ready(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    row = person(tenant, "Adele", surname=None)
    with pytest.raises(SystemExit) as ended:
        call_command("readiness", "acme", "--json")
    assert ended.value.code == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["people"], report["people_ready"]) == (1, 0)
    assert report["checks"][0]["affected"][0]["user_principal_name"] == "adele@acme.example"
    row.properties["surname"] = "Vance"
    row.save()
    call_command("readiness", "acme")
    assert "1 of 1 people ready" in capsys.readouterr().out


def test_the_number_of_queries_does_not_grow_with_the_people(
    tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    for n in range(300):
        person(tenant, f"P{n}", surname=None)
    with django_assert_max_num_queries(70):
        failing(check_now(tenant))


def test_every_night_whatever_was_read_is_checked(tenant: Tenant) -> None:
    request_nightly()
    assert not ReadinessCheck.objects.exists(), "nothing was read yet"
    Snapshot.objects.create(tenant=tenant, full=True, sealed_at=timezone.now())
    request_nightly()
    request_nightly()
    assert [(one.tenant, one.requested_by) for one in ReadinessCheck.objects.all()] == [(tenant, "nightly check")]
    assert "sync.tasks.check_readiness_nightly" in {one["task"] for one in app.conf.beat_schedule.values()}
