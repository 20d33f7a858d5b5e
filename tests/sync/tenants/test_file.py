"""A tenant as one file: everything or nothing, twice the same, no secret out."""

import io
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sync.configuration import versions
from sync.configuration.current import configuration_of
from sync.connection.sealed import token_context
from sync.connection.sealing import unseal
from sync.models import Assignment, AttributeMapping, Interval, Tenant
from sync.rules.limits import Limits
from sync.scim.never_touch import NeverTouch
from sync.tenants.queries import FLAGS

pytestmark = pytest.mark.django_db
HANDBOOK = Path(__file__).parents[3] / "docs" / "tenant-file.md"

FILE: dict[str, Any] = {
    "version": 1,
    "name": "Acme",
    "slug": "acme",
    "time_zone": "Europe/Berlin",
    "entra": {
        "cloud": "global",
        "directory_id": "11111111-2222-4333-8444-555555555555",
        "client_id": "66666666-7777-4888-8999-000000000000",
        "credential": "secret",
        "secret": "not~a~real~secret",
        "ends_on": "2027-11-01",
    },
    "aws": {
        "endpoint": "https://scim.eu-central-1.amazonaws.com/11111111-2222-3333-4444-555555555555/scim/v2/",
        "token": "not-a-real-token",
        "token_created_on": "2026-11-23",
    },
    "assignments": [{"type": "group", "id": "aaaaaaaa-1111-4111-8111-111111111111", "name": "AWS-Admins"}],
    "schedule": {"interval_minutes": 60},
    "notification": {"email": "identity@acme.example", "on_failure": True},
    "safety": {
        "limits": {"people_at_most": 25, "shrink_percent": 10},
        "never_touch": ["AWS*", "Audit-*"],
        "adoption": "by_hand",
        "name_id": "mail",
        "delete_after_days": 0,
        "free_names": True,
        "verify_daily": False,
    },
}


def bring(tmp_path: Path, content: Any, *options: str) -> str:
    path = tmp_path / "tenant.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    out = io.StringIO()
    call_command("tenant_import", str(path), *options, stdout=out)
    return out.getvalue()


def test_a_file_makes_a_whole_tenant(tmp_path: Path) -> None:
    bring(tmp_path, FILE)
    tenant = Tenant.objects.get(slug="acme")
    assert tenant.interval == 60
    assert list(tenant.channels.values_list("kind", "email", "on")) == [("email", "identity@acme.example", True)]
    assert (tenant.limits, tenant.adoption) == ({"people_at_most": 25, "shrink_percent": 10}, "by_hand")
    assert tenant.never_touch == ["AWS*", "Audit-*"]
    assert (tenant.name_id, tenant.delete_after_days, tenant.free_names) == ("mail", 0, True)
    assert (tenant.verify_daily, tenant.repair) == (False, False)
    assert unseal(tenant.aws.sealed_token, token_context(tenant.aws)) == "not-a-real-token"
    assert tenant.aws.endpoint.endswith("/scim/v2")
    assert Assignment.objects.get().display_name == "AWS-Admins"
    assert AttributeMapping.objects.filter(configuration=configuration_of(tenant)).count() == 25


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    bring(tmp_path, FILE)
    tenant = Tenant.objects.get()
    before = (tenant.aws.changed_at, tenant.entra.changed_at, configuration_of(tenant).changed_at)
    bring(tmp_path, FILE)
    tenant = Tenant.objects.get()
    assert (tenant.aws.changed_at, tenant.entra.changed_at, configuration_of(tenant).changed_at) == before


