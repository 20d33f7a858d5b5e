"""Readiness as a page: how many are ready, what keeps the others, the list as a file."""

import csv
import datetime
import io
import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.configuration.current import configuration_of
from sync.configuration.drafts import draft_or_current
from sync.configuration.mappings import remove_mapping
from sync.models import DirectoryUser, ReadinessCheck, Run, Snapshot, Tenant
from sync.readiness.services import carry_out_check, check_now
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
PAGE = "/t/acme/readiness/"


@pytest.fixture
def read(tenant: Tenant) -> Tenant:
    Snapshot.objects.create(tenant=tenant, full=True, sealed_at=timezone.now())
    for name, surname in (("Adele", None), ("Bo", "Boss")):
        upn = f"{name}@acme.example"
        facts = {
            "displayName": f"={name}",
            "givenName": name,
            "surname": surname,
            "userPrincipalName": upn,
            "mail": upn,
        }
        DirectoryUser.objects.create(
            tenant=tenant, object_id=name, display_name=f"={name}", user_principal_name=upn, properties=facts,
            in_scope=True, scope_reason="assigned",
        )  # fmt: skip
    return tenant


def test_before_anything_was_read_the_page_says_what_comes_first(tenant: Tenant, jo: Client) -> None:
    page = jo.get(PAGE).content.decode()
    assert "No one is in view yet" in page
    assert "Check now" not in page


def test_before_the_first_check_it_says_so(read: Tenant, jo: Client) -> None:
    assert "Nobody has been checked yet" in jo.get(PAGE).content.decode()


def test_the_head_counts_and_each_check_names_its_people(read: Tenant, jo: Client) -> None:
    check_now(read, actor="jo@acme.example")
    page = jo.get(PAGE).content.decode()
    assert "1 of 2 ready" in page
    assert "Last name is missing" in page
    assert "Adele@acme.example" in page
    assert "Coalesce([surname], &quot;-&quot;)" in page
    assert "Bo@acme.example" not in page


def test_what_found_nobody_is_listed_and_what_was_not_looked_at_is_not(read: Tenant, jo: Client) -> None:
    check = check_now(read)
    listed = jo.get(PAGE).content.decode().partition("checks found nobody")[2]
    assert "First name is missing" in listed
    assert "User name and sign-in name differ" in listed
    assert "Last name is missing" not in listed
    check.unread = ["onPremisesImmutableId"]
    check.save()
    assert "User name and sign-in name differ" not in jo.get(PAGE).content.decode()


def test_all_fine_is_said(read: Tenant, jo: Client) -> None:
    DirectoryUser.objects.filter(object_id="Adele").update(in_scope=False)
    check_now(read)
    assert "Everyone in scope can be created in AWS" in jo.get(PAGE).content.decode()


@pytest.mark.usefixtures("transactional_db")
def test_check_now_asks_for_one_check_and_the_page_follows_it(
    read: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: sent.append(key))
    for _ in range(2):
        assert jo.post(f"{PAGE}check/")["Location"] == PAGE
    assert sent == [ReadinessCheck.objects.get().pk]
    part = jo.get(PAGE, headers={"HX-Request": "true"}).content
    assert b"every 2s" in part
    assert b"<html" not in part
    carry_out_check(sent[0])
    assert b"every 2s" not in jo.get(PAGE, headers={"HX-Request": "true"}).content


def test_the_export_has_a_row_per_finding_and_no_formulas(read: Tenant, jo: Client) -> None:
    check_now(read)
    text = b"".join(jo.get(f"{PAGE}export/")).decode()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(row["check"], row["outcome"], row["name"], row["entra_id"], row["attribute"]) for row in rows] == [
        ("missing-family-name", "refuses", "'=Adele", "Adele", "name.familyName")
    ]


def test_a_viewer_reads_and_exports_and_starts_nothing(
    read: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    check_now(read)
    tom = client_of(viewer)
    assert "Check now" not in tom.get(PAGE).content.decode()
    assert tom.get(f"{PAGE}export/").status_code == 200
    assert tom.post(f"{PAGE}check/").status_code == 403


def test_who_would_keep_access_is_told_with_the_button_that_mends_it(read: Tenant, jo: Client) -> None:
    row = configuration_of(read).mappings.get(object_type="user", target="active")
    remove_mapping(actor="jo@acme.example", tenant=read, row=row)
    check_now(read)
    page = jo.get(PAGE).content.decode()
    assert "Stays active in AWS after leaving" in page
    assert "blocked in Entra, out of scope, deleted in Entra" in page
    assert 'action="/t/acme/mappings/disable-leavers/"' in page
    jo.post("/t/acme/mappings/disable-leavers/")
    check_now(read)
    assert "Stays active" not in jo.get(PAGE).content.decode().partition("found nobody")[0]


def test_the_trend_is_told_by_the_last_run_of_each_day(read: Tenant, jo: Client) -> None:
    check_now(read, actor="jo@acme.example")
    now = timezone.now()
    for number, (days, ready) in enumerate([(40, 0), (9, 4), (8, 5), (8, 8), (0, 9)], start=1):
        at = now - datetime.timedelta(days=days)
        run = new_run(
            read, number, kind="changes", started_at=at, finished_at=at, people_in_scope=10, people_ready=ready
        )
        Run.objects.filter(pk=run.pk).update(created_at=at)
    context = jo.get(PAGE).context
    assert [day.not_ready for day in context["trend"].days] == [6, 2, 1]
    assert context["trend"].title == "5 fewer not ready than at the beginning"
    assert [day.height for day in context["trend"].days] == [48, 16, 8]


def test_one_day_is_no_trend(read: Tenant, jo: Client) -> None:
    new_run(read, started_at=timezone.now(), finished_at=timezone.now(), people_in_scope=10, people_ready=3)
    assert jo.get(PAGE).context["trend"] is None


def test_what_a_default_settles_is_mapped_by_one_press(
    read: Tenant, jo: Client, viewer: User, client_of: Callable[[User], Client]
) -> None:
    check_now(read, actor="jo@acme.example")
    page = jo.get(PAGE).content.decode()
    assert "Map a default" in page
    assert "Map a default" not in client_of(viewer).get(PAGE).content.decode()
    form = dict(re.findall(r'name="(target|code|attribute)" value="([^"]+)"', page.partition("Map a default")[0]))
    jo.post("/t/acme/mappings/people/default/", form)
    row = draft_or_current(read).mappings.get(target="name.familyName")
    assert row.source == 'Coalesce([surname], "-")'
