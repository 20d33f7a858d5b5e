"""The archive: members are written and read in their order, so that it may come through a pipe."""

import hashlib
import io
import json
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

HEAD, MANIFEST = "head.json", "manifest.json"
FORMAT = 1
CHUNK = 2**20


class BadArchive(Exception):
    """Its text says what is wrong with it."""


class Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self.tar = tarfile.open(fileobj=file, mode="w|gz")  # noqa: SIM115 - `finish` closes it
        self.hashes: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        self.add_file(name, io.BytesIO(content))

    def add_file(self, name: str, content: Any) -> None:
        """`content`: a file. A member's size stands before it: what streams is put into a file first."""
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = content.seek(0, io.SEEK_END), int(time.time()), 0o600
        content.seek(0)
        self.hashes[name] = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        self.tar.addfile(member, content)

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile() as content:
            yield content
            self.add_file(name, content)

    def finish(self) -> None:
        self.add(MANIFEST, json.dumps({"sha256": self.hashes}).encode())
        self.tar.close()


class Reader:
    def __init__(self, file: IO[bytes]) -> None:
        with _readable():
            self.tar = tarfile.open(fileobj=file, mode="r|gz")  # noqa: SIM115 - the file is the caller's
        self.hashes: dict[str, str] = {}
        self.head: dict[str, Any] = json.loads(self._next(HEAD))
        if self.head["format"] != FORMAT:
            raise BadArchive("It was made by another version of Lockstep, in a form that this one does not know.")

    def _next(self, name: str) -> bytes:
        with _readable():
            member = self.tar.next()
            content = self.tar.extractfile(member) if member and member.name == name else None
            if content is None:
                raise BadArchive(f"It is no backup of Lockstep, or not whole: {name} is missing.")
            text = content.read()
        self.hashes[name] = hashlib.sha256(text).hexdigest()
        return text

    def members(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Those of the database, each with what reads on in it. Raises BadArchive at the end where anything is not as it was
        written: only then is what came before it to be kept."""
        with _readable():
            while (member := self.tar.next()) and member.name != MANIFEST:
                content, digest = self.tar.extractfile(member), hashlib.sha256()
                if content is None:
                    raise BadArchive(f"{member.name} is no file.")

                def read(content: IO[bytes] = content, digest: Any = digest) -> bytes:
                    with _readable():
                        chunk = content.read(CHUNK)
                    digest.update(chunk)
                    return chunk

                yield member.name, read
                self.hashes[member.name] = digest.hexdigest()
            manifest = self.tar.extractfile(member) if member else None
            if manifest is None or json.loads(manifest.read())["sha256"] != self.hashes:
                raise BadArchive("It is not whole, or was changed: what it holds does not fit its manifest.")


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        raise BadArchive(f"It cannot be read as a backup: {error}") from error
