"""`draft` and `versions` on the command line: thin callers, with the same refusals as the pages."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sync.configuration import drafts
from sync.models import Run, Tenant
from sync.worker import execution
from tests.world.drafted import edit_title, preview_of, publish_unseen, with_draft, with_versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def drafted(tenant: Tenant) -> Run:
    with_versions(tenant)
    return preview_of(tenant, with_draft(tenant))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command(*arguments)
    return capsys.readouterr().out


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, *arguments, "--json"))
    return found


def test_the_changes_are_listed(drafted: Run, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "draft", "acme")
    assert "~ mapping:user:title  source: 'department' -> 'companyName'" in text
    assert "+ assignment:group:" in text
    assert len(report(capsys, "draft", "acme")["changes"]) == 4


def test_without_changes_it_says_so(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    with_versions(tenant)
    assert "Everything is published." in said(capsys, "draft", "acme")
    with pytest.raises(CommandError, match="Everything is published"):
        call_command("draft", "acme", "--preview")


def test_publishing_needs_a_preview_and_what_it_asks_to_be_seen(
    drafted: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted.impact["checks"].append({"code": "guests", "level": "attention", "n": 2, "limit": 0})
    drafted.save()
    with pytest.raises(SystemExit):
        call_command("draft", "acme", "--publish")
    assert "guests: 2" in capsys.readouterr().out
    found = report(capsys, "draft", "acme", "--publish", "--comment", "Because", "--seen", "guests")
    assert found == {"published": 3, "comment": "Because"}


def test_a_preview_of_an_older_draft_publishes_nothing(drafted: Run, capsys: pytest.CaptureFixture[str]) -> None:
    edit_title(drafted.tenant, "mail")
    with pytest.raises(SystemExit):
        call_command("draft", "acme", "--publish", "--json")
    assert json.loads(capsys.readouterr().out)["missing"] == ["stale"]


def test_the_preview_is_carried_out_here_and_now(
    drafted: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_title(drafted.tenant, "mail")

    def pretended(run_id: int) -> Run:
        Run.objects.filter(pk=run_id).update(state="completed", impact=drafted.impact)
        return Run.objects.get(pk=run_id)

    monkeypatch.setattr(execution, "execute_run", pretended)
    text = said(capsys, "draft", "acme", "--preview")
    assert "5 people would change. 1 would be created, 1 updated, 2 lose access, 1 deleted. 1163 stay" in text


def test_a_draft_is_discarded(drafted: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, "draft", "acme", "--discard")["discarded"] is True
    assert drafts.differs(drafted.tenant) == []


def test_versions_are_listed_shown_and_compared(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    with_versions(tenant)
    numbers = [one["number"] for one in report(capsys, "versions", "acme")["versions"]]
    assert numbers == [2, 1]
    assert "source: 'jobTitle' -> 'department'" in said(capsys, "versions", "acme", "--show", "2")
    assert "source: 'department' -> 'jobTitle'" in said(capsys, "versions", "acme", "--compare", "2", "1")
    with pytest.raises(CommandError, match="no version 9"):
        call_command("versions", "acme", "--show", "9")


def test_a_version_is_restored_as_a_draft_unless_one_is_in_the_way(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    with_versions(tenant)
    assert "The draft equals version 1." in said(capsys, "versions", "acme", "--restore", "1")
    assert drafts.differs(tenant) == ["mapping:user:title"]
    with pytest.raises(CommandError, match="There is a draft with changes"):
        call_command("versions", "acme", "--restore", "1")


def test_a_sync_says_that_a_draft_is_not_published(
    drafted: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pretended(run_id: int) -> Run:
        Run.objects.filter(pk=run_id).update(state="completed")
        return Run.objects.get(pk=run_id)

    monkeypatch.setattr(execution, "execute_run", pretended)
    assert "A draft with 4 changes is not published" in said(capsys, "sync", "acme", "--confirm")
    assert report(capsys, "sync", "acme")["draft"] == 4
    publish_unseen(drafted.tenant)
    assert "draft" not in said(capsys, "sync", "acme")
