"""The mapping pages: what is refused in the row, two admins at once, undo, order, actions, and the expression preview."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal.access.roles import RIGHTS, Right
from portal.models import Role, User
from sync.configuration import drafts, mappings, versions
from sync.directory import live
from sync.models import AttributeMapping, Configuration, DirectoryUser, Tenant
from sync.rules import aws_fields, template
from sync.rules.rows import MappingRow, graph_select
from tests.world.people import person

PEOPLE = "/t/acme/mappings/people/"
HTMX = {"HX-Request": "true"}
TITLE = {"kind": "direct", "source": "department", "apply": "always"}
PHONE = 'phoneNumbers[type eq "home"].value'
ACTOR = "jo@acme.example"
ZELDA = "dddddddd-1111-4111-8111-111111111111"


@pytest.fixture
def cast(tenant: Tenant) -> dict[str, DirectoryUser]:
    """The mirror as a reading of every default attribute leaves it."""
    select = graph_select(template.DEFAULT_USER_MAPPINGS, "user")
    Tenant.objects.filter(pk=tenant.pk).update(tracked_select=[*select, "|", "|"])
    people = {
        "kavi": {"displayName": "Kavi", "givenName": "Kavi", "surname": None, "userPrincipalName": "kavi@acme.example"},
        "ng": {"displayName": "Ng Wei", "surname": "Ng", "userPrincipalName": "ng wei@acme.example", "businessPhones": ["1", "2"], "department": "A;B"},
        "sam": {"displayName": "Sam", "surname": "S", "userType": "Guest", "userPrincipalName": "sam_x.example#EXT#@acme.example"},
        "olena": {"displayName": "Олена Бойко", "surname": "Бойко", "userPrincipalName": "olena@acme.example"},
        "long": {"displayName": "Lo" * 100, "surname": "L", "userPrincipalName": "long@acme.example"},
    }  # fmt: skip
    return {
        key: DirectoryUser.objects.create(
            tenant=tenant, object_id=f"{n:08}-1111-4111-8111-111111111111", display_name=one["displayName"], properties=dict.fromkeys(select) | one
        )
        for n, (key, one) in enumerate(people.items())
    }  # fmt: skip


@pytest.fixture
def published(tenant: Tenant) -> Tenant:
    draft = tenant.configurations.draft()
    assert draft is not None
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    versions.make_version(tenant.configurations.current(), actor=ACTOR)
    return tenant


def row(tenant: Tenant, target: str) -> AttributeMapping | None:
    return drafts.draft_or_current(tenant).mappings.filter(object_type="user", target=target).first()


def url(target: str) -> str:
    return PEOPLE + target.replace('"', "%22").replace(" ", "%20") + "/"


# What is refused, in the row

NEVER_TRUE = 'IIF(IgnoreFlowIfNullOrEmpty([country]), [country], "Other")'


@pytest.mark.parametrize(
    ("target", "form", "words"),
    [
        ("userName", {"kind": "direct", "source": ""}, "There is no source"),
        ("userName", {"kind": "none", "default": "x"}, "needs a source"),
        ("title", {"kind": "direct", "source": "nobody"}, "Entra has no attribute “nobody”"),
        ("title", {"kind": "direct", "source": "businessPhones"}, "Item([businessPhones], 1)"),
        ("title", {"kind": "expression", "expression": "Join(\n[surname]"}, "Line 2, column 10:"),
        ("title", {"kind": "constant", "source": "x" * 1024, "default": "y" * 1025}, "at most 1024"),
        ("title", {"kind": "direct", "source": "jobTitle", "apply": "sometimes"}, "Select a valid choice"),
        ("externalId", {"kind": "constant", "source": "x", "matching": "2"}, "the same for everybody"),
        ("externalId", {"kind": "direct", "source": "objectId", "matching": "1"}, "number 1 already"),
        ("externalId", {"kind": "expression", "expression": "Guid()"}, "gives another value each time"),
        ("title", {"kind": "expression", "expression": NEVER_TRUE}, "decides whether the field is written"),
        ("title", {"kind": "expression", "expression": "IIF([department], 1, 2)"}, "Ask IsPresent([department])"),
        ("title", {"kind": "expression", "expression": 'IIF([accountEnabled] = "true", 1, 2)'}, "never “true”"),
    ],
)
def test_a_row_is_refused_where_it_stands(
    jo: Client, published: Tenant, target: str, form: dict[str, str], words: str
) -> None:
    answer = jo.post(url(target), {"target": target, "apply": "always"} | form, headers=HTMX)
    assert answer.status_code == 422
    content = answer.content.decode()
    assert words in content.replace("&quot;", '"')
    assert content.strip().startswith("<tr")
    assert drafts.changes(published) == []


@pytest.mark.parametrize("target", ["title", PHONE])
def test_a_second_row_for_a_field_or_for_a_list_of_one_is_refused(jo: Client, published: Tenant, target: str) -> None:
    form = {"target": target, "kind": "direct", "source": "mobile", "apply": "always"}
    answer = jo.post(f"{PEOPLE}add/", form, headers=HTMX)
    assert answer.status_code == 422
    assert "already" in answer.content.decode()


def test_a_condition_that_was_saved_before_stays_with_a_warning(jo: Client, published: Tenant) -> None:
    published.configurations.get().mappings.filter(target="title").update(kind="expression", source=NEVER_TRUE)
    assert "decides whether the field is written; it cannot be asked" in jo.get(PEOPLE).content.decode()


def test_a_row_of_the_template_stays_with_a_warning_and_one_button(jo: Client, tenant: Tenant) -> None:
    page = jo.get(PEOPLE).content.decode()
    assert "AWS takes one item in phoneNumbers. It refuses a person with two." in page
    assert "Use the recommended mappings" in page


def test_a_row_under_which_leavers_stay_is_told_and_one_button_mends_it(jo: Client, published: Tenant) -> None:
    assert "Disable leavers" not in jo.get(PEOPLE).content.decode()
    form = {"target": "active", "kind": "direct", "source": "accountEnabled", "apply": "always"}
    page = jo.post(url("active"), form, follow=True).content.decode()
    assert page.count("Whoever is taken out of scope stays active in AWS") == 2
    assert "Disable leavers" in page
    page = jo.post("/t/acme/mappings/disable-leavers/", follow=True).content.decode()
    assert "Whoever leaves is disabled in AWS, once this is published." in page
    assert "stays active in AWS" not in page
    assert drafts.changes(published) == []


def test_to_remove_the_row_of_active_says_what_it_means(jo: Client, published: Tenant) -> None:
    asked = jo.get("/t/acme/mappings/people/remove/active/").content.decode()
    assert "Nobody who leaves is disabled in AWS" in asked
    assert "Nobody who leaves" not in jo.get("/t/acme/mappings/people/remove/title/").content.decode()
    page = jo.post("/t/acme/mappings/people/remove/active/", follow=True).content.decode()
    assert page.count("Nobody who leaves is disabled in AWS") == 2


def test_a_viewer_is_told_and_gets_no_button(
    published: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    active = row(published, "active")
    assert active
    mappings.remove_mapping(actor=ACTOR, tenant=published, row=active)
    page = client_of(viewer).get(PEOPLE).content.decode()
    assert "Nobody who leaves is disabled in AWS" in page
    assert "disable-leavers" not in page
    assert client_of(viewer).post("/t/acme/mappings/disable-leavers/").status_code == 403


def test_a_blank_in_a_real_user_name_is_refused_and_doubtful_characters_are_told(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser]
) -> None:
    form = {"target": "userName", "kind": "expression", "expression": "Trim([userPrincipalName])", "apply": "always", "matching": "1"}  # fmt: skip
    answer = jo.post(url("userName"), form, headers=HTMX)
    assert answer.status_code == 422
    assert "ng␣wei@acme.example, of Ng Wei" in answer.content.decode()
    answer = jo.post(url("title"), TITLE | {"target": "title"}, follow=True)
    assert "AWS may refuse this value: A;B, of Ng Wei." in answer.content.decode()
    assert row(published, "title").source == "department"  # type: ignore[union-attr]


def test_an_edit_of_something_else_is_not_held_up_by_a_value_that_was_there_before(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser]
) -> None:
    form = {"target": "userName", "kind": "direct", "source": "userPrincipalName", "apply": "create", "matching": "1"}
    assert jo.post(url("userName"), form).status_code == 302
    assert row(published, "userName").apply == "create"  # type: ignore[union-attr]


# The draft: marks, undo, order, actions


def test_a_changed_row_says_so_and_undo_takes_it_back(jo: Client, published: Tenant) -> None:
    jo.post(url("title"), TITLE | {"target": "title", "default": "Clerk"})
    jo.post(f"{PEOPLE}remove/department/".replace("department", aws_fields.ENTERPRISE + "department"))
    page = jo.get(PEOPLE).content.decode()
    assert page.count("ls-badge-changed") == 2
    assert "was <code>jobTitle</code>" in page
    assert "<del><code>department</code></del>" in page
    for target in ("title", aws_fields.ENTERPRISE + "department"):
        answer = jo.post(f"{PEOPLE}undo/{target}/", headers=HTMX)
        assert answer["HX-Retarget"] == "#mappings"
    assert drafts.changes(published) == []


def test_the_matching_order_changes_by_buttons(jo: Client, published: Tenant) -> None:
    jo.post(url("externalId"), {"target": "externalId", "kind": "direct", "source": "objectId", "apply": "always", "matching": "5"})  # fmt: skip
    answer = jo.post(f"{PEOPLE}move/externalId/", {"direction": "up"}, headers=HTMX)
    assert "externalId is match 1." in answer.content.decode()
    assert {one: row(published, one).matching for one in ("userName", "externalId")} == {"userName": 2, "externalId": 1}  # type: ignore[union-attr]
    # At the end of the order the button does nothing.
    jo.post(f"{PEOPLE}move/externalId/", {"direction": "up"}, headers=HTMX)
    assert row(published, "externalId").matching == 1  # type: ignore[union-attr]


def test_actions_and_the_guests_name_go_into_the_draft_and_back(jo: Client, published: Tenant) -> None:
    jo.post(f"{PEOPLE}actions/", {"user_actions": ["create"], "guest_user_name": "mail"})
    shown = drafts.draft_or_current(published)
    assert (shown.user_actions, shown.guest_user_name) == (["create"], Configuration.GuestName.MAIL)
    assert {one.key for one in drafts.changes(published)} == {"setting:user_actions", "setting:guest_user_name"}
    jo.post(f"{PEOPLE}actions/undo/")
    assert drafts.changes(published) == []
    jo.post("/t/acme/mappings/groups/actions/", {"group_actions": []})
    assert drafts.draft_or_current(published).group_actions == []


# Two admins


def seen(jo: Client, target: str) -> dict[str, str]:
    """What a form that is opened now sends back about what it showed."""
    context = jo.get(url(target)).context
    return {"seen": context["seen"], "draft": context["frame"].draft.token}


def test_a_row_that_somebody_else_changed_is_shown_beside_mine_and_mine_can_be_kept(
    jo: Client, published: Tenant
) -> None:
    opened = seen(jo, "title")
    theirs = MappingRow("title", "constant", "Theirs")
    mappings.save_mapping(
        actor="ravi@acme.example", tenant=published, object_type="user", rule=theirs, row=row(published, "title")
    )
    mine = TITLE | {"target": "title"}
    answer = jo.post(url("title"), mine | opened, headers=HTMX)
    content = answer.content.decode()
    assert answer.status_code == 409
    assert "<ins>department</ins>" in content
    assert "<del>&quot;Theirs&quot;</del>" in content
    kept = mine | {"seen": answer.context["seen"], "draft": answer.context["frame"].draft.token}
    assert jo.post(answer.context["action"], kept).status_code == 302
    assert row(published, "title").source == "department"  # type: ignore[union-attr]


def test_a_row_that_somebody_else_removed_comes_back_when_mine_is_kept(jo: Client, published: Tenant) -> None:
    opened = seen(jo, "title")
    found = row(published, "title")
    assert found is not None
    mappings.remove_mapping(actor="ravi@acme.example", tenant=published, row=found)
    answer = jo.post(url("title"), TITLE | {"target": "title"} | opened)
    assert answer.status_code == 409
    assert "Somebody removed this mapping" in answer.content.decode()
    assert answer.context["action"] == f"{PEOPLE}add/"
    kept = dict(answer.context["entries"]) | {"seen": answer.context["seen"]}
    assert jo.post(answer.context["action"], kept).status_code == 302
    assert row(published, "title").source == "department"  # type: ignore[union-attr]


def test_a_draft_that_was_discarded_meanwhile_is_said_before_anything_is_saved(jo: Client, published: Tenant) -> None:
    jo.post(url("title"), TITLE | {"target": "title", "source": "companyName"})
    opened = seen(jo, "title")
    versions.discard_draft(tenant=published, actor="ravi@acme.example")
    answer = jo.post(url("title"), TITLE | {"target": "title"} | opened, headers=HTMX)
    assert answer.status_code == 409
    assert "discarded the draft" in answer.content.decode()
    kept = dict(answer.context["entries"]) | {"seen": answer.context["seen"], "draft": ""}
    assert jo.post(answer.context["action"], kept).status_code == 302
    assert row(published, "title").source == "department"  # type: ignore[union-attr]


def test_a_draft_that_was_published_meanwhile_takes_the_edit_into_a_new_one(jo: Client, published: Tenant) -> None:
    jo.post(url("userName"), {"target": "userName", "kind": "direct", "source": "mail", "apply": "always", "matching": "1"})  # fmt: skip
    opened = seen(jo, "title")
    draft = published.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor="ravi@acme.example")
    assert jo.post(url("title"), TITLE | {"target": "title"} | opened).status_code == 302
    assert drafts.differs(published) == ["mapping:user:title"]


# The preview of an expression


def tried(jo: Client, expression: str) -> Any:
    form = {"target": "name.familyName", "kind": "expression", "expression": expression, "apply": "always"}
    return jo.post(url("name.familyName"), form | {"preview": "1"}, headers=HTMX)


def test_a_preview_shows_everybody_of_the_cast_and_what_aws_says(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser]
) -> None:
    content = tried(jo, 'Replace([surname], "Ng", , , "", , )').content.decode()
    for words in ("no last name", "two phones", "guest", "non-Latin", "longest values", "Бойко"):
        assert words in content
    assert content.count("Last name is missing") == 2
    assert row(published, "name.familyName").kind == "direct"  # type: ignore[union-attr]


def test_while_it_is_wrong_only_the_reason_goes_out(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser]
) -> None:
    answer = tried(jo, 'Coalesce([surname], "-"')
    assert answer["HX-Retarget"] == "#wrong-name-familyName"
    assert "Line 1, column 24:" in answer.content.decode()
    assert "Kavi" not in answer.content.decode()


def test_a_redacted_value_is_not_shown(jo: Client, published: Tenant, cast: dict[str, DirectoryUser]) -> None:
    content = tried(jo, "Redact([surname])").content.decode()
    assert "[Redact]" in content
    assert "Бойко" not in content.replace("Олена Бойко", "")


@pytest.mark.parametrize("role", Role)
def test_trying_an_expression_needs_the_right_to_configure(
    tenant: Tenant, client_of: Callable[[User], Client], role: Role
) -> None:
    client = client_of(person("ann@acme.example", role, None if role is Role.OWNER else tenant))
    form = {"target": "title", "kind": "expression", "expression": "Now()", "preview": "1", "apply": "always"}
    status = client.post(url("title"), form).status_code
    assert (status == 403) == (Right.CONFIGURE not in RIGHTS[role])


def test_pins_are_kept_per_session_and_five_at_most(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser]
) -> None:
    cast_url = "/t/acme/mappings/cast/"
    extra = DirectoryUser.objects.create(
        tenant=published, object_id="eeeeeeee-1111-4111-8111-111111111111", display_name="Extra", properties={}
    )
    jo.post(cast_url, {"pin": extra.object_id})
    assert "Five people are pinned already" in jo.get(PEOPLE).content.decode()
    jo.post(cast_url, {"unpin": cast["kavi"].object_id})
    jo.post(cast_url, {"pin": extra.object_id})
    names = [one.name for one in jo.get(PEOPLE).context["cast"]]
    assert (len(names), names[-1], "Kavi" in names) == (5, "Extra", False)
    jo.post(cast_url, {"again": "1"})
    assert "Kavi" in [one.name for one in jo.get(PEOPLE).context["cast"]]


@pytest.mark.parametrize("text", ["f" * 500_000, "..", "x\nX-Evil: 1", ZELDA, "<b>"])
def test_only_people_of_the_mirror_are_pinned_and_nothing_else_is_kept(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser], text: str
) -> None:
    cast_url = "/t/acme/mappings/cast/"
    jo.post(cast_url, {"unpin": cast["kavi"].object_id})
    answer = jo.post(cast_url, {"pin": text}, follow=True)
    assert "Only people whom Lockstep has read can be pinned." in answer.content.decode()
    jo.post(cast_url, {"unpin": text})
    kept = jo.session[f"cast-{published.pk}"]
    assert sorted(kept) == sorted(one.object_id for key, one in cast.items() if key != "kavi")


def test_people_of_another_tenant_are_not_pinned(jo: Client, published: Tenant, cast: dict[str, DirectoryUser]) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    DirectoryUser.objects.create(tenant=other, object_id=ZELDA, display_name="Zelda")
    jo.post("/t/acme/mappings/cast/", {"unpin": cast["kavi"].object_id})
    jo.post("/t/acme/mappings/cast/", {"pin": ZELDA})
    assert ZELDA not in jo.session[f"cast-{published.pk}"]


# Looking people up in Entra is a right of its own

LOOKS_UP = [role for role in Role if Right.ON_DEMAND in RIGHTS[role]]
READS = [role for role in Role if role not in LOOKS_UP]


@pytest.fixture
def in_entra(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Entra is asked. It knows Zelda, whom no reading has brought, and Kavi's new department."""
    asked: list[str] = []

    def search(_tenant: Tenant, text: str) -> list[live.Found]:
        asked.append(text)
        return [live.Found("user", ZELDA, "Zelda", "zelda@acme.example", "person")]

    def read(_tenant: Tenant, object_id: str, _select: object) -> dict[str, Any]:
        asked.append(object_id)
        return {"id": object_id, "displayName": "Zelda", "department": "Secret"}

    monkeypatch.setattr(live, "search_people", search)
    monkeypatch.setattr(live, "person", read)
    return asked


