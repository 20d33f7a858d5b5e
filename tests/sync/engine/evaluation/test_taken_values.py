"""What SelectUniqueValue passes over: compared as AWS compares it."""

import pytest

from sync.engine.evaluation.taken_values import TakenValues
from sync.models import Link, Tenant

pytestmark = pytest.mark.both


@pytest.mark.parametrize(
    ("target", "column", "value", "taken"),
    [
        ("userName", "name", "ADELE@acme.example", True),
        ('emails[type eq "work"].value', "email", "Adele@acme.example", True),
        ("externalId", "external", "Adele@acme.example", False),
        ("externalId", "external", "adele@acme.example", True),
        ("title", "name", "adele@acme.example", False),
    ],
)
def test_names_ignore_case_and_an_external_id_does_not(
    tenant: Tenant, target: str, column: str, value: str, taken: bool
) -> None:
    Link.objects.create(
        tenant=tenant, object_type="user", object_id="other", scim_id="s1", **{f"held_{column}": "adele@acme.example"}
    )
    assert TakenValues(tenant, "user").by_others("me", lambda _held: False)(target, value) is taken


def test_a_value_in_capitals_is_found_by_an_external_id(tenant: Tenant) -> None:
    Link.objects.create(tenant=tenant, object_type="user", object_id="other", scim_id="s1", held_external="A1")
    asked = TakenValues(tenant, "user").by_others("me", lambda _held: False)
    assert asked("externalId", "A1")
    assert not asked("externalId", "a1")
