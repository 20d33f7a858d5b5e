"""Secrets at rest: AES-256-GCM with the place of use as associated data, and a key ring.

A sealed text reads `v1.<key id>.<base64 nonce + ciphertext>`. It opens only in the context that it was sealed for, so
that nobody can move one tenant's secret into another's row.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from sync.keyring import parse_ring
from sync.runs.outcomes import RunStopped

NONCE_BYTES = 12


class CannotOpen(RunStopped):
    """The key is missing from the ring, or the text was changed or moved."""

    code = "not-connected"


def seal(secret: str, context: str) -> str:
    key_id, key = next(iter(parse_ring(settings.SEAL_KEYS).items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, secret.encode(), f"{key_id}|{context}".encode())
    return f"v1.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, context: str) -> str:
    version, _, rest = sealed.partition(".")
    key_id, _, encoded = rest.partition(".")
    key = parse_ring(settings.SEAL_KEYS).get(key_id)
    if version != "v1" or key is None:
        raise CannotOpen(f"No key {key_id!r} in the key ring. Add the old key to SEAL_KEYS, below the new one.")
    try:
        raw = base64.urlsafe_b64decode(encoded)
        opened = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], f"{key_id}|{context}".encode())
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("The stored secret was changed, or belongs to another place. Enter it again.") from error
    return opened.decode()


def key_of(sealed: str) -> str:
    """The id of the key that a sealed text hangs on; it need not be in the ring."""
    return sealed.split(".")[1] if sealed.count(".") >= 2 else ""
