"""SEAL_KEYS: lines of `id:base64 of 32 bytes`; the first one seals and signs, all of them open and check."""

import base64
import functools
import os
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured


@functools.lru_cache(maxsize=4)
def parse_ring(text: str) -> Mapping[str, bytes]:
    ring: dict[str, bytes] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        key_id, _, encoded = line.partition(":")
        ring[key_id] = _key(encoded)
    if not ring:
        raise ImproperlyConfigured("SEAL_KEYS is empty. Stored secrets cannot be sealed or opened without a key.")
    return ring


def _key(encoded: str) -> bytes:
    """The line itself may be the key: no error quotes it."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("SEAL_KEYS holds a line that is not `id:base64 of 32 bytes`.")
    return key


def new_ring_line() -> str:
    return f"{os.urandom(4).hex()}:{base64.b64encode(os.urandom(32)).decode()}"