@pytest.fixture
def visit(tenant: Tenant, client_of: Callable[[User], Client]) -> Callable[[Role, dict[str, str]], str]:
    def visited(role: Role, query: dict[str, str]) -> str:
        user = person("ann@acme.example", role, None if role is Role.OWNER else tenant)
        return " ".join(client_of(user).get(PEOPLE, query).content.decode().split())

    return visited


@pytest.mark.parametrize("role", READS)
def test_without_the_right_a_search_finds_whom_the_mirror_holds(
    visit: Any, published: Tenant, cast: dict[str, DirectoryUser], in_entra: list[str], role: Role
) -> None:
    page = visit(role, {"find": "Ng W"})
    assert f'id="person-{cast["ng"].object_id}"' in page
    assert "Looking up others in Entra needs the Helpdesk role." in page
    assert in_entra == []


@pytest.mark.parametrize("role", READS)
def test_without_the_right_a_person_shows_as_the_mirror_has_them(
    visit: Any, published: Tenant, cast: dict[str, DirectoryUser], in_entra: list[str], role: Role
) -> None:
    page = visit(role, {"person": cast["ng"].object_id})
    assert "Ng Wei gets" in page
    assert "A;B" in page
    assert in_entra == []


@pytest.mark.parametrize("role", READS)
def test_without_the_right_nobody_else_shows_even_where_a_search_of_another_has_just_found_them(
    visit: Any, published: Tenant, cast: dict[str, DirectoryUser], in_entra: list[str], role: Role
) -> None:
    cache.set(f"directory:{published.pk}:user:{ZELDA}", asdict(live.Found("user", ZELDA, "Zelda", "", "person")))
    page = visit(role, {"person": ZELDA, "find": "Zelda"})
    assert "Zelda gets" not in page
    assert "Nobody whom Lockstep has read matches “Zelda”." in page
    assert "Reading it from Entra now needs the Helpdesk role." in page
    assert in_entra == []


