"""Which passwords are known from breaches: the first four bytes of the SHA-256 of each, sorted, in one file.

A password that is none of them is taken for one about once in 80,000. tools/breached_passwords.py makes the file.
"""

import hashlib
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "breached_passwords.bin"
# Shorter ones are refused without looking.
LENGTH = 12
BYTES = 4


def is_breached(password: str) -> bool:
    return prefix_of(password) in _prefixes()


def prefix_of(password: str) -> bytes:
    """Capitals make no difference: whoever guesses tries them too."""
    return hashlib.sha256(password.strip().casefold().encode()).digest()[:BYTES]


@cache
def _prefixes() -> frozenset[bytes]:
    table = TABLE.read_bytes()
    return frozenset(table[at : at + BYTES] for at in range(0, len(table), BYTES))
