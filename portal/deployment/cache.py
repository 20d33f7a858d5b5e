"""What the cache keeps: JSON, sealed with the key ring, because a broker writes its memory to the disk.

Look-ups remember names of the directory there. Whoever reads the broker's files, or its memory, finds none of them;
whoever writes into it gets no code to run here, as an unpickled value would (Django's own serializer).
"""

import fcntl
import json
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

from sync.connection.sealing import CannotOpen, seal, unseal

CONTEXT = "cache"


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


class SealedFileCache(FileBasedCache):
    """Where there is no Redis: a file each, which says until when it counts and holds the sealed value."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            with Path(self._key_to_file(key, version)).open("rb") as file:  # type: ignore[attr-defined]
                value = None if self._is_expired(file) else _opened(zlib.decompress(file.read()))
        except (FileNotFoundError, zlib.error):
            return default
        return default if value is None else value

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._alone():
            return super().add(key, value, timeout, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Of threads and processes that count at once none is lost, and the counter ends when it would have. Raises
        ValueError when there is none."""
        with self._alone():
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"Key {key!r} not found")
            self.set(key, value + delta, self._left(key, version), version)
            return int(value + delta)

    def _left(self, key: str, version: int | None) -> float | None:
        """Seconds for which it still counts; None: for ever."""
        with Path(self._key_to_file(key, version)).open("rb") as file:  # type: ignore[attr-defined]
            expiry = json.loads(file.readline())
        return None if expiry is None else expiry - time.time()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = Path(self._dir)  # type: ignore[attr-defined]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("wb") as file:
            # Ends with the file, and so with a process that dies.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

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
