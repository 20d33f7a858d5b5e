"""The key ring and what hangs on it: sealing everything with the first key, one row at a time, while the product runs.

A rotation that is broken off loses nothing: every row is sealed with the one key or the other, and the next one goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import models, transaction

from sync import audit
from sync.audit import chain
from sync.connection.sealed import COLUMNS, SealedColumn
from sync.connection.sealing import CannotOpen, key_of, seal, unseal
from sync.keyring import parse_ring


@dataclass(frozen=True)
class SealedRow:
    """`key`: the id of the key that it hangs on. `opens`: with the ring of now."""

    column: SealedColumn
    row: models.Model
    key: str
    label: str
    opens: bool


@dataclass
class KeyUse:
    """`known`: the key is in the ring. `seals`: it is the first one."""

    key: str
    known: bool
    seals: bool
    rows: list[SealedRow] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """It opens nothing of what is said to hang on it: another key bears its name."""
        return self.known and bool(self.rows) and not any(row.opens for row in self.rows)


def sealed_rows() -> Iterator[SealedRow]:
    for column in COLUMNS:
        for row in column.rows():
            sealed = column.read(row)
            opens = _opened(sealed, column.context(row)) is not None
            yield SealedRow(column, row, key_of(sealed), column.label(row), opens)


def key_uses() -> list[KeyUse]:
    """The keys of the ring in their order, then those that rows hang on and the ring has not."""
    ring = list(parse_ring(settings.SEAL_KEYS))
    uses: dict[str, KeyUse] = {key: KeyUse(key, True, key == ring[0]) for key in ring}
    for row in sealed_rows():
        uses.setdefault(row.key, KeyUse(row.key, False, False)).rows.append(row)
    return list(uses.values())


def problems(uses: Iterable[KeyUse]) -> list[str]:
    """Why secrets that are stored cannot be opened, one sentence a key; damage to a single row is that tenant's own matter."""
    return [_sentence(use) for use in uses if use.rows and (not use.known or use.wrong)]


def _sentence(use: KeyUse) -> str:
    tenants = ", ".join(row.label for row in use.rows[:3]) + (" …" if len(use.rows) > 3 else "")
    what = f"SEAL_KEYS has no key {use.key!r}" if not use.known else f"The key {use.key!r} of SEAL_KEYS is another one"
    return (
        f"{what}: {len(use.rows)} stored secrets were sealed with it and cannot be opened ({tenants}). Put its line back, "
        f"below the first. If it is lost, `manage.py rotate_key --forget {use.key}` empties them; enter them again then."
    )


def rotate(*, actor: str) -> Iterator[SealedRow]:
    """Seals with the first key whatever is sealed with another, and gives each row when it is done.

    One that does not open comes back as it is (`opens` is false) and stays."""
    first = next(iter(parse_ring(settings.SEAL_KEYS)))
    for found in sealed_rows():
        if found.key == first:
            continue
        if found.opens and not _seal_again(found, actor):
            continue
        yield found
    # The audit log's end hangs on the first key, too.
    chain.extend()


@transaction.atomic
def _seal_again(found: SealedRow, actor: str) -> bool:
    """False when somebody has entered another secret meanwhile: that one is sealed with the first key already."""
    column = found.column
    row = column.model._default_manager.select_for_update(of=("self",)).get(pk=found.row.pk)
    sealed = column.read(row)
    if sealed != column.read(found.row):
        return False
    context = column.context(row)
    column.write(row, seal(unseal(sealed, context), context))
    _record(actor, row, found.key, key_of(column.read(row)))
    return True


@transaction.atomic
def forget(key: str, *, actor: str) -> list[SealedRow]:
    """Empties what hangs on a key that is lost. What still opens stays."""
    lost = [row for row in sealed_rows() if row.key == key and not row.opens]
    for found in lost:
        _record(actor, found.row, key, "")
        found.column.empty(found.row)
    chain.forget_key(key)
    return lost


def _record(actor: str, row: models.Model, before: str, after: str) -> None:
    audit.record(actor, "key.rotate" if after else "key.forget", row, {"key": before}, {"key": after})


def _opened(sealed: str, context: str) -> str | None:
    try:
        return unseal(sealed, context)
    except CannotOpen:
        return None
