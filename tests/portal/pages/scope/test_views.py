"""The Scope page without a browser: forms, refusals, names behind numbers, and how much the database is asked."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.models import User
from sync.configuration import assignments, drafts, versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.editing import revision
from sync.configuration.filters import remove_filter, save_filter
from sync.directory.live import Found
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Tenant
from sync.rules.entra_attributes import ALWAYS_SELECTED

pytestmark = pytest.mark.both

ACTOR = "jo@acme.example"
URL = "/t/acme/scope/"
HTMX = {"HTTP_HX_REQUEST": "true"}
GROUP = "99999999-1111-4111-8111-111111111111"


def clause(attribute: str, operator: str, value: str = "") -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value, "ignore_case": False}


def read(tenant: Tenant, *attributes: str) -> None:
    """As after a round that selected these too."""
    select = [*ALWAYS_SELECTED["user"], *attributes, "|", *ALWAYS_SELECTED["group"], "|", "graph", "directory", "app"]
    Tenant.objects.filter(pk=tenant.pk).update(tracked_select=select)


def people(tenant: Tenant, count: int, **properties: Any) -> list[DirectoryUser]:
    start = DirectoryUser.objects.count()
    rows = [
        DirectoryUser(
            tenant=tenant,
            object_id=f"{start + n:08d}-0000-4000-8000-000000000000",
            display_name=f"Person {start + n}",
            properties={"displayName": f"Person {start + n}", "accountEnabled": True, "userType": "Member"}
            | properties,
        )
        for n in range(count)
    ]
    DirectoryUser.objects.bulk_create(rows, batch_size=1000)
    memberships = [DirectoryMembership(tenant=tenant, group_id=GROUP, member_id=row.object_id) for row in rows]
    DirectoryMembership.objects.bulk_create(memberships, batch_size=1000)
    return rows


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """One assigned group, twelve engineers and five sellers in it, and a published version."""
    DirectoryGroup.objects.create(
        tenant=tenant, object_id=GROUP, display_name="AWS-All", properties={"displayName": "AWS-All"}
    )
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=[Found("group", GROUP, "AWS-All", "", "security")])
    versions.make_version(draft_or_current(tenant), actor=ACTOR)
    read(tenant, "department")
    people(tenant, 12, department="Engineering")
    people(tenant, 5, department="Sales")
    return tenant


@pytest.fixture
def admin(owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


def form(key: str, title: str, *clauses: dict[str, Any], seen: str = "", do: str = "save") -> dict[str, Any]:
    data: dict[str, Any] = {"card": key, f"{key}-title": title, f"{key}-seen": seen, "do": do}
    for n, one in enumerate(clauses):
        data |= {f"{key}-{n}-{name}": value for name, value in one.items() if value is not False}
    return data


ENGINEERS = clause("department", "EQUALS", "Engineering")


def saved(tenant: Tenant, title: str = "Engineers", *clauses: dict[str, Any], object_type: str = "user") -> Any:
    return save_filter(
        actor=ACTOR, tenant=tenant, object_type=object_type, title=title, clauses=clauses or (ENGINEERS,)
    )


def test_a_filter_is_saved_in_the_draft_without_javascript(company: Tenant, admin: Client) -> None:
    answer = admin.post(f"{URL}filters/new/", form("new", "Engineers", ENGINEERS), follow=True)
    assert "Saved the filter “Engineers” in the draft." in answer.content.decode()
    [row] = draft_or_current(company).filters.all()
    assert (row.title, row.clauses) == ("Engineers", [ENGINEERS])
    assert company.configurations.current().filters.count() == 0


def test_every_problem_stands_at_its_field_and_nothing_is_lost(company: Tenant, admin: Client) -> None:
    wrong = form("new", "", clause("manager", "EQUALS", "x"), clause("department", "REGEX MATCH", "a(b"))
    answer = admin.post(f"{URL}filters/new/", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Enter a title." in page
    assert "“manager” points to other objects." in page
    assert "Character 2 of the pattern" in page
    assert 'value="a(b"' in page
    assert 'aria-describedby="id_new-1-value-error' in page
    assert draft_or_current(company).filters.count() == 0


def test_clauses_come_and_go_without_javascript_and_without_being_saved(company: Tenant, admin: Client) -> None:
    row = saved(company)
    seen = revision(row)
    page = admin.post(f"{URL}filters/{row.uid}/", form(row.uid, "Engineers", ENGINEERS, seen=seen, do="add")).content
    assert f'name="{row.uid}-1-attribute"' in page.decode()
    two = form(row.uid, "Engineers", ENGINEERS, clause("mail", "IS NULL"), seen=seen, do="drop:0")
    page = admin.post(f"{URL}filters/{row.uid}/", two).content
    assert 'value="mail"' in page.decode()
    assert f'name="{row.uid}-1-attribute"' not in page.decode()
    assert draft_or_current(company).filters.get().clauses == [ENGINEERS]


def test_a_filter_changed_meanwhile_is_a_conflict_and_saving_again_wins(company: Tenant, admin: Client) -> None:
    row = saved(company)
    mine = form(row.uid, "Mine", ENGINEERS, seen=revision(row))
    save_filter(actor="ravi", tenant=company, object_type="user", title="Theirs", clauses=[ENGINEERS], uid=row.uid)
    answer = admin.post(f"{URL}filters/{row.uid}/", mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "ravi changed this filter while you were editing" in page
    assert "Theirs" in page
    now = revision(draft_or_current(company).filters.get())
    assert f'value="{now}"' in page
    admin.post(f"{URL}filters/{row.uid}/", form(row.uid, "Mine", ENGINEERS, seen=now))
    assert draft_or_current(company).filters.get().title == "Mine"


@pytest.mark.parametrize("htmx", [{}, HTMX])
def test_a_filter_removed_meanwhile_can_be_saved_as_a_new_one(
    company: Tenant, admin: Client, htmx: dict[str, Any]
) -> None:
    row = saved(company)
    remove_filter(actor="ravi", tenant=company, uid=row.uid)
    answer = admin.post(f"{URL}filters/{row.uid}/", form(row.uid, "Mine", ENGINEERS, seen="x"), **htmx)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "removed this filter while you were editing" in page
    assert f'action="{URL}filters/new/"' in page
    assert 'value="Mine"' in page


def test_a_removed_filter_comes_back_and_a_changed_one_is_undone(company: Tenant, admin: Client) -> None:
    saved(company)
    versions.make_version(draft_or_current(company), actor=ACTOR)
    row = draft_or_current(company).filters.get()
    page = admin.post(f"{URL}filters/{row.uid}/", form(row.uid, "Engineers", ENGINEERS, do="remove"))
    assert "Removed the filter “Engineers”." in page.content.decode()
    assert not draft_or_current(company).filters.exists()
    edited = form(row.uid, "As it stood in the draft", ENGINEERS, do="restore")
    admin.post(f"{URL}filters/{row.uid}/", edited)
    back = draft_or_current(company).filters.get()
    assert (back.uid, back.title) == (row.uid, "As it stood in the draft")
    save_filter(actor=ACTOR, tenant=company, object_type="user", title="Other", clauses=[ENGINEERS], uid=row.uid)
    page = admin.get(URL)
    assert "In version 2: Engineers, department is Engineering." in page.content.decode()
    admin.post(f"{URL}filters/{row.uid}/", {"do": "undo"})
    assert drafts.changes(company) == []


def test_a_removed_filter_that_was_never_published_comes_back_as_a_new_one(company: Tenant, admin: Client) -> None:
    row = saved(company)
    entries = form(row.uid, "Engineers", ENGINEERS)
    stub = admin.post(f"{URL}filters/{row.uid}/", entries | {"do": "remove"}, **HTMX).content.decode()  # type: ignore[arg-type]
    assert f'name="{row.uid}-0-value" value="Engineering"' in stub
    card = admin.post(f"{URL}filters/{row.uid}/", entries | {"do": "restore"}, **HTMX).content.decode()  # type: ignore[arg-type]
    back = draft_or_current(company).filters.get()
    assert (back.title, back.clauses) == ("Engineers", [ENGINEERS])
    assert 'hx-swap-oob="beforeend:#filter-list"' in card
    assert f'id="filter-{back.uid}"' in card


def test_saving_one_card_leaves_the_others_alone(company: Tenant, admin: Client) -> None:
    row = saved(company)
    data = form(row.uid, "Engineers", ENGINEERS, clause("mail", "IS NULL"), seen=revision(row))
    answer = admin.post(f"{URL}filters/{row.uid}/", data, **HTMX)  # type: ignore[arg-type]
    card = answer.content.decode()
    assert answer["HX-Trigger-After-Settle"] == "recount"
    assert card.count("<section") == 1
    assert "Saved the filter “Engineers” in the draft." in card
    assert len(draft_or_current(company).filters.get().clauses) == 2


def test_the_two_switches_are_settings_of_the_draft(company: Tenant, admin: Client) -> None:
    admin.post(f"{URL}settings/", {"people": "all", "leave_out_guests": "on"})
    draft = company.configurations.draft()
    assert draft is not None
    assert (draft.everybody, draft.leave_out_guests) == (True, True)


def counts(admin: Client, data: dict[str, Any] | None = None, query: str = "") -> str:
    url = f"{URL}counts/{query}"
    answer = admin.post(url, data, **HTMX) if data is not None else admin.get(url, **HTMX)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_counts_of_the_saved_draft_lead_to_names(company: Tenant, admin: Client) -> None:
    row = saved(company)
    text = counts(admin)
    assert f'<a href="{URL}people/?of=pass"><strong>12</strong></a> of 17 assigned people pass' in text
    assert f'<a href="{URL}people/?of=outside">5 do not pass' in text
    assert "Compared with version 1:" in text
    assert f'href="{URL}people/?of=drop-out">5 drop out' in text
    assert "0 come in" in text
    page = admin.get(f"{URL}people/?of=drop-out").content.decode()
    assert page.count("<tr>") == 6
    assert "Person 12" in page
    page = admin.get(f"{URL}people/?of=clause&filter={row.uid}&clause=0").content.decode()
    assert page.count("<tr>") == 13
    assert "Engineers: department is Engineering" in page


def test_counts_follow_the_form_before_it_is_saved_and_lead_nowhere(company: Tenant, admin: Client) -> None:
    text = counts(admin, form("new", "", clause("department", "EQUALS", "Sales")))
    assert "<strong>5</strong> of 17 assigned people pass" in text
    assert "with what is not saved yet" in text
    assert "people/?of=drop-out" not in text
    assert '<option value="Engineering">Engineering, 12 people</option>' in text


def test_warnings_name_empty_values_and_filters_that_decide_nothing(company: Tenant, admin: Client) -> None:
    people(company, 3)
    saved(company)
    saved(company, "Nobody", clause("department", "EQUALS", "None"))
    saved(company, "All", clause("userPrincipalName", "IS NULL"))
    text = counts(admin)
    assert "department is empty for 3 who are assigned. Empty never passes." in text
    assert f'href="{URL}people/?of=empty&amp;attribute=department">See 3 people' in text
    assert "Nobody who is assigned passes this filter." in text
    assert "Everybody who is assigned passes this filter" in text
    assert admin.get(f"{URL}people/?of=empty&attribute=department").content.decode().count("<tr>") == 4


def test_nothing_is_said_about_attributes_that_no_run_has_read(company: Tenant, admin: Client) -> None:
    saved(company, "Acme", clause("companyName", "EQUALS", "Acme"))
    assert "Counts unknown: no run has read companyName from Entra yet." in counts(admin)


def test_nothing_is_said_before_the_directory_was_read(tenant: Tenant, admin: Client) -> None:
    assert "no run has read the directory yet" in counts(admin)


def test_a_person_is_tested_clause_by_clause(company: Tenant, admin: Client) -> None:
    saved(company)
    seller = DirectoryUser.objects.get(display_name="Person 12")
    page = " ".join(admin.get(f"{URL}?test={seller.object_id}").content.decode().split())
    assert "Not in scope by the draft" in page
    assert "Outside scope: Engineers" in page
    assert "In scope in version 1." in page
    assert "<code>Sales</code>" in page
    found = admin.get(f"{URL}?find=person 12", **HTMX).content.decode()  # type: ignore[arg-type]
    assert seller.object_id in found
    assert "<html" not in found


def test_groups_have_filters_of_their_own(company: Tenant, admin: Client) -> None:
    data = form("new", "AWS", clause("displayName", "REGEX MATCH", "^AWS-"))
    admin.post(f"{URL}filters/new/?object=group", data)
    row = draft_or_current(company).filters.get()
    assert row.object_type == "group"
    text = counts(admin, query="?object=group")
    assert "<strong>1</strong></a> of 1 assigned group passes" in text
    assert row.uid in admin.get(f"{URL}?object=group").content.decode()
    assert row.uid not in admin.get(URL).content.decode()


def test_a_viewer_reads_the_rules_and_cannot_change_them(
    company: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    row = saved(company)
    client = client_of(viewer)
    page = client.get(URL).content.decode()
    assert "Changing it needs the Configurator role." in page
    assert "Save filter</button>" not in page.replace('aria-hidden="true">Save filter</button>', "")
    assert f'name="{row.uid}-0-attribute"' not in page
    assert "<strong>12</strong></a> of 17" in counts(client)


def test_the_number_of_queries_does_not_grow_with_people_or_filters(company: Tenant, admin: Client) -> None:
    saved(company)
    few = queries(admin)
    people(company, 500, department="Sales")
    for n in range(5):
        saved(company, f"More {n}")
    assert queries(admin) == few


def queries(admin: Client) -> tuple[int, int]:
    with CaptureQueriesContext(
        connection,
    ) as page:
        admin.get(URL)
    with CaptureQueriesContext(connection) as counted:
        counts(admin)
    return len(page), len(counted)


def test_ten_thousand_people_are_counted_while_somebody_types(company: Tenant, admin: Client) -> None:
    filler = {f"property{n}": f"value {n}" for n in range(20)}
    people(company, 10_000, department="Sales", userPrincipalName="person@acme.example", **filler)
    saved(company)
    saved(company, "Pattern", clause("userPrincipalName", "REGEX MATCH", "@acme[.]example$"))
    counts(admin)
    start = time.perf_counter()
    text = counts(admin)
    seconds = time.perf_counter() - start
    assert "of 10017 assigned people pass" in text
    # A second on a quiet machine, and never a wait that somebody would give up.
    assert seconds < 5


def test_the_names_behind_a_number_are_paged_to_the_last(company: Tenant, admin: Client) -> None:
    people(company, 388)
    everybody = set(DirectoryUser.objects.values_list("object_id", flat=True))
    assert len(everybody) == 405
    seen: list[str] = []
    for number, rows in ((1, "1 to 200 of 405"), (2, "201 to 400 of 405"), (3, "401 to 405 of 405")):
        answer = admin.get(f"{URL}people/", {"of": "pass", "page": number})
        page = answer.content.decode()
        assert rows in page
        assert ('"?of=pass&amp;page=2"' in page) == (number != 2)
        seen += [one.object_id for one in answer.context["names"]]
    assert sorted(seen) == sorted(everybody)
    beyond = admin.get(f"{URL}people/", {"of": "pass", "page": 9})
    assert beyond.headers["Location"] == f"{URL}people/?of=pass&page=3"


def test_names_that_fit_on_a_page_have_no_others(company: Tenant, admin: Client) -> None:
    page = admin.get(f"{URL}people/", {"of": "pass"}).content.decode()
    assert "Person 16" in page
    assert "page=" not in page


def test_the_tab_counts_a_filter_that_was_saved_in_place(company: Tenant, admin: Client) -> None:
    saved(company)
    answer = admin.get(f"{URL}counts/", headers={"HX-Request": "true"}).content.decode()
    assert '<span hx-swap-oob="innerHTML:#tab-user">1</span>' in answer
