"""What the cache keeps: JSON, sealed with the key ring, because a broker writes its memory to the disk.

Look-ups remember names of the directory there. Whoever reads the broker's files, or its memory, finds none of them;
whoever writes into it gets no code to run here, as an unpickled value would (Django's own serializer).
"""

import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
import structlog
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from sync.connection.sealing import CannotOpen, seal, unseal

CONTEXT = "cache"
# Not there, silent, or refusing: a full disk is a ResponseError.
AWAY = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.ResponseError)

log = structlog.get_logger(__name__)


class SealedJson:
    """For Django's RedisCache. Whole numbers stay as they are: the server itself adds to counters."""

    def dumps(self, value: Any) -> int | bytes:
        return value if type(value) is int else seal(json.dumps(value), CONTEXT).encode()

    def loads(self, data: bytes) -> Any:
        """None, like something that is not there, for what does not open."""
        try:
            return int(data)
        except ValueError:
            return _opened(data)


def _opened(data: bytes) -> Any:
    try:
        return json.loads(unseal(data.decode(), CONTEXT))
    except (CannotOpen, ValueError):
        return None


class PatientRedisCache(RedisCache):
    """Redis, or the memory of this process while Redis is away: people can sign in, and what they miss is still counted."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("while Redis is away", params)

    def add(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("add", super().add, *arguments, **named)

    def get(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("get", super().get, *arguments, **named)

    def set(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("set", super().set, *arguments, **named)

    def delete(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("delete", super().delete, *arguments, **named)

    def get_many(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("get_many", super().get_many, *arguments, **named)

    def set_many(self, *arguments: Any, **named: Any) -> Any:
        return self._or_own("set_many", super().set_many, *arguments, **named)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """A counter that began in Redis begins anew."""
        try:
            return super().incr(key, delta, version)
        except AWAY:
            self._own.add(key, 0, version=version)
            return self._own.incr(key, delta, version)

    def _or_own(self, name: str, ask: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return ask(*arguments, **named)
        except AWAY as error:
            log.warning("broker away", reason=str(error))
            return getattr(self._own, name)(*arguments, **named)


class SealedFileCache(FileBasedCache):
    """Where there is no Redis: a file each, which says until when it counts and holds the sealed value."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            with Path(self._key_to_file(key, version)).open("rb") as file:  # type: ignore[attr-defined]
                value = None if self._is_expired(file) else _opened(zlib.decompress(file.read()))
        except (FileNotFoundError, zlib.error):
            return default
        return default if value is None else value

    def touch(self, key: str, timeout: Any = None, version: int | None = None) -> bool:
        value = self.get(key, version=version)
        if value is not None:
            self.set(key, value, timeout, version)
        return value is not None

    def _write_content(self, file: Any, timeout: Any, value: Any) -> None:
        expiry = json.dumps(self.get_backend_timeout(timeout))
        file.write(f"{expiry}\n".encode() + zlib.compress(seal(json.dumps(value), CONTEXT).encode()))

    def _is_expired(self, file: Any) -> bool:
        """The file stands at the value afterwards. What another version wrote is over."""
        try:
            expiry = json.loads(file.readline())
        except ValueError:
            expiry = 0
        if expiry is None or expiry >= time.time():
            return False
        Path(file.name).unlink(missing_ok=True)
        return True
