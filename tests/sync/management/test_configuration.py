"""configuration_export and configuration_import: a file for git, and back into the draft."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sync.configuration import mappings, versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.settings import set_settings
from sync.models import AuditEntry, Tenant
from sync.rules.leavers import DISABLING
from tests.world.ms_schema import SAMPLE, GraphWithJobs, attribute, only, row

pytestmark = pytest.mark.django_db
JO = "jo@acme.example"


def export(*options: Any) -> tuple[Any, str]:
    """The document, and what was said beside it."""
    out, beside = io.StringIO(), io.StringIO()
    call_command("configuration_export", "acme", *options, stdout=out, stderr=beside)
    return json.loads(out.getvalue()), beside.getvalue()


def bring(path: Path, document: Any, *options: str) -> str:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    out = io.StringIO()
    call_command("configuration_import", "acme", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "configuration.json"


def test_a_file_goes_into_the_draft_and_the_differences_are_printed(tenant: Tenant, path: Path) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    document, beside = export()
    assert beside == ""
    document["settings"]["everybody"] = True
    document["mappings"]["people"][3]["source"] = "department"
    said = bring(path, document)
    assert "mapping:user:title: source jobTitle -> department" in said
    assert "acme: changed in the draft: 2" in said
    assert draft_or_current(tenant).everybody is True
    assert tenant.configurations.current().everybody is False
    assert AuditEntry.objects.filter(actor="command line").exists()


def test_a_dry_run_prints_the_same_and_changes_nothing(tenant: Tenant, path: Path) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    said = bring(path, {"settings": {"everybody": True}}, "--dry-run")
    assert "setting:everybody: value False -> True" in said
    assert "would change 1" in said
    assert tenant.configurations.draft() is None


def test_the_same_again_is_nothing_to_change(tenant: Tenant, path: Path) -> None:
    assert bring(path, export()[0]) == "acme: nothing to change\n"


def test_a_version_and_the_draft_can_be_named(tenant: Tenant) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    set_settings(actor=JO, tenant=tenant, everybody=True)
    assert export()[0]["settings"]["everybody"] is False
    assert export("--version", "1")[0]["settings"]["everybody"] is False
    assert export("--draft")[0]["settings"]["everybody"] is True
    with pytest.raises(CommandError, match="no version 7"):
        export("--version", "7")
    with pytest.raises(CommandError, match="not both"):
        export("--version", "1", "--draft")


def test_microsofts_schema_goes_in_with_a_report_and_out_again(tenant: Tenant, path: Path) -> None:
    said = bring(path, SAMPLE)
    assert "user mapping userName: taken over." in said
    assert "user mapping locale: taken over with a change. Microsoft's “ObjectAddOnly”" in said
    assert 'user mapping roles[primary eq "True"].value: left out. AWS IAM Identity Center has no app roles' in said
    document, beside = export("--microsoft")
    assert beside == ""
    assert bring(path, document).endswith("acme: nothing to change\n")


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_import_under_which_leavers_stay_says_so_and_names_the_remedy(
    tenant: Tenant, path: Path, options: tuple[str, ...]
) -> None:
    document, _beside = export()
    people = document["mappings"]["people"]
    document["mappings"]["people"] = [row for row in people if row["target"] != "active"]
    said = bring(path, document, *options)
    assert "Warning: Nobody who leaves is disabled in AWS" in said
    assert "disable_leavers acme" in said
    assert "Warning" not in bring(path, SAMPLE, "--dry-run")
    blocked_only = only(row("active", attribute("accountEnabled")))
    assert "Warning: Whoever is taken out of scope" in bring(path, blocked_only, "--dry-run")


def test_the_command_has_leavers_disabled(tenant: Tenant) -> None:
    found = draft_or_current(tenant).mappings.get(object_type="user", target="active")
    mappings.remove_mapping(actor=JO, tenant=tenant, row=found)
    versions.make_version(draft_or_current(tenant), actor=JO)
    out = io.StringIO()
    call_command("disable_leavers", "acme", stdout=out)
    assert "Publish the draft" in out.getvalue()
    found = draft_or_current(tenant).mappings.get(object_type="user", target="active")
    assert found.source == DISABLING.source


def test_what_microsofts_file_cannot_say_is_said_beside_it(tenant: Tenant, path: Path) -> None:
    bring(path, {"settings": {"actions": {"people": ["create", "update"]}}})
    assert "Microsoft has no action Disable" in export("--microsoft")[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ('{"a": 1, "a": 1}', "twice"), ('{"settings": {"x": 1}}', "settings.x: is not known")],
)
def test_a_bad_file_is_refused_whole(tenant: Tenant, path: Path, content: str, said: str) -> None:
    with pytest.raises(CommandError, match="Nothing was changed") as caught:
        bring(path, content)
    assert said in str(caught.value)


def test_an_unknown_tenant_or_file_is_said(tenant: Tenant, path: Path) -> None:
    with pytest.raises(CommandError, match="Known: acme"):
        call_command("configuration_export", "nobody")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("configuration_import", "acme", str(path / "missing"))


def test_the_schema_of_an_application_is_read_from_entra(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microsoft, "graph_client", lambda _tenant: GraphWithJobs("aws.1"))
    call_command("configuration_import", "acme", application="5f8d1c0a", stdout=io.StringIO())
    assert draft_or_current(tenant).mappings.get(target="title").source == "aws.1"


def test_of_several_jobs_one_has_to_be_named(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microsoft, "graph_client", lambda _tenant: GraphWithJobs("aws.1", "aws.2"))
    with pytest.raises(
        CommandError, match=r"several provisioning jobs.*\n--job aws\.1  customappsso Active\n--job aws\.2 "
    ):
        call_command("configuration_import", "acme", application="5f8d1c0a")
    with pytest.raises(CommandError, match=r"no provisioning job “aws\.3”"):
        call_command("configuration_import", "acme", application="5f8d1c0a", job="aws.3")
    call_command("configuration_import", "acme", application="5f8d1c0a", job="aws.2", stdout=io.StringIO())
    assert draft_or_current(tenant).mappings.get(target="title").source == "aws.2"


@pytest.mark.parametrize("options", [{}, {"file": "x.json", "application": "5f8d1c0a"}])
def test_either_a_file_or_an_application_is_named(tenant: Tenant, options: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="Name a file, or an enterprise application"):
        call_command("configuration_import", "acme", **options)
