"""People and groups are found by how a name, an address or an id begins, whichever tenant they are of."""

import pytest
from django.db import connection
from django.utils import timezone

from sync.db.beginnings import begins, lowered
from sync.models import DirectoryUser, Link, Standing, Tenant
from sync.people.queries import search_everybody
from sync.standings.services import refresh_all
from tests.world.mirrored import found, linked, mirrored_group, mirrored_person, new_comparison

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    adele = mirrored_person(
        tenant, "Adele Vance", user_principal_name="A.Vance@contoso.example", properties={"surname": "Vance"}
    )
    linked(adele, "906772b0c2-11111111-2222", wanted_email="av@mail.example")
    mirrored_person(tenant, "Übel Örsted", user_principal_name="uebel@contoso.example")
    mirrored_person(tenant, "100%_Real", user_principal_name="real@contoso.example")
    mirrored_group(tenant, "AWS-Developers")
    found(new_comparison(tenant), "only_in_aws", object_type="user", scim_id="77777777-9999", name="Root Account")
    refresh_all(tenant)
    return tenant


def names(tenant: Tenant, text: str) -> list[str]:
    hits = search_everybody([tenant], text, 10)
    return [row.name for row in (*hits.people, *hits.groups)]


@pytest.mark.parametrize(
    "text",
    ["ad", "ADELE  v", "a.vance", "A.VANCE@", "vanc", "Av@mail", "906772b0c2-1", "906772B0C2-11111111-2222"],
)
def test_somebody_is_found_by_the_beginning_of_anything_that_names_them(company: Tenant, text: str) -> None:
    assert names(company, text) == ["Adele Vance"]


def test_somebody_is_found_by_the_id_of_entra(company: Tenant) -> None:
    object_id = Standing.objects.get(name="Adele Vance").object_id
    assert names(company, object_id) == ["Adele Vance"]
    assert "Adele Vance" in names(company, object_id[:8])


@pytest.mark.parametrize(("text", "name"), [("aws-dev", "AWS-Developers"), ("root", "Root Account"), ("7777", "Root Account")])  # fmt: skip
def test_groups_and_what_only_aws_holds_are_found_too(company: Tenant, text: str, name: str) -> None:
    assert names(company, text) == [name]


def test_letters_beyond_ascii_and_signs_of_patterns_are_letters(company: Tenant) -> None:
    assert names(company, "Übel") == ["Übel Örsted"]
    assert names(company, "100%_r") == ["100%_Real"]
    assert names(company, "1%") == []


def test_what_begins_nothing_is_looked_for_within_names(company: Tenant) -> None:
    assert names(company, "dele V") == ["Adele Vance"]
    assert names(company, "nobody at all") == []


def test_one_letter_begins_too_much(company: Tenant) -> None:
    assert names(company, " a ") == []


def test_the_list_of_one_tenant_is_not_that_of_another(company: Tenant) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    mirrored_person(other, "Adele Other")
    refresh_all(other)
    assert names(other, "adele") == ["Adele Other"]
    both = search_everybody([company, other], "adele", 10).people
    assert [(row.name, row.tenant.slug) for row in both] == [("Adele Other", "other"), ("Adele Vance", "acme")]


def many(tenant: Tenant) -> None:
    """So many that an index is worth its while; PostgreSQL is told so."""
    ids = [f"{n:08}-1111-4111-8111-111111111111" for n in range(3_000)]
    DirectoryUser.objects.bulk_create(
        DirectoryUser(tenant=tenant, object_id=key, user_principal_name=f"{key}@x.example", properties={"surname": key})
        for key in ids
    )
    Link.objects.bulk_create(
        Link(tenant=tenant, object_type="user", object_id=key, wanted_email=f"{key}@x.example") for key in ids
    )
    Standing.objects.bulk_create(
        Standing(tenant=tenant, kind="user", object_id=key, name=key, word="waiting", since=timezone.now())
        for key in ids
    )
    with connection.cursor() as cursor:
        for model in (DirectoryUser, Link, Standing):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


@pytest.mark.parametrize(
    ("model", "field", "index"),
    [
        (Standing, "search_name", "standing_by_beginning"),
        (DirectoryUser, "search_login", "user_search_login"),
        (DirectoryUser, "search_surname", "user_search_surname"),
        (Link, "wanted_email", "link_email_beginning"),
    ],
)
def test_beginnings_are_looked_up_in_an_index(
    company: Tenant, model: type[Standing | DirectoryUser | Link], field: str, index: str
) -> None:
    if connection.vendor == "postgresql":
        # Of a few rows it would read all.
        many(company)
    kind = {"kind": "user"} if model is Standing else {"object_type": "user"} if model is Link else {}
    rows = model._default_manager.filter(begins(field, lowered("Van")), tenant__in=[company.pk], **kind)
    plan = rows.explain()
    same = "link_wanted_email" if connection.vendor == "sqlite" else index
    assert index in plan or same in plan, plan
