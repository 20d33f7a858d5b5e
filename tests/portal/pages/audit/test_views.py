"""The audit log as pages: of a tenant, of the whole installation, filtered by their address, exported, checked."""

import ast
import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from portal.models import User
from portal.words.audit import ACTIONS
from sync import audit, context
from sync.audit import chain
from sync.audit.lines import line_of
from sync.models import AuditEntry, Tenant
from sync.tenants.services import create_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.both]
ROOT = Path(__file__).parents[4]


@pytest.fixture
def entries(tenant: Tenant) -> list[AuditEntry]:
    with context.within(request="ABC123", address="192.0.2.7"):
        one = audit.record("ravi@acme.example", "tenant.change", tenant, {"interval": 15}, {"interval": 30})
    two = audit.record("=evil", "logs.export", tenant, None, {"filters": {"q": "Zo\u200be"}})
    three = audit.record("", "sign_in.fail", None, None, {"with": "password"})
    chain.extend()
    return list(AuditEntry.objects.filter(pk__in=[one.pk, two.pk, three.pk]).order_by("pk"))


def shown(client: Client, path: str) -> set[str]:
    return {row["entry"].verb for row in client.get(path).context["rows"]}


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        ("q=192.0.2", {"tenant.change"}),
        ("q=abc123", {"tenant.change"}),
        ("q=acme&action=logs.export", {"logs.export"}),
        ("actor=RAVI@acme.example", {"tenant.change"}),
        ("address=192.0.2.7", {"tenant.change"}),
        ("action=refused", {"sign_in.fail"}),
        ("action=tenant.create", {"tenant.create"}),
        ("since=1&actor=nobody@acme.example", set()),
        ("since=x&action=tenant.create", {"tenant.create"}),
    ],
)
def test_the_log_is_filtered_by_its_address(entries: list[AuditEntry], jo: Client, query: str, verbs: set[str]) -> None:
    assert shown(jo, f"/audit/?{query}") == verbs


def test_a_tenants_page_has_what_was_done_there(entries: list[AuditEntry], jo: Client) -> None:
    create_tenant(actor="jo", name="Other")
    assert shown(jo, "/t/acme/audit/") == {"tenant.create", "tenant.change", "logs.export"}
    assert shown(jo, "/t/other/audit/") == {"tenant.create"}
    assert "sign_in.fail" in shown(jo, "/audit/")


def test_another_tenants_entry_is_not_found(entries: list[AuditEntry], jo: Client) -> None:
    create_tenant(actor="jo", name="Other")
    for path in (f"{entries[0].pk}/", f"?entry={entries[0].pk}", f"{entries[2].pk}/"):
        assert jo.get(f"/t/other/audit/{path}").status_code == 404


def test_the_panel_shows_before_after_origin_and_chain(entries: list[AuditEntry], jo: Client) -> None:
    for path in (f"/t/acme/audit/?entry={entries[0].pk}", f"/audit/{entries[0].pk}/"):
        page = jo.get(path).content.decode()
        for words in ("<del>15</del>", "<ins>30</ins>", "192.0.2.7", "ABC123", entries[0].chain_hash):
            assert words in page
    assert "U+200B" in jo.get(f"/audit/{entries[1].pk}/").content.decode()


@pytest.mark.parametrize("facts", ["x", ["x"], 5, {"x": [{"y": None}]}], ids=["text", "list", "number", "nested"])
def test_a_row_of_anything_hides_no_other(tenant: Tenant, jo: Client, facts: object) -> None:
    """Somebody with the database wrote it."""
    forged = audit.entry("eve", "tenant.change", tenant)
    forged.after = facts
    forged.save(force_insert=True)
    assert shown(jo, "/t/acme/audit/") == {"tenant.create", "tenant.change"}
    assert jo.get(f"/audit/{forged.pk}/").status_code == 200
    for kind in ("csv", "jsonl"):
        assert b"eve" in b"".join(jo.get(f"/audit/export/?format={kind}"))  # type: ignore[arg-type]


def test_lines_that_are_exported_are_those_of_the_table(entries: list[AuditEntry], jo: Client) -> None:
    answer = jo.get("/audit/export/?format=jsonl&actor=ravi@acme.example")
    assert answer.streaming
    assert [json.loads(line) for line in b"".join(answer).splitlines()] == [line_of(entries[0])]
    recorded = AuditEntry.objects.get(verb="audit.export")
    assert recorded.after == {"format": "jsonl", "filters": {"actor": "ravi@acme.example"}}


def test_csv_has_no_formulas(entries: list[AuditEntry], jo: Client) -> None:
    text = b"".join(jo.get("/t/acme/audit/export/?action=logs.export")).decode()
    [row] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["actor"], row["action"]) == ("'=evil", "logs.export")
    assert json.loads(row["after"]) == {"filters": {"q": "Zo\u200be"}}


def test_another_sites_link_starts_no_export(entries: list[AuditEntry], jo: Client) -> None:
    for path in ("/t/acme/audit/export/", "/audit/export/"):
        assert jo.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_whole_log_and_its_check_are_for_owners(
    entries: list[AuditEntry], viewer: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(viewer)
    assert client.get("/t/acme/audit/").status_code == 200
    for path in ("/audit/", "/audit/export/", "/audit/check/", f"/audit/{entries[0].pk}/"):
        assert client.get(path).status_code == 403


def test_the_check_says_whether_the_chain_is_unbroken(entries: list[AuditEntry], jo: Client) -> None:
    page = jo.post("/audit/check/").content.decode()
    assert "Unbroken" in page
    assert entries[-1].chain_hash in page
    assert AuditEntry.objects.get(verb="audit.check").after == {"entries": 4, "found": 0}
    forged = audit.entry("eve", "tenant.change", None)
    forged.save()
    assert "no key of the ring signed it" in jo.post("/audit/check/").content.decode()


def verbs_of(path: Path) -> Iterator[str]:
    """What is given as a verb: the second of `audit.record`, `audit.entry` and the draft's `note`."""
    for node in ast.walk(ast.parse(path.read_text())):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) > 2
        if is_call and node.func.attr in ("record", "entry", "note") and not isinstance(node.args[1], ast.JoinedStr):
            yield from (str(one.value) for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant))


def test_every_action_has_words() -> None:
    paths = [path for place in ("portal/access", "portal/pages", "sync") for path in (ROOT / place).rglob("*.py")]
    verbs = {verb for path in paths for verb in verbs_of(path)}
    assert len(verbs) > 40
    assert verbs - ACTIONS.keys() == set()
