"""What the cache keeps: JSON, sealed with the key ring, because a broker writes its memory to the disk.

Look-ups remember names of the directory there. Whoever reads the broker's files, or its memory, finds none of them;
whoever writes into it gets no code to run here, as an unpickled value would (Django's own serializer).
"""

import json
import time
import zlib
from pathlib import Path
from typing import Any

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
