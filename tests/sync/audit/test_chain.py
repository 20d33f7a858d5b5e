"""The audit log shows what was done to it: by somebody who may write to the database, and does not have the key."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection, transaction

from sync import audit
from sync.audit import chain, triggers, verification
from sync.audit.checking import last_check
from sync.audit.lines import to_text
from sync.keyring import new_ring_line
from sync.models import AuditEntry, AuditHead, Tenant
from sync.tasks import check_audit
from sync.tenants.services import create_tenant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture
def entries() -> list[AuditEntry]:
    """Six chained entries."""
    tenant = create_tenant(actor="jo@acme.example", name="Acme")
    for number in range(5):
        audit.record("jo@acme.example", "tenant.change", tenant, {"n": number}, {"n": number + 1, "name": "Zoë\u2028"})
    return list(AuditEntry.objects.order_by("position"))


@pytest.fixture
def as_attacker() -> Iterator[None]:
    """The triggers are out of the way: whoever owns the tables can do that."""
    tables = [triggers.TABLE, triggers.HEAD] if connection.vendor == "postgresql" and _triggers() else []
    for table in tables:
        _run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        _run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _triggers() -> list[Any]:
    """None where the tables were made without migrations."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'lockstep_keep_audit%%'")
        return cursor.fetchall()


@contextmanager
def kept() -> Iterator[None]:
    """With the triggers of both tables; SQLite has none."""
    made_here = not _triggers()
    if made_here:
        _run(triggers.CREATE)
        _run(triggers.CREATE_HEAD)
    try:
        yield
    finally:
        if made_here:
            _run(triggers.DROP_HEAD)
            _run(triggers.DROP)


def _run(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def codes() -> set[str]:
    return {finding.code for finding in verification.verify().findings}


def test_an_untouched_log_is_unbroken(entries: list[AuditEntry]) -> None:
    report = verification.verify()
    assert (report.entries, report.found, report.waiting) == (6, 0, 0)
    assert report.since == entries[0].at
    assert report.last_hash == entries[-1].chain_hash


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "eve@acme.example"),
        ("address", "192.0.2.1"),
        ("verb", "tenant.create"),
        ("request_id", "X"),
        ("object_name", "Other"),
        ("before", {"n": 99}),
        ("after", None),
        ("at", "2020-01-01T00:00:00Z"),
        ("tenant", None),
        ("mac", "0" * 64),
        ("key", "other"),
        ("chain_hash", "0" * 64),
    ],
)
def test_a_changed_field_shows(entries: list[AuditEntry], as_attacker: None, field: str, value: object) -> None:
    AuditEntry.objects.filter(pk=entries[2].pk).update(**{field: value})
    report = verification.verify()
    assert 3 in {finding.position for finding in report.findings}
    assert {finding.code for finding in report.findings} <= {"changed", "moved"}


