"""`scope`: who is in scope, by command."""

import io

import pytest
from django.core.management import CommandError, call_command

from sync.configuration import assignments
from sync.configuration.filters import save_filter
from sync.directory.live import Found
from sync.models import Assignment, Tenant

pytestmark = pytest.mark.django_db
ADMINS = "aaaaaaaa-1111-4111-8111-111111111111"


@pytest.fixture
def admins(tenant: Tenant) -> Assignment:
    chosen = [Found("group", ADMINS, "AWS-Admins", "", "security")]
    [row] = assignments.assign_objects(actor="jo@acme.example", tenant=tenant, chosen=chosen)
    return row


def scope(*words: str) -> str:
    out = io.StringIO()
    call_command("scope", "acme", *words, stdout=out)
    return out.getvalue()


def test_a_group_is_sent_or_only_brings_its_people(admins: Assignment) -> None:
    assert f"group {ADMINS} AWS-Admins people only" in scope("--no-send-group", ADMINS)
    admins.refresh_from_db()
    assert not admins.send_group
    assert "people only" not in scope("--send-group", ADMINS)
    admins.refresh_from_db()
    assert admins.send_group


def test_the_rules_stand_in_words_beside_the_assignments(tenant: Tenant) -> None:
    said = scope()
    assert "guests: like everybody else" in said
    assert "No filters. Everyone who is assigned is in scope." in said
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False}
    save_filter(actor="jo", tenant=tenant, object_type="user", title="Engineers", clauses=[clause])
    assert "A person passes if department is Engineering." in scope()


def test_nested_groups_are_included_or_not(admins: Assignment) -> None:
    assert f"group {ADMINS} AWS-Admins nested" in scope("--nested", ADMINS)
    assert "nested" not in scope("--not-nested", ADMINS)


def test_a_group_that_is_not_assigned_is_named(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="No group with the id nobody is assigned"):
        scope("--no-send-group", "nobody")


def test_a_mistake_in_one_option_changes_nothing(admins: Assignment) -> None:
    with pytest.raises(CommandError):
        scope("--all-people", "--nested", ADMINS, "--send-group", "nobody")
    admins.refresh_from_db()
    assert not admins.nested
    assert "people: assigned" in scope()
