"""Identifiers and secrets that the lab makes up: beyond guessing, or by a seed always the same."""

import random
import string
import uuid

TOKEN_CHARACTERS = string.ascii_letters + string.digits + "+/"
_random: random.Random = random.SystemRandom()


def begin(seed: int) -> None:
    global _random  # noqa: PLW0603 - one process has one source
    _random = random.Random(seed)


def new_uuid() -> str:
    return str(uuid.UUID(int=_random.getrandbits(128), version=4))


def characters(count: int, alphabet: str = TOKEN_CHARACTERS) -> str:
    return "".join(_random.choice(alphabet) for _ in range(count))