def test_what_goes_out_comes_in_again_and_holds_no_secret(tmp_path: Path) -> None:
    bring(tmp_path, FILE)
    out = io.StringIO()
    call_command("tenant_export", "acme", stdout=out)
    assert "not~a~real" not in out.getvalue()
    assert "not-a-real" not in out.getvalue()
    Tenant.objects.all().delete()
    bring(tmp_path, out.getvalue())
    again = io.StringIO()
    call_command("tenant_export", "acme", stdout=again)
    assert json.loads(again.getvalue()) == json.loads(out.getvalue())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"aws": {"endpoint": "https://evil.example/"}}, "aws"),
        ({"schedule": {"interval_minutes": 7}}, "schedule"),
        ({"notification": {"email": "nobody"}}, "notification"),
        ({"mappings": {"people": [{"target": "nosuch", "type": "direct", "source": "mail"}]}}, "mappings.people[0]"),
        ({"assignments": [{"type": "robot", "id": "x"}]}, "assignments[0]"),
        ({"version": 99}, "version"),
        ({"name": "Evil\r\nBcc: a@b"}, "name"),
        ({"safety": {"limits": {"people_percent": 101}}}, "safety.limits.people_percent"),
        ({"safety": {"limits": {"people": 3}}}, "safety.limits.people"),
        ({"safety": {"limits": {"people_at_most": 1}}}, "people_at_most"),
        ({"safety": {"never_touch": "AWS*"}}, "safety.never_touch"),
        ({"safety": {"never_touch": [1]}}, "safety.never_touch"),
        ({"safety": {"delete_after_days": -1}}, "safety.delete_after_days"),
        ({"safety": {"adoption": "always"}}, "safety.adoption"),
        ({"safety": {"repair": "yes"}}, "safety.repair"),
    ],
)
def test_a_problem_is_named_with_its_place_and_nothing_is_changed(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(CommandError) as caught:
        bring(tmp_path, FILE | change)
    assert said in str(caught.value)
    assert not Tenant.objects.exists()


def test_a_file_that_is_not_json_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="JSON"):
        bring(tmp_path, "{")


def test_filters_and_settings_come_with_the_file_and_go_into_the_draft(tmp_path: Path) -> None:
    bring(tmp_path, FILE)
    tenant = Tenant.objects.get()
    version = versions.make_version(configuration_of(tenant), actor="jo")
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering"}
    more = {
        "filters": {"people": [{"title": "Engineers", "clauses": [clause]}]},
        "settings": {"leave_out_guests": True},
        "assignments": [{**FILE["assignments"][0], "nested": True, "send_group": False}],
    }
    bring(tmp_path, FILE | more)
    draft = tenant.configurations.draft()
    assert draft is not None
    assert (draft.filters.get().title, draft.leave_out_guests) == ("Engineers", True)
    assert (draft.assignments.get().nested, draft.assignments.get().send_group) == (True, False)
    assert configuration_of(tenant) == version
    assert not version.filters.exists()


def test_check_only_says_what_would_change(tmp_path: Path) -> None:
    assert bring(tmp_path, FILE, "--check")
    assert not Tenant.objects.exists()


def test_a_file_under_which_leavers_stay_is_told(tmp_path: Path) -> None:
    assert "Warning" not in bring(tmp_path, FILE)
    rows = [
        {"target": "userName", "source": "userPrincipalName", "match": 1},
        {"target": "displayName", "source": "displayName"},
        {"target": "name.givenName", "source": "givenName"},
        {"target": "name.familyName", "source": "surname"},
    ]
    said = bring(tmp_path, FILE | {"mappings": {"people": rows}}, "--check")
    assert "Warning: Nobody who leaves is disabled in AWS" in said
    assert "disable_leavers acme" in said


def test_the_example_of_the_handbook_disables_leavers_and_touches_its_own_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[3] / "docs" / "tenant-file.md").read_text(encoding="utf-8")
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    for name in ("ACME_CLIENT_SECRET", "ACME_SCIM_TOKEN"):
        monkeypatch.setenv(name, "a-made-up-secret")
    assert "Warning" not in bring(tmp_path, example)
    never_touch = NeverTouch(Tenant.objects.get().never_touch)
    assert [one["name"] for one in example["assignments"] if never_touch.matches(one["name"])] == []


@pytest.mark.pure
def test_the_handbook_names_every_limit_with_its_default() -> None:
    told: dict[str, int] = {}
    for names, values in re.findall(r"^\| (`.+?) \| ([\d, ]+) \|", HANDBOOK.read_text(), re.MULTILINE):
        told |= zip(re.findall("[a-z_]+", names), map(int, values.split(",")), strict=True)
    assert told == {one.name: one.default for one in fields(Limits)}


@pytest.mark.pure
def test_the_handbook_names_every_place_of_the_file() -> None:
    told = set(re.findall(r"`safety\.([a-z_]+)", HANDBOOK.read_text()))
    assert told == {"limits", "never_touch", "adoption", "name_id", "delete_after_days", *FLAGS}
    [intervals] = re.findall(r"`schedule.interval_minutes` \| (.+) \|", HANDBOOK.read_text())
    assert [int(one) for one in re.findall("[0-9]+", intervals)] == Interval.values
