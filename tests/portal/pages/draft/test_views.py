"""Draft and impact as pages: what they say, what they refuse, how few questions they ask."""

import csv
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sync.configuration import drafts, versions
from sync.engine.guard.guard import Guard
from sync.engine.rehearsal import impact
from sync.models import AuditEntry, Configuration, DirectoryUser, Link, Operation, Run, Tenant
from tests.world.drafted import (
    PREVIEW,
    body,
    edit_title,
    planned,
    preview_of,
    with_draft,
    with_versions,
)
from tests.world.drafted import person as directory_person

pytestmark = pytest.mark.django_db
IMPACT = f"/t/acme/draft/impact/{PREVIEW}/"


def test_nothing_of_a_draft_shows_while_setting_up(tenant: Tenant, jo: Client) -> None:
    edit_title(tenant, "department")
    assert "ls-draft-bar" not in body(jo, "/t/acme/setup/")
    assert "Version 1 is made when you publish" in body(jo, "/t/acme/draft/")
    assert "Version 1 is made when you publish." in body(jo, "/t/acme/versions/")


def test_without_changes_everything_is_published(tenant: Tenant, jo: Client) -> None:
    with_versions(tenant)
    page = body(jo, "/t/acme/draft/")
    assert "Everything is published" in page
    assert "Version 2" in page
    assert "ls-draft-bar" not in page


def test_every_page_says_that_a_draft_waits_and_which_pages_it_is_about(drafted: Run, jo: Client) -> None:
    page = body(jo, "/t/acme/logs/")
    assert "4 changes not published" in page
    for name, number in (("mappings", 1), ("scope", 2), ("assignments", 1)):
        assert f'ls-nav-edited-{name}"><span aria-hidden="true">•{number}' in page