def test_a_removed_row_shows(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditEntry.objects.filter(pk=entries[2].pk).delete()
    assert [(one.code, one.position) for one in verification.verify().findings] == [("missing", 3)]


def test_a_removed_row_shows_when_the_rest_moves_up(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditEntry.objects.filter(pk=entries[2].pk).delete()
    for entry in entries[3:]:
        AuditEntry.objects.filter(pk=entry.pk).update(position=(entry.position or 0) - 1)
    assert codes() == {"moved", "cut-off"}


def test_an_inserted_row_shows_at_the_end_and_unchained(entries: list[AuditEntry], as_attacker: None) -> None:
    forged = AuditEntry.objects.get(pk=entries[-1].pk)
    for position in (7, None):
        forged.pk, forged.uid, forged.position = None, audit.entry("", "x", None).uid, position
        forged.save(force_insert=True)
    assert codes() == {"beyond", "outside"}
    # The next real entry takes neither in.
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    assert {"beyond", "outside"} <= codes()


def test_a_signature_of_no_letters_shows_and_stops_nothing(entries: list[AuditEntry], as_attacker: None) -> None:
    """Anybody who may insert could stop the chain by one row, and the check by changing another."""
    for mac in ("é", "\U0001f511"):
        forged = audit.entry("eve@acme.example", "x", None, None, {})
        forged.key, forged.mac = chain.signing_key(), mac
        forged.save(force_insert=True)
    AuditEntry.objects.filter(pk=entries[2].pk).update(mac="é" * 64)
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    assert AuditEntry.objects.get(position=7).actor == "jo@acme.example"
    assert codes() == {"changed", "outside"}
    AuditHead.objects.update(mac="é" * 64)
    assert "head" in codes()


@pytest.mark.parametrize(
    "text", ["[" * 2000 + "]" * 2000, '{"n": 1' + "0" * 5000 + "}", '"x"'], ids=["deep", "long", "no object"]
)
def test_facts_that_nobody_can_read_show_and_stop_nothing(
    entries: list[AuditEntry], as_attacker: None, text: str
) -> None:
    forged = audit.entry("eve@acme.example", "x", None)
    forged.save(force_insert=True)
    for entry in (forged, entries[2]):
        _run("UPDATE sync_auditentry SET after = %s WHERE id = %s", text, entry.pk)
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    assert AuditEntry.objects.get(position=7).actor == "jo@acme.example"
    assert codes() == {"changed", "outside"}


@pytest.mark.only("sqlite")
def test_text_that_no_encoding_has_shows_and_stops_nothing(entries: list[AuditEntry]) -> None:
    """PostgreSQL takes no lone surrogate."""
    _run("UPDATE sync_auditentry SET after = %s WHERE position = 3", r'{"name": "\ud800"}')
    assert codes() == {"changed"}


@pytest.mark.parametrize(
    "line",
    [
        '{"uid": "x"}', "[" * 100_000, "null", '{"position": 1}',
        '{"uid": "00000000-0000-4000-8000-000000000000", "position": [1]}', '{"uid": "00000000-0000-4000-8000-000000000000"}',
    ],
)  # fmt: skip
def test_a_line_of_anything_is_a_finding(entries: list[AuditEntry], line: str) -> None:
    report = verification.verify()
    verification.compare_shipped(report, [line])
    assert [one.code for one in report.findings] == ["shipped"]


def test_a_row_cannot_be_inserted_twice(entries: list[AuditEntry]) -> None:
    copy = AuditEntry.objects.get(pk=entries[0].pk)
    copy.pk = copy.position = None
    with pytest.raises(Exception, match=r"(?i)unique"):
        copy.save(force_insert=True)


def test_swapped_rows_show(entries: list[AuditEntry], as_attacker: None) -> None:
    one, other = entries[1], entries[3]
    for entry, position in ((one, -1), (other, one.position), (one, other.position)):
        AuditEntry.objects.filter(pk=entry.pk).update(position=position)
    assert codes() == {"moved"}
    assert {2, 4} <= {finding.position for finding in verification.verify().findings}


def test_a_truncated_end_shows(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditEntry.objects.filter(position__gt=4).delete()
    assert codes() == {"cut-off"}
    # To wind the end back takes the key.
    AuditHead.objects.update(position=4, chain_hash=entries[3].chain_hash)
    assert codes() == {"head"}


def test_a_log_that_was_emptied_shows(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditEntry.objects.all().delete()
    assert codes() == {"cut-off"}
    AuditHead.objects.all().delete()
    audit.record("eve", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    # Nothing in the database can show this: the lines that were shipped do.
    report = verification.verify()
    verification.compare(report, [to_text(entry) for entry in entries])
    assert report.found == 6


def test_a_changed_key_shows(entries: list[AuditEntry], settings: LazySettings) -> None:
    name = settings.SEAL_KEYS.partition(":")[0]
    settings.SEAL_KEYS = f"{name}:{new_ring_line().partition(':')[2]}"
    assert {"key", "head"} <= codes()
    settings.SEAL_KEYS = new_ring_line()
    assert codes() == {"key"}


def test_a_chain_made_anew_without_the_key_shows(
    entries: list[AuditEntry], as_attacker: None, settings: LazySettings
) -> None:
    ours = settings.SEAL_KEYS
    settings.SEAL_KEYS = f"{ours.partition(':')[0]}:{new_ring_line().partition(':')[2]}"
    before = ""
    for entry in entries:
        entry.actor = "eve@acme.example"
        chain.sign(entry)
        entry.chain_hash = before = chain.link(before, entry)
        entry.save()
    head = AuditHead.objects.get()
    head.chain_hash = before
    chain.sign_head(head)
    head.save()
    settings.SEAL_KEYS = ours
    assert {"changed", "key", "head"} <= codes()


def test_a_new_first_key_signs_on_and_the_old_one_may_go(entries: list[AuditEntry], settings: LazySettings) -> None:
    old, new = settings.SEAL_KEYS, new_ring_line()
    settings.SEAL_KEYS = f"{new}\n{old}"
    chain.extend()
    assert codes() == set()
    settings.SEAL_KEYS = new
    assert codes() == set()
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    assert codes() == set()


def test_what_the_old_key_signed_is_still_held_by_the_new_one(
    entries: list[AuditEntry], as_attacker: None, settings: LazySettings
) -> None:
    settings.SEAL_KEYS = f"{new_ring_line()}\n{settings.SEAL_KEYS}"
    chain.extend()
    settings.SEAL_KEYS = settings.SEAL_KEYS.partition("\n")[0]
    AuditEntry.objects.filter(pk=entries[2].pk).update(actor="eve@acme.example")
    assert "changed" in codes()


def test_a_lost_key_is_left_behind_by_forgetting_it(entries: list[AuditEntry], settings: LazySettings) -> None:
    lost = settings.SEAL_KEYS.partition(":")[0]
    settings.SEAL_KEYS = new_ring_line()
    assert codes() == {"key"}
    chain.forget_key(lost)
    assert codes() == set()


def test_an_end_that_is_not_ours_is_not_signed_over(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditHead.objects.update(position=4, chain_hash=entries[3].chain_hash, key="gone")
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    report = verification.verify()
    assert report.waiting == 1
    assert "key" in {finding.code for finding in report.findings}


def test_an_entry_is_chained_when_its_transaction_is_through(entries: list[AuditEntry]) -> None:
    with transaction.atomic():
        entry = audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
        entry.refresh_from_db()
        assert entry.position is None
    entry.refresh_from_db()
    assert entry.position == 7


def test_the_command_says_it_by_its_exit_code(
    entries: list[AuditEntry], as_attacker: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = tmp_path / "audit.jsonl"
    lines.write_text("".join(to_text(entry) for entry in entries))
    call_command("audit_verify", "--json", "--lines", str(lines))
    said = json.loads(capsys.readouterr().out)
    assert (said["entries"], said["found"], said["last_hash"]) == (6, 0, entries[-1].chain_hash)
    AuditEntry.objects.filter(pk=entries[2].pk).update(actor="eve@acme.example")
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", "--lines", str(lines))
    assert ended.value.code == 3
    assert "Entry 3 is not what was signed" in capsys.readouterr().out


@pytest.mark.only("postgresql")
@pytest.mark.parametrize(
    "act",
    [
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(actor="eve"),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(position=99),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).delete(),
        lambda entry: _run(f"TRUNCATE {triggers.TABLE}"),
    ],
    ids=["change", "move", "delete", "truncate"],
)
def test_postgresql_refuses_to_change_an_entry(entries: list[AuditEntry], act: Callable[[AuditEntry], None]) -> None:
    with kept(), pytest.raises(Exception, match="append-only"), transaction.atomic():
        act(entries[2])
    assert codes() == set()


@pytest.mark.only("postgresql")
@pytest.mark.parametrize(
    "act",
    [
        lambda old: old.save(),
        lambda old: AuditHead.objects.update(position=old.position),
        lambda _old: AuditHead.objects.update(chain_hash="0" * 64),
        lambda _old: AuditHead.objects.update(shipped=99),
        lambda _old: AuditHead.objects.all().delete(),
        lambda _old: _run(f"TRUNCATE {triggers.HEAD}"),
    ],
    ids=["put back", "wind back", "another end", "pass over", "delete", "truncate"],
)
def test_postgresql_lets_the_end_only_move_on(entries: list[AuditEntry], act: Callable[[AuditHead], None]) -> None:
    old = AuditHead.objects.get()
    audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "x"})
    with kept():
        with pytest.raises(Exception, match="only moves on"), transaction.atomic():
            act(old)
        audit.record("jo@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": "y"})
        AuditHead.objects.update(shipped=8, ship_failures=1)
        chain.forget_key("other")
    assert codes() == set()
    assert AuditHead.objects.get().position == 8


@pytest.mark.only("postgresql")
def test_an_end_before_any_entry_may_go(db: None) -> None:
    """A backup is restored into a database in which a beat may have looked already."""
    with kept():
        for empty in (lambda: AuditHead.objects.all().delete(), lambda: _run(f"TRUNCATE {triggers.HEAD}")):
            chain.extend()
            empty()
            assert not AuditHead.objects.exists()


def test_an_older_end_that_was_put_back_shows_by_the_lines_that_were_shipped(
    entries: list[AuditEntry], as_attacker: None
) -> None:
    """Its signature is genuine: the database alone cannot tell."""
    old = AuditHead.objects.get()
    for name in ("x", "y"):
        audit.record("eve@acme.example", "tenant.change", Tenant.objects.get(), {}, {"name": name})
    arrived = [to_text(entry) for entry in AuditEntry.objects.order_by("position")]
    AuditEntry.objects.filter(position__gt=old.position).delete()
    old.save()
    report = verification.verify()
    assert report.found == 0
    verification.compare_shipped(report, arrived)
    assert [(one.code, one.position) for one in report.findings] == [("shipped", 7), ("shipped", 8)]


@pytest.mark.parametrize(
    ("arrived", "said"),
    [
        (range(1, 7), []),
        # The newest file of them, and lines that came twice or before they were marked.
        ([4, 5, 5, 6], []),
        ([1, 2, 5, 6], ["Lines that the table has were never shipped: 3 to 4."]),
        ([2, 4], ["Lines that the table has were never shipped: 3, 5."]),
        ([], ["Lines that the table has were never shipped: 1 to 5."]),
    ],
)
def test_lines_that_were_passed_over_show(entries: list[AuditEntry], arrived: list[int], said: list[str]) -> None:
    """Somebody set the mark forward."""
    AuditHead.objects.update(shipped=5)
    report = verification.verify()
    verification.compare_shipped(report, [to_text(entries[position - 1]) for position in arrived])
    assert [one.sentence for one in report.findings] == said


def test_a_mark_beyond_the_end_shows(entries: list[AuditEntry], as_attacker: None) -> None:
    AuditHead.objects.update(shipped=7)
    assert codes() == {"ahead"}


def test_the_command_compares_all_that_was_shipped(
    entries: list[AuditEntry], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    AuditHead.objects.update(shipped=6)
    lines = tmp_path / "audit.jsonl"
    lines.write_text("".join(to_text(entry) for entry in entries))
    call_command("audit_verify", "--shipped", str(lines))
    lines.write_text("".join(to_text(entry) for entry in entries[:4]))
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", "--shipped", str(lines))
    assert ended.value.code == 3
    assert "never shipped: 5 to 6" in capsys.readouterr().out


def test_the_nightly_check_leaves_an_entry_and_says_in_the_log_what_is_bad(
    entries: list[AuditEntry], as_attacker: None, caplog: pytest.LogCaptureFixture
) -> None:
    check_audit()
    checked = last_check()
    assert checked is not None
    assert (checked.entries, checked.found) == (6, 0)
    AuditEntry.objects.filter(pk=entries[2].pk).update(actor="eve@acme.example")
    check_audit()
    checked = last_check()
    assert checked is not None
    assert (checked.entries, checked.found) == (7, 1)
    assert AuditEntry.objects.latest("pk").actor == "nightly check"
    [line] = [one.msg for one in caplog.records if isinstance(one.msg, dict) and one.levelname == "ERROR"]
    assert (line["found"], line["codes"]) == (1, ["changed"])
