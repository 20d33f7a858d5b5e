"""One SQLite file, one connection, one lock."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = sqlite3.Row


class Store:
    """`synchronous=OFF` survives a killed process, not a power cut: enough for a rehearsal."""

    def __init__(self, path: Path | str, schema: str) -> None:
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=OFF")
        self.connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nothing else reads or writes meanwhile; an exception undoes it all."""
        with self.lock:
            if self.connection.in_transaction:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        with self.lock:
            return self.connection.execute(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.lock:
            self.connection.executemany(sql, rows)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        with self.lock:
            row: Row | None = self.connection.execute(sql, values).fetchone()
            return row

    def copy(self) -> sqlite3.Connection:
        """Of all it holds, in memory."""
        copied = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.connection.backup(copied)
        return copied

    def become(self, copied: sqlite3.Connection) -> None:
        with self.lock:
            copied.backup(self.connection)

    def empty(self, keep: Sequence[str] = ()) -> None:
        """All tables but those in `keep`; numbers begin anew."""
        with self.transaction():
            tables = self.all("SELECT name FROM sqlite_master WHERE type = 'table'")
            for table in {row["name"] for row in tables} - set(keep):
                self.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        with self.lock:
            self.connection.close()
