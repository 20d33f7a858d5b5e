"""Export and import as pages: two steps, nothing kept between them, everything that is wrong said in place."""

import copy
import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sync.configuration import versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.writing import export_configuration
from sync.configuration.settings import set_settings
from sync.graph.errors import Forbidden
from sync.models import AuditEntry, Tenant
from tests.world.ms_schema import SAMPLE, GraphWithJobs, from_the_sdk

pytestmark = pytest.mark.django_db
IMPORT, EXPORT = "/t/acme/configuration/import/", "/t/acme/configuration/export/"
JO = "jo@acme.example"


@pytest.fixture
def document(tenant: Tenant) -> dict[str, Any]:
    """The file of a published version, with two edits."""
    versions.make_version(draft_or_current(tenant), actor=JO)
    found = copy.deepcopy(export_configuration(draft_or_current(tenant)))
    found["settings"]["everybody"] = True
    next(row for row in found["mappings"]["people"] if row["target"] == "title")["source"] = "department"
    return found


def check(jo: Client, content: Any, **more: Any) -> Any:
    text = content if isinstance(content, str) else json.dumps(content)
    return jo.post(IMPORT, {"step": "file", "text": text, **more})


def carried(page: Any) -> dict[str, str]:
    """The hidden fields of the second step."""
    found = re.findall(r'<input type="hidden" name="(step|seen|document)" value="([^"]*)">', page.content.decode())
    return {name: html.unescape(value) for name, value in found}


def test_a_pasted_file_shows_what_it_would_change_and_changes_nothing(
    tenant: Tenant, jo: Client, document: dict[str, Any]
) -> None:
    page = check(jo, document)
    text = page.content.decode()
    assert page.status_code == 200
    assert "<del><code>jobTitle</code></del>" in text
    assert "<ins><code>department</code></ins>" in text
    assert "<ins>on</ins>" in text
    assert tenant.configurations.draft() is None


@pytest.mark.parametrize("kind", ["ours", "microsoft"])
def test_a_file_under_which_leavers_stay_says_so(
    tenant: Tenant, jo: Client, document: dict[str, Any], kind: str
) -> None:
    assert "stays active in AWS" not in check(jo, document).content.decode()
    people = document["mappings"]["people"]
    people[:] = [row for row in people if row["target"] != "active"]
    people.append({"target": "active", "type": "direct", "source": "accountEnabled"})
    assert "Whoever is taken out of scope stays active in AWS" in check(jo, document).content.decode()
    people.pop()
    if kind == "microsoft":
        take = carried(check(jo, document))
        jo.post(IMPORT, take)
        document = microsoft.export_schema(draft_or_current(tenant))[0]
    assert "Nobody who leaves is disabled in AWS" in check(jo, document).content.decode()


def test_the_second_step_puts_it_into_the_draft(tenant: Tenant, jo: Client, document: dict[str, Any]) -> None:
    answer = jo.post(IMPORT, carried(check(jo, document)), follow=True)
    assert answer.redirect_chain == [("/t/acme/draft/", 302)]
    assert "2 changes are in the draft" in answer.content.decode()
    draft = tenant.configurations.draft()
    assert draft is not None
    assert draft.everybody
    assert {one["by"] for one in draft.edits.values()} == {JO}


def test_an_uploaded_file_is_read(jo: Client, document: dict[str, Any]) -> None:
    file = SimpleUploadedFile("acme.json", b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert "Put into the draft" in jo.post(IMPORT, {"step": "file", "file": file}).content.decode()


def test_a_file_without_a_change_says_so(tenant: Tenant, jo: Client) -> None:
    page = check(jo, export_configuration(draft_or_current(tenant))).content.decode()
    assert "The file says what is configured already" in page
    assert "Put into the draft" not in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a file, or paste its text."),
        ("{", "This is not JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"settings": {"everybody": 1}, "x": 1}', "settings.everybody: must be true or false"),
        ('{"mappings": {"people": []}}', "mappings.people: lacks what AWS requires"),
        ('{"synchronizationRules": []}', "no rule that takes users or groups"),
        ('{"SynchronizationRules": "System.Object[]"}', "was cut off when it was exported"),
        ('{"error": {"code": "Forbidden", "message": "No."}}', "an error of Microsoft Graph, not a schema: Forbidden"),
        ("AdditionalProperties : {}", "Export it with ConvertTo-Json -Depth 20"),
    ],
)
def test_a_bad_file_is_refused_in_place_and_what_was_typed_stays(
    tenant: Tenant, jo: Client, text: str, said: str
) -> None:
    answer = check(jo, text)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert said in page
    assert text in page
    assert "<title>Error:" in page