def test_the_bar_costs_one_question(drafted: Run, jo: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            jo.get("/t/acme/logs/")
        return len([one for one in found if "sync_configuration" in one["sql"]])

    with_bar = questions()
    versions.discard_draft(tenant=drafted.tenant, actor="jo")
    assert with_bar - questions() <= 1
    assert with_bar <= 2


def test_the_review_says_before_and_after_in_plain_words(drafted: Run, jo: Client) -> None:
    page = body(jo, "/t/acme/draft/")
    for words in ("department</code></del>", "companyName</code></ins>", "no such filter", "department is Engineering"):
        assert words in page
    assert "not assigned" in page
    assert "ravi@acme.example" in page


def test_one_change_is_undone_and_the_rest_stays(drafted: Run, jo: Client) -> None:
    jo.post("/t/acme/draft/undo/", {"key": "mapping:user:title"})
    assert "mapping:user:title" not in drafts.differs(drafted.tenant)
    assert len(drafts.differs(drafted.tenant)) == 3


def test_discarding_asks_first(drafted: Run, jo: Client) -> None:
    assert "4 changes are lost" in body(jo, "/t/acme/draft/discard/")
    assert drafts.differs(drafted.tenant)
    jo.post("/t/acme/draft/discard/")
    assert not drafts.differs(drafted.tenant)


def test_the_preview_starts_and_keeps_the_comment(tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with_versions(tenant)
    edit_title(tenant, "companyName")
    answer = jo.post("/t/acme/draft/preview/", {"comment": "Because"}, follow=True)
    assert "The connection has not passed a test" in answer.content.decode()
    monkeypatch.setattr("portal.pages.draft.views.missing_for_reading", lambda _tenant: [])
    page = jo.post("/t/acme/draft/preview/", {"comment": "Because"}, follow=True).content.decode()
    run = Run.objects.get()
    draft = tenant.configurations.draft()
    assert draft is not None
    assert (run.kind, run.configuration, draft.comment) == ("preview", draft, "Because")
    assert "Reads Entra and plans under the draft" in page
    # The run's own address leads there too.
    assert jo.get(f"/t/acme/runs/{run.number}/").headers["Location"].endswith(f"/draft/impact/{run.number}/")


def test_the_sum_is_said_in_words_and_the_gravest_comes_first(drafted: Run, jo: Client) -> None:
    page = body(jo, IMPACT)
    assert "5 people would change." in page
    assert "1 would be created, 1 updated, 2 lose access, 1 deleted. 1,163 stay as they are." in page
    assert "Memberships: 2 added, 0 removed." in page
    assert 'id="tab-deleted"' in page
    assert "Deleted in AWS" in page


@pytest.mark.parametrize(
    ("show", "words"),
    [
        ("lose", ["New filter Engineers", "Keep this person", "Cannot be kept here:", "Guest left out"]),
        ("deleted", ["Deleted in Entra", "Cannot be kept here:"]),
        ("updated", ["Spaces at the ends removed", "Was empty, gets a value", "Mapping title"]),
        ("created", ["AWS-Research with a rather long name assigned"]),
        ("groups", ["Add member", "2 people"]),
    ],
)
def test_every_tab_names_people_and_causes(drafted: Run, jo: Client, show: str, words: list[str]) -> None:
    page = body(jo, IMPACT, show=show)
    for word in words:
        assert word in page, word


def test_those_who_stay_as_they_are_have_a_tab_that_pages(drafted: Run, jo: Client) -> None:
    for n in range(100, 160):
        directory_person(drafted.tenant, n)
    gone = directory_person(drafted.tenant, 160)
    Link.objects.filter(object_id=gone.object_id).update(active=False)
    page = body(jo, IMPACT, show="stay")
    assert "They have access to AWS and keep it" in page
    assert "Person 100 With" in page
    assert "person100@" in page
    assert "1 to 50 of 60" in page
    last = body(jo, IMPACT, show="stay", page="2")
    assert "Person 159 With" in last
    assert "Person 160" not in last + page
    assert "Person 4 With" not in last + page


def test_default_values_are_counted_and_marked(drafted: Run, jo: Client) -> None:
    change = impact.explained({"before": None, "after": "Staff", "mapping": "jobTitle"}, from_default=True)
    planned(drafted, directory_person(drafted.tenant, 20), "update", [], changes={"title": change})
    guard = Guard(drafted, None)
    guard.foresee()
    drafted.impact = impact.weigh(drafted, guard, stay=0, suspect="")
    drafted.save()
    page = body(jo, IMPACT, show="updated")
    assert "1 person gets a default value" in page
    assert page.count('<span class="ls-under">default value</span>') == 1


def test_a_pattern_leads_to_its_people(drafted: Run, jo: Client) -> None:
    page = body(jo, IMPACT, show="updated", field="title", pattern="trimmed")
    assert "Person 4" in page
    assert "Nobody." in body(jo, IMPACT, show="updated", field="title", pattern="case")


def test_the_questions_do_not_grow_with_the_people(drafted: Run, jo: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as found:
            jo.get(IMPACT, {"show": "lose"})
        return len(found)

    few = questions()
    for n in range(20, 60):
        planned(drafted, directory_person(drafted.tenant, n), "disable", ["scope:not-assigned"])
    assert questions() == few


def test_what_is_too_much_to_page_through_shows_its_first_500(
    drafted: Run, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.draft.impact.MOST_CHANGES", 1)
    monkeypatch.setattr("portal.pages.draft.impact.FIRST", 1)
    page = body(jo, IMPACT, show="lose")
    assert "2 are too many to page through" in page
    assert page.count("Disabled in AWS") == 1


def test_the_export_has_a_line_per_field_with_its_cause(drafted: Run, jo: Client) -> None:
    answer = jo.get(f"{IMPACT}export/")
    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text)))
    title = next(row for row in rows if row["field"] == "title" and row["action"] == "update")
    assert (title["before"], title["after"], title["because_of"]) == ("Clerk ", "Clerk", "Mapping title")
    assert {row["action"] for row in rows} == {"disable", "delete", "update", "create", "add_member"}
    assert AuditEntry.objects.filter(verb="impact.export").exists()


def test_a_fragment_for_a_tab_is_the_table_alone(drafted: Run, jo: Client) -> None:
    answer = jo.get(IMPACT, {"show": "lose"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="impact-body")
    page = answer.content.decode()
    assert "ls-impact-table" in page
    assert "<h1>" not in page


def test_a_poll_without_news_answers_204(drafted: Run, jo: Client) -> None:
    Run.objects.update(state="running", sequence=4)
    headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "impact-head"}
    assert jo.get(f"{IMPACT}?seen=4", **headers).status_code == 204  # type: ignore[arg-type]
    assert "hx-trigger" in jo.get(f"{IMPACT}?seen=3", **headers).content.decode()  # type: ignore[arg-type]


def test_a_poll_that_finds_the_preview_over_brings_the_whole_page_anew(drafted: Run, jo: Client) -> None:
    """The title line, the buttons and the run in the header stand outside of what is polled."""
    headers = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "impact-head"}
    answer = jo.get(f"{IMPACT}?seen=4", **headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")


def publish(jo: Client, *seen: str) -> str:
    answer = jo.post(f"{IMPACT}publish/", {"comment": "Because", "seen": seen}, follow=True)
    return answer.content.decode()


def test_publishing_asks_for_a_tick_on_the_server_too(drafted: Run, jo: Client) -> None:
    Operation.objects.filter(run=drafted, action="delete").delete()
    drafted.impact["checks"].append({"code": "guests", "level": "attention", "n": 2, "limit": 0})
    drafted.save()
    assert "2 guests would be created" in body(jo, IMPACT)
    assert "Tick what you have seen before you publish." in publish(jo)
    assert "Tick what you have seen" in publish(jo, "removals")
    page = publish(jo, "guests")
    assert "Version 3 is published." in page
    version = Configuration.objects.get(number=3)
    assert (version.comment, version.confirmed_run) == ("Because", drafted)
    entry = AuditEntry.objects.get(verb="version.publish", object_id=str(version.pk))
    assert entry.after["comment"] == "Because"


def test_red_checks_block_and_no_tick_helps(tenant: Tenant, jo: Client) -> None:
    with_versions(tenant)
    preview_of(tenant, with_draft(tenant), broken=True)
    page = body(jo, IMPACT)
    assert "1 required field would be empty" in page
    assert 'id="publish"' not in page
    assert "Something would go wrong because of this draft" in publish(jo, "emptied")
    assert not Configuration.objects.filter(number=3).exists()


def test_a_stale_preview_says_so_and_publishes_nothing(drafted: Run, jo: Client) -> None:
    edit_title(drafted.tenant, "mail")
    page = body(jo, IMPACT)
    assert "The draft changed after this preview. Preview again." in page
    assert 'id="publish"' not in page
    publish(jo)
    assert not Configuration.objects.filter(number=3).exists()


def test_a_published_preview_leads_to_its_version(drafted: Run, jo: Client) -> None:
    publish(jo)
    page = body(jo, IMPACT)
    assert "This became version 3." in page
    assert 'id="publish"' not in page
    assert "Keep this person" not in body(jo, IMPACT, show="lose")


def test_somebody_is_kept_only_in_a_draft(drafted: Run, jo: Client) -> None:
    person = DirectoryUser.objects.get(display_name__startswith="Person 1 ")
    page = jo.post(f"{IMPACT}keep/", {"person": person.object_id}, follow=True).content.decode()
    assert "The draft keeps Person 1" in page
    assert drafts.draft_or_current(drafted.tenant).assignments.filter(object_id=person.object_id).exists()
    versions.discard_draft(tenant=drafted.tenant, actor="jo")
    page = jo.post(f"{IMPACT}keep/", {"person": person.object_id}, follow=True).content.decode()
    assert "There is no draft to keep anybody in." in page


def test_an_ordinary_preview_has_no_impact_page(tenant: Tenant, jo: Client) -> None:
    Run.objects.create(tenant=tenant, number=5, kind="preview", trigger="person", state="completed")
    assert jo.get("/t/acme/draft/impact/5/").status_code == 404
    assert jo.get("/t/acme/runs/5/").status_code == 200


def test_an_edit_of_a_draft_that_was_discarded_is_safe_and_the_page_says_so(drafted: Run, jo: Client) -> None:
    draft = drafted.tenant.configurations.draft()
    assert draft is not None
    versions.discard_draft(tenant=drafted.tenant, actor="ravi@acme.example")
    form = {"draft": str(draft.pk), "leave_out_guests": "on"}
    page = jo.post("/t/acme/scope/settings/", form, follow=True).content.decode()
    assert "The draft was discarded while you were editing. Your changes are safe, in a new draft." in page


def test_whom_aws_would_refuse_anyhow_is_not_laid_on_the_draft_nor_on_entra(drafted: Run, jo: Client) -> None:
    user = directory_person(drafted.tenant, 71)
    planned(drafted, user, "create", [], result="skipped", problem="missing-family-name", attribute="name.familyName")
    drafted.impact["people"]["refused"] = 1
    drafted.save()
    page = body(jo, f"{IMPACT}?show=refused")
    assert "Nothing in the draft: it is so under the published version too" in page
    assert "Changed in Entra since the last run" not in page
