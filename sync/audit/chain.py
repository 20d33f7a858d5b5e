"""Entries that cannot be changed unseen: each is signed when it is made, and chained a moment after its transaction.

`mac` signs the content of one entry under a key derived from the first one of SEAL_KEYS. `chain_hash` is the hash of the
entry before, and of this one with its mac; the head signs the last of them and how many there are. So a row that was
changed, added, removed, moved or cut off shows, also to a key that came later: it signs the head, and with it all before.

Chaining waits for the commit: within the transaction, the lock on the head would make all writers wait for the slowest,
and for each other. Positions follow commits; ids of rows need not.
"""

import functools
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction

from sync.keyring import parse_ring
from sync.models import AuditEntry, AuditHead

log = structlog.get_logger(__name__)

HEAD = 1


@functools.lru_cache(maxsize=8)
def _derived(key: bytes) -> bytes:
    """No key serves two purposes (NIST SP 800-57 part 1, section 5.2): those of the ring seal."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"lockstep audit log").derive(key)


def signing_key() -> str:
    """The id of the key that signs now."""
    return next(iter(parse_ring(settings.SEAL_KEYS)))


def _mac(key: str, text: str) -> str | None:
    """None: the ring does not have the key any more."""
    secret = parse_ring(settings.SEAL_KEYS).get(key)
    return hmac.new(_derived(secret), _bytes(text), hashlib.sha256).hexdigest() if secret else None


def content(entry: AuditEntry) -> dict[str, Any]:
    """What is signed, and shipped."""
    return {
        "uid": str(entry.uid),
        "at": entry.at.isoformat(timespec="microseconds"),
        "tenant_id": entry.tenant_id,
        "tenant": entry.tenant_slug,
        "actor": entry.actor,
        "address": entry.address,
        "request": entry.request_id,
        "verb": entry.verb,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "object_name": entry.object_name,
        "before": entry.before,
        "after": entry.after,
        "key": entry.key,
    }


def _canonical(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sign(entry: AuditEntry) -> None:
    entry.key = signing_key()
    entry.mac = _mac(entry.key, _canonical(content(entry))) or ""


def is_genuine(entry: AuditEntry) -> bool | None:
    """None: the key that signed it has left the ring."""
    return _same(entry.mac, _mac(entry.key, _canonical(content(entry))))


def link(before: str, entry: AuditEntry) -> str:
    """The chain's hash with this entry, after the hash up to the one before it."""
    text = _canonical({"before": before, "position": entry.position, "mac": entry.mac, "content": content(entry)})
    return hashlib.sha256(_bytes(text)).hexdigest()


def sign_head(head: AuditHead) -> None:
    head.key = signing_key()
    head.mac = _mac(head.key, _of_head(head)) or ""


def head_is_genuine(head: AuditHead) -> bool | None:
    """None: the key that signed it has left the ring."""
    return _same(head.mac, _mac(head.key, _of_head(head)))


def _of_head(head: AuditHead) -> str:
    return _canonical({"position": head.position, "chain_hash": head.chain_hash, "key": head.key})


def _same(mac: str, expected: str | None) -> bool | None:
    return None if expected is None else hmac.compare_digest(_bytes(mac), _bytes(expected))


def _bytes(text: str) -> bytes:
    """Of whatever somebody wrote into the table: it must be found there, and stop nothing."""
    return text.encode(errors="surrogatepass")


@transaction.atomic
def extend() -> None:
    """Chains what was committed since. A row that our key did not sign stays outside, and `audit_verify` names it."""
    head = locked_head()
    pending = [entry for entry in AuditEntry.objects.filter(position=None).order_by("pk") if _acceptable(entry)]
    if not pending and head.key == signing_key():
        return
    if not _is_ours(head):
        # Signing it would hide what was done to it.
        log.error("audit chain not extended: its head is not signed by a key of ours", entries=len(pending))
        return
    for entry in pending:
        head.position += 1
        entry.position = head.position
        entry.chain_hash = head.chain_hash = link(head.chain_hash, entry)
    _store_places(pending)
    sign_head(head)
    head.save(update_fields=["position", "chain_hash", "key", "mac"])


def _store_places(entries: Sequence[AuditEntry]) -> None:
    """One prepared statement for all: thousands may come at once."""
    statement = f"UPDATE {AuditEntry._meta.db_table} SET position = %s, chain_hash = %s WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(entry.position, entry.chain_hash, entry.pk) for entry in entries])


@transaction.atomic
def forget_key(key: str) -> None:
    """The head hangs on a key that is lost: from here on the key of now signs it, and what is before stays as it is."""
    head = locked_head()
    if head.key == key and head_is_genuine(head) is None:
        sign_head(head)
        head.save(update_fields=["position", "chain_hash", "key", "mac"])


def locked_head() -> AuditHead:
    heads = AuditHead.objects.select_for_update()
    return heads.filter(pk=HEAD).first() or heads.get_or_create(pk=HEAD)[0]


def _is_ours(head: AuditHead) -> bool:
    """A new one is, while nothing is chained yet."""
    return head_is_genuine(head) or (not head.mac and not AuditEntry.objects.exclude(position=None).exists())


def _acceptable(entry: AuditEntry) -> bool:
    if is_genuine(entry):
        return True
    log.error("audit entry outside the chain: no key of ours signed it", entry=entry.pk)
    return False