def test_a_file_that_is_too_large_is_refused_in_words(tenant: Tenant, jo: Client) -> None:
    file = SimpleUploadedFile("big.json", b" " * (5 * 1024 * 1024 + 1))
    answer = jo.post(IMPORT, {"step": "file", "file": file})
    assert (answer.status_code, "larger than 5 MB" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("name", ["acme.zip", "acme.json.exe", "acme"])
def test_a_file_of_another_kind_is_refused_by_its_name(tenant: Tenant, jo: Client, name: str) -> None:
    answer = jo.post(IMPORT, {"step": "file", "file": SimpleUploadedFile(name, b"{}")})
    assert (answer.status_code, "ends in .json or .txt" in answer.content.decode()) == (422, True)


def test_what_somebody_changed_meanwhile_is_shown_again_and_not_overwritten(
    tenant: Tenant, jo: Client, document: dict[str, Any]
) -> None:
    fields = carried(check(jo, document))
    set_settings(actor="ravi@acme.example", tenant=tenant, leave_out_guests=True)
    answer = jo.post(IMPORT, fields)
    assert answer.status_code == 409
    assert "Somebody has changed the configuration meanwhile" in answer.content.decode()
    assert draft_or_current(tenant).everybody is False
    assert jo.post(IMPORT, carried(answer)).status_code == 302
    assert draft_or_current(tenant).everybody is True


def test_what_the_second_step_brings_is_checked_like_any_file(tenant: Tenant, jo: Client) -> None:
    bad = {"step": "take", "seen": "x", "document": '{"mappings": {"people": []}}'}
    assert jo.post(IMPORT, bad).status_code == 422
    assert jo.post(IMPORT, {"step": "take"}).status_code == 422
    assert draft_or_current(tenant).mappings.filter(object_type="user").count() == 22


def test_microsofts_schema_brings_a_report(tenant: Tenant, jo: Client) -> None:
    page = check(jo, SAMPLE)
    text = html.unescape(page.content.decode())
    assert "28 taken over, 4 with a change, 7 left out" in text
    assert "AWS IAM Identity Center has no app roles" in text
    assert jo.post(IMPORT, carried(page)).status_code == 302
    assert draft_or_current(tenant).mappings.get(target="locale").apply == "create"


def test_what_powershell_writes_brings_the_same_report(tenant: Tenant, jo: Client) -> None:
    content = json.dumps(from_the_sdk(SAMPLE), indent=2).replace("\n", "\r\n").encode("utf-16")
    page = jo.post(IMPORT, {"step": "file", "file": SimpleUploadedFile("schema.json", content)})
    assert "28 taken over, 4 with a change, 7 left out" in page.content.decode()


def test_the_schema_is_read_from_entra(tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(microsoft, "fetch", lambda tenant, application, job: asked.append((application, job)) or SAMPLE)
    page = jo.post(IMPORT, {"step": "entra", "application": "5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21"})
    assert "Put into the draft" in page.content.decode()
    assert asked == [("5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21", "")]


def test_of_several_jobs_one_is_chosen(tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microsoft, "client_of", lambda _tenant: GraphWithJobs("aws.1", "aws.2"))
    asked = {"step": "entra", "application": "5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21"}
    assert 'name="job"' not in jo.get(IMPORT).content.decode()
    page = jo.post(IMPORT, asked).content.decode()
    assert "has several. Choose the one to read." in page
    assert "customappsso · Active · aws.2" in page
    assert asked["application"] in page
    page = jo.post(IMPORT, {**asked, "job": "aws.2"}).content.decode()
    assert "Put into the draft" in page
    assert "aws.2" in page
    answer = jo.post(IMPORT, {**asked, "job": "aws.3"})
    assert (answer.status_code, "no provisioning job “aws.3”" in answer.content.decode()) == (422, True)


def test_a_missing_permission_is_named_at_the_field(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def synchronization_jobs(self, _principal: str) -> Any:
            raise Forbidden("no", status=403)

    monkeypatch.setattr(microsoft, "client_of", lambda _tenant: Refusing())
    answer = jo.post(IMPORT, {"step": "entra", "application": "5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21"})
    assert answer.status_code == 422
    assert "Synchronization.Read.All is missing" in answer.content.decode()
    assert jo.post(IMPORT, {"step": "entra", "application": ""}).status_code == 422


def test_a_download_is_a_file_that_can_be_imported_and_stands_in_the_audit_log(
    tenant: Tenant, jo: Client, document: dict[str, Any]
) -> None:
    set_settings(actor=JO, tenant=tenant, everybody=True)
    answer = jo.get(f"{EXPORT}?download=lockstep&version=1")
    assert answer["Content-Disposition"] == 'attachment; filename="acme-configuration-1.json"'
    assert json.loads(answer.content)["settings"]["everybody"] is False
    assert json.loads(jo.get(f"{EXPORT}?download=lockstep").content)["settings"]["everybody"] is True
    schema = jo.get(f"{EXPORT}?download=microsoft&version=draft")
    assert schema["Content-Disposition"] == 'attachment; filename="acme-synchronization-schema-draft.json"'
    assert len(json.loads(schema.content)["synchronizationRules"]) == 1
    assert AuditEntry.objects.filter(verb="configuration.export", actor=JO).count() == 3


def test_the_export_page_names_what_microsofts_schema_cannot_say(tenant: Tenant, jo: Client) -> None:
    assert "cannot say" not in jo.get(EXPORT).content.decode()
    set_settings(actor=JO, tenant=tenant, user_actions=["create", "update"])
    assert "Microsoft has no action Disable" in jo.get(EXPORT).content.decode()


@pytest.mark.parametrize("version", ["7", "x", "-1", "9" * 30, "draft"])
def test_a_version_that_does_not_exist_is_not_found(tenant: Tenant, jo: Client, version: str) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    assert jo.get(f"{EXPORT}?version={version}").status_code == 404


def test_the_pages_query_count_does_not_grow_with_rows(
    tenant: Tenant, jo: Client, document: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    document["assignments"] = [
        {"type": "group", "id": f"aaaaaaaa-1111-4111-8111-{n:012}", "name": f"G{n}"} for n in range(200)
    ]
    with django_assert_max_num_queries(45):
        assert check(jo, document).content.decode().count("<ins>assigned</ins>") == 200
