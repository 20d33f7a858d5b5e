"""Draft, impact preview, publish and restore in a real browser; and half a company that a wrong filter would remove."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from portal.models import Role, User
from sync.configuration import drafts, mappings, versions
from sync.configuration.filters import save_filter
from sync.models import Configuration, HeldChange, Run, Tenant
from tests.world.browser import Watched, axe, axe_in_both_schemes, sideways
from tests.world.drafted import PREVIEW, edit_title, preview_of, with_draft, with_versions
from tests.world.examples import nightly
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.people import person
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]
RAVI = "ravi@acme.example"
Open = Callable[[User | None], Page]


@pytest.fixture
def acme(kept: Kept) -> Tenant:
    """Provisioning is on, version 1 is published, AWS holds everybody of two groups."""
    return kept(turned_on).tenant


def turned_on(tenant: Tenant, lab: Lab) -> None:
    assign(tenant, lab.entra_group("AWS-Admins"), lab.entra_group("AWS-Developers"))
    sync(tenant)
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(
        enabled=True, enabled_changed_at=now, next_run_at=now + tenant.interval_length
    )
    for half in (tenant.entra, tenant.aws):
        half.changed_at = half.tested_at = now
        half.test_passed = True
        half.save()


def edit(tenant: Tenant, target: str, **facts: Any) -> None:
    row = drafts.draft_or_current(tenant).mappings.get(object_type="user", target=target)
    rule = replace(row.rule(), **facts)
    mappings.save_mapping(actor=RAVI, tenant=tenant, object_type="user", rule=rule, row=row)


def only(tenant: Tenant, value: str) -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": value, "ignore_case": False}
    save_filter(actor=RAVI, tenant=tenant, object_type="user", title="Wrong", clauses=[clause])


@pytest.fixture(params=["keys", *nightly("mouse")])
def press(request: pytest.FixtureRequest) -> Callable[[Locator], None]:
    """Click it, or go there and press Enter."""

    def by_keys(target: Locator) -> None:
        target.focus()
        expect(target).to_be_focused()
        target.press("Enter")

    return Locator.click if request.param == "mouse" else by_keys


def test_previewed_published_and_carried_out_as_previewed(
    acme: Tenant, owner: User, open_page: Open, live_server: Any, press: Callable[[Locator], None]
) -> None:
    edit(acme, "title", source="department")
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/logs/")
    expect(page.locator("#draft-bar")).to_contain_text("Draft: 1 change not published")
    expect(page.get_by_role("link", name="Mappings 1 change not published").first).to_be_visible()
    press(page.locator("#draft-bar-preview"))
    expect(page.locator("#sum-title")).to_have_text("30 people would change.")
    expect(page.locator("#sum-words")).to_contain_text(
        "0 would be created, 30 updated, 0 lose access, 0 deleted. 0 stay as they are."
    )
    # Identical patterns are folded, and each leads to its people.
    fold = page.locator(".ls-folds tbody tr").first
    expect(fold).to_contain_text("title")
    press(fold.get_by_role("link"))
    expect(page.locator(".ls-impact-table tbody").first).to_contain_text("Mapping title")
    press(page.locator("#tab-created"))
    expect(page.locator("#impact-body")).to_contain_text("Nobody.")
    assert page.url.endswith("?show=created")
    page.go_back()
    expect(page.locator(".ls-impact-table")).to_be_visible()
    page.get_by_label("Why?").fill("Titles by department")
    press(page.locator("#publish"))
    expect(page.locator("#messages")).to_contain_text("Version 2 is published. The next run at")
    press(page.locator("#sync-now"))
    expect(page.locator("#compared-title")).to_have_text("Preview said 30, run did 30")
    expect(page.locator("#compared")).to_contain_text("As previewed")
    version = Configuration.objects.get(number=2)
    assert (version.comment, version.published_by) == ("Titles by department", owner.email)
    expect(page.locator("#draft-bar")).to_be_empty()


def test_a_stale_preview_cannot_publish(
    acme: Tenant,
    owner: User,
    open_page: Open,
    live_server: Any,
    watched: Watched,
    press: Callable[[Locator], None],
) -> None:
    watched.allowed.add(422)
    edit(acme, "title", source="department")
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/draft/")
    press(page.locator("#preview-impact"))
    expect(page.locator("#publish")).to_be_visible()
    # Somebody else edits the draft; this page still shows the button.
    edit(acme, "displayName", kind="expression", source="ToUpper([displayName])")
    press(page.locator("#publish"))
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.locator("#stale")).to_contain_text("The draft changed after this preview. Preview again.")
    expect(page.locator("#publish")).to_have_count(0)
    assert not Configuration.objects.filter(number=2).exists()
    assert axe(page) == []
    press(page.locator("#preview-again"))
    press(page.locator("#publish"))
    expect(page.locator("#messages")).to_contain_text("Version 2 is published.")


def test_a_version_is_restored_as_a_draft_by_keyboard_alone(
    acme: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    edit(acme, "title", source="department")
    draft = acme.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=RAVI, comment="Titles by department")
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/versions/")
    expect(page.locator("#compared")).to_contain_text("jobTitle")
    page.locator("#restore-1").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("come back as new users")
    # Focus is on the safe choice; Escape gives it back to where it came from.
    expect(dialog.get_by_role("link", name="Leave it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#restore-1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("link", name="Leave it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("The draft equals version 1.")
    expect(page.locator("#changes-title")).to_have_text("1 change in this draft")
    assert acme.configurations.current().number == 2
    # A second one is not laid over it.
    page.goto(f"{live_server.url}/t/acme/versions/1/restore/")
    expect(page.get_by_text("Publish or discard it first.")).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/draft/")
    page.locator("#undo-1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Everything is published")).to_be_visible()


def test_an_edit_lands_in_a_new_draft_when_somebody_published_meanwhile(
    acme: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    edit(acme, "displayName", kind="expression", source="ToUpper([displayName])")
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/")
    draft = acme.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=RAVI)
    page.locator("[name=leave_out_guests]").first.check()
    page.get_by_role("button", name="Save in the draft").first.click()
    expect(page.locator("#messages")).to_contain_text(
        "ravi@acme.example published version 2 while you were editing. Your changes are safe, in a new draft."
    )
    assert drafts.differs(acme) == ["setting:leave_out_guests"]


def test_a_wrong_filter_is_seen_by_name_cannot_be_published_unseen_and_is_undone_by_one_restore(
    acme: Tenant, lab: Lab, open_page: Open, live_server: Any, watched: Watched
) -> None:
    """Half the company."""
    watched.allowed.add(422)
    configurator = person(RAVI, Role.CONFIGURATOR, acme)
    only(acme, "Engineering")
    page = open_page(configurator)
    page.goto(f"{live_server.url}/t/acme/draft/")
    page.locator("#preview-impact").click()
    # What is gravest is shown first, by name and with its cause.
    rows = page.locator(".ls-impact-table tbody tr")
    gone = rows.count()
    assert gone >= 15
    expect(page.locator("#sum-words")).to_contain_text(f"{gone} lose access")
    expect(rows.first).to_contain_text("New filter Wrong")
    expect(rows.first).to_contain_text("@contoso.example")
    assert axe(page) == []
    # Not unseen: the button alone is refused by the server.
    page.locator("#publish").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    assert acme.configurations.current().number == 1
    name = rows.first.locator("th bdi").first.inner_text()
    rows.first.get_by_role("button", name="Keep this person").click()
    expect(page.locator("#messages")).to_contain_text(f"The draft keeps {name}.")
    page.locator("#preview-again").click()
    expect(page.locator("#sum-words")).to_contain_text(f"{gone - 1} lose access")
    page.locator("#seen-removals").check()
    page.locator("#publish").click()
    expect(page.locator("#messages")).to_contain_text("Version 2 is published.")
    page.locator("#sync-now").click()
    # Nobody is gone: they wait for a person.
    expect(page.locator("#compared-title")).to_be_visible()
    assert HeldChange.objects.open().filter(action="disable").count() == gone - 1
    assert all(user["active"] for user in lab.aws()["users"])
    page.goto(f"{live_server.url}/t/acme/versions/")
    page.locator("#restore-1").click()
    page.locator("#restore-version").click()
    page.locator("#preview-impact").click()
    expect(page.locator("#sum-title")).to_have_text("Nobody would change.")
    page.locator("#publish").click()
    page.locator("#sync-now").click()
    expect(page.locator("#compared-title")).to_be_visible()
    assert not HeldChange.objects.open().exists()
    assert all(user["active"] for user in lab.aws()["users"])


def test_a_running_preview_shows_its_phases_and_ends_by_itself(
    acme: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    edit(acme, "title", source="department")
    draft = acme.configurations.draft()
    run = Run.objects.create(
        tenant=acme, number=90, kind="preview", trigger="person", state="running", configuration=draft, configuration_digest="as it began",
        phases={"read": {"state": "running", "seconds": 0, "facts": {"people": 412}}},
    )  # fmt: skip
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/draft/impact/90/")
    expect(page.locator(".ls-phase-running")).to_contain_text("412 people")
    assert axe(page) == []
    page.locator("#cancel-run").focus()
    with page.expect_response(lambda answer: "seen=" in answer.url and answer.status == 200):
        Run.objects.filter(pk=run.pk).update(sequence=1)
    expect(page.locator("#cancel-run")).to_be_focused()
    Run.objects.filter(pk=run.pk).update(
        state="failed", problem="graph-down", problem_detail="no answer", sequence=2, finished_at=timezone.now()
    )
    expect(page.locator("#failure-title")).to_be_visible()
    expect(page.get_by_text("The draft is as it was.")).to_be_visible()
    expect(page.locator("#impact-head[hx-trigger]")).to_have_count(0)
    assert axe(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0


def states(tenant: Tenant) -> Iterator[str]:
    """Addresses of the pages in all their states; each is made while the last one is looked at no more."""
    yield "draft/"
    yield "versions/"
    with_versions(tenant)
    yield "draft/"
    preview_of(tenant, with_draft(tenant), broken=True)
    impact = f"draft/impact/{PREVIEW}/"
    yield from ("draft/", "versions/?before=1&after=draft", "versions/2/", impact)
    yield from (f"{impact}?show={tab}" for tab in ("lose", "updated", "created", "groups", "refused"))
    yield f"{impact}?show=updated&field=title&pattern=trimmed"
    Run.objects.update(
        impact=Run.objects.get().impact | {"checks": [{"code": "guests", "level": "attention", "n": 2, "limit": 0}]}
    )
    yield impact
    edit_title(tenant, "mail")
    yield impact
    draft = tenant.configurations.draft()
    assert draft is not None
    versions.make_version(draft, actor=RAVI, preview=Run.objects.get())
    yield impact
    now = timezone.now()
    Run.objects.create(
        tenant=tenant, number=91, kind="changes", trigger="schedule", state="completed", configuration=draft, started_at=now,
        finished_at=now,
    )  # fmt: skip
    yield "runs/91/"


@pytest.mark.nightly
def test_every_state_is_accessible_and_fits(tenant: Tenant, owner: User, open_page: Open, live_server: Any) -> None:
    page = open_page(owner)
    for address in states(tenant):
        page.goto(f"{live_server.url}/t/acme/{address}")
        page.set_viewport_size({"width": 1280, "height": 900})
        assert (address, axe_in_both_schemes(page), sideways(page)) == (address, [], 0)
        page.set_viewport_size({"width": 320, "height": 900})
        assert (address, sideways(page)) == (address, 0)
