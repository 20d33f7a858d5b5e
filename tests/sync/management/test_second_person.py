"""Commands go the same way as pages: what needs a second person waits, and the command line is never that person."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import ChangeRequest, HeldChange, Hold, Run, Tenant
from tests.world.second_person import Approvers, has_been_on

pytestmark = pytest.mark.django_db
ANN = "ann@acme.example"


@pytest.fixture
def on(tenant: Tenant, known: Approvers) -> Tenant:
    known.emails = [ANN]
    return has_been_on(tenant)


def said(*words: str, code: int = 0) -> str:
    out = io.StringIO()
    ended = 0
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    return out.getvalue()


def file_with(folder: Path, **limits: int) -> str:
    file = folder / "acme.json"
    file.write_text(json.dumps({"version": 1, "name": "Acme", "slug": "acme", "safety": {"limits": limits}}))
    return str(file)


def test_a_tenant_file_raises_no_limit_by_itself(on: Tenant, tmp_path: Path) -> None:
    file = file_with(tmp_path, people_percent=50, keys_percent=1)
    text = said("tenant_import", file)
    on.refresh_from_db()
    assert on.limits == {"keys_percent": 1}
    assert "second_person.ask" in text
    assert ChangeRequest.objects.waiting().get().asked_by == "command line"
    # The same file again asks for nothing new.
    assert "nothing to change" in said("tenant_import", file)
    assert ChangeRequest.objects.count() == 1


def test_what_a_check_of_a_file_would_ask_for_is_not_asked_for(on: Tenant, tmp_path: Path) -> None:
    assert "would change" in said("tenant_import", "--check", file_with(tmp_path, people_percent=50))
    assert not ChangeRequest.objects.exists()


def test_a_tenant_file_before_provisioning_was_ever_on_sets_what_it_says(tenant: Tenant, tmp_path: Path) -> None:
    said("tenant_import", file_with(tmp_path, people_percent=50))
    tenant.refresh_from_db()
    assert tenant.limits == {"people_percent": 50}


def test_holds_lists_what_waits(on: Tenant, tmp_path: Path) -> None:
    said("tenant_import", file_with(tmp_path, people_percent=50))
    text = said("holds", "acme", code=3)
    assert "Safety settings, asked for by command line: waits for another person, under Approvals." in text
    report: dict[str, Any] = json.loads(said("holds", "acme", "--json", code=3))
    assert report["requests"][0]["facts"] == {"people_percent": {"before": 5, "after": 50}}


def hold_of(tenant: Tenant, *causers: str) -> Hold:
    now = timezone.now()
    run = Run.objects.create(
        tenant=tenant, number=1, kind="changes", trigger="schedule", state="completed", started_at=now, finished_at=now
    )
    Tenant.objects.update(last_run_number=1)
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 1, "planned": 1})
    HeldChange.objects.create(
        hold=hold, tenant=tenant, action="disable", object_type="user", object_id="1" * 36, display_name="Ada Byron",
        caused_by=list(causers),
    )  # fmt: skip
    return hold


@pytest.mark.parametrize("causer", ["jo@acme.example", "command line"])
def test_removals_that_somebody_caused_are_not_approved_by_the_command(on: Tenant, causer: str) -> None:
    hold = hold_of(on, causer)
    with pytest.raises(CommandError, match=f"a person has to approve them, on the page Approvals: {ANN}"):
        said("approve", "acme", "--all")
    assert hold.changes.get().decision == "waiting"


def test_where_nobody_could_approve_them_they_wait_their_hour(on: Tenant, known: Approvers) -> None:
    known.emails = []
    hold = hold_of(on, "command line")
    text = said("approve", "acme", "--all", code=3)
    assert "0 approved, 0 kept." in text
    assert "nobody could approve it, so it is carried out at" in text
    assert ChangeRequest.objects.waiting().get().subject == str(hold.pk)


def test_publishing_waits_where_it_needs_two_people(drafted: Run, known: Approvers) -> None:
    known.emails = [ANN]
    Tenant.objects.update(two_people=True)
    seen = [word for check in drafted.impact["checks"] for word in ("--seen", check["code"])]
    assert "Publishing a draft, asked for by command line: waits" in said("draft", "acme", "--publish", *seen, code=3)
    assert drafted.tenant.configurations.current().number == 2