@pytest.mark.parametrize("role", [*READS, *LOOKS_UP])
def test_the_first_of_the_cast_is_shown_until_somebody_is_chosen(
    visit: Any, published: Tenant, cast: dict[str, DirectoryUser], in_entra: list[str], role: Role
) -> None:
    assert "Kavi gets" in visit(role, {})
    assert not any(in_entra), "nobody is read there"


@pytest.mark.parametrize("role", LOOKS_UP)
def test_with_the_right_entra_is_asked(
    visit: Any, published: Tenant, cast: dict[str, DirectoryUser], in_entra: list[str], role: Role
) -> None:
    page = visit(role, {"find": "Zelda", "person": ZELDA})
    assert "zelda@acme.example" in page
    assert "Secret" in page
    assert "needs the Helpdesk role" not in page
    assert in_entra == [ZELDA, "Zelda"]


def test_the_number_of_queries_does_not_grow_with_rows(
    jo: Client, published: Tenant, cast: dict[str, DirectoryUser], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    jo.post(url("title"), TITLE | {"target": "title"})
    jo.get(PEOPLE)
    with django_assert_max_num_queries(30) as few:
        jo.get(PEOPLE)
    for target in ("preferredLanguage", aws_fields.ENTERPRISE + "department"):
        jo.post(url(target), TITLE | {"target": target})
    # Shows what the session has to say of that, and forgets it.
    jo.get(PEOPLE)
    with django_assert_max_num_queries(30) as many:
        jo.get(PEOPLE)
    assert len(many) <= len(few)
