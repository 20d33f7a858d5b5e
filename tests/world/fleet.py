"""A whole installation as it is run in earnest: PostgreSQL, Redis, any number of workers, beat, web; each tenant's vendors in
a lab of their own. For `bench fleet` and `run.py chaos`, which are no tests of pytest."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import redis

from sync.queue import QUICK, RUNS
from tests.world.lab import Lab
from tests.world.programs import ROOT, clean_environment, free_port, until
from tools.postgres import Debian, debian_binaries

SECRETS = {"SECRET_KEY": "fleet-" + "k" * 60, "SEAL_KEYS": "fleet:" + "A" * 43 + "="}
TICKS = os.sysconf("SC_CLK_TCK")


# As docs/operations.md starts them.
ALONE = ("--without-gossip", "--without-mingle")


class Process:
    """One of ours with its children, and its log."""

    def __init__(self, words: Sequence[str], environment: dict[str, str], log: Path) -> None:
        with log.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )

    def pids(self) -> list[int]:
        """Its own and its children's."""
        found = [self.process.pid]
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            found += [int(pid) for pid in children.split()]
        return found

    def cpu_seconds(self) -> float:
        return sum(_cpu(pid) for pid in self.pids())

    def memory_mb(self) -> int:
        return sum(_resident(pid) for pid in self.pids()) // 2**20

    def kill(self, *pids: int) -> None:
        for pid in pids or self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            self.process.wait(30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


def _cpu(pid: int) -> float:
    """proc(5): user and system time, with that of children that ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS
    return 0.0


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class Redis:
    """Debian's server on a unix socket, with nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "redis.sock"
        self.address = f"redis+socket://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            raise SystemExit("No Redis here: install Debian's redis-server or valkey-server.")
        words = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--loglevel", "warning"]
        self.process = subprocess.Popen([binary, *words], cwd=self.folder, stdout=subprocess.DEVNULL)
        until(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> "redis.Redis[bytes]":
        return redis.Redis(unix_socket_path=str(self.socket))

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


class Database(Debian):
    """One that can be stopped in the middle, and keeps what it was told."""

    @property
    def options(self) -> str:
        """What is committed survives the death of the server, as in earnest; not that of the machine."""
        return f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=200"

    def control(self, *words: str) -> None:
        options = ["-o", self.options] if words[0] == "start" else []
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), *options, *words)

    def fresh(self, name: str) -> str:
        """An empty database; its address."""
        self._run("createdb", "-h", str(self.folder), "-U", "lockstep", name)
        return f"postgresql://lockstep@/{name}?host={self.folder}"


class Fleet:
    """`environment`: what each process of the installation has. Labs, database and broker outlive `anew`."""

    def __init__(self, folder: Path, labs: Sequence[Lab], **settings: str) -> None:
        self.folder, self.labs = folder, labs
        self.redis = Redis(folder)
        (folder / "postgres").mkdir()
        self.database = Database(folder / "postgres")
        self.processes: dict[str, Process] = {}
        self.settings = settings
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        if debian_binaries() is None:
            raise SystemExit("No PostgreSQL here: install Debian's postgresql.")
        # PostgreSQL's user has to get to its folder.
        self.folder.chmod(0o711)
        self.database.start()
        self.redis.start()

    def close(self) -> None:
        self.stop_all()
        self.redis.stop()
        self.database.stop()

    def anew(self, name: str) -> None:
        """An empty installation: the database, its tables, the state folder, empty labs."""
        for lab in self.labs:
            lab.reset()
        state = self.folder / name
        state.mkdir(mode=0o700)
        self.environment = clean_environment(
            **SECRETS,
            STATE_DIR=str(state),
            DATABASE_URL=self.database.fresh(name),
            BROKER_URL=self.redis.address,
            EXTRA_CLOUDS=json.dumps({f"lab{n}": lab.clouds["lab"] for n, lab in enumerate(self.labs)}),
            EXTRA_SCIM_HOSTS=json.dumps({host: facts for lab in self.labs for host, facts in lab.scim_hosts.items()}),
            FLEET_LABS=json.dumps([lab.facts for lab in self.labs]),
            **self.settings,
        )
        with self.redis.client() as client:
            client.flushall()
        self.manage("migrate", "--verbosity", "0", "--skip-checks")

    def manage(self, *words: str, text: str = "") -> str:
        return self._run(["manage.py", *words], text)

    def step(self, name: str, **facts: Any) -> Any:
        """What bench/fleet_step.py does in a process of its own, and prints as JSON."""
        said = self._run(["bench/fleet_step.py", name], json.dumps(facts))
        return json.loads(said.splitlines()[-1])

    def _run(self, words: Sequence[str], text: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{words} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    # Processes

    def worker(self, name: str, slots: int = 2) -> Process:
        return self._celery(
            name, "worker", *ALONE, f"--hostname={name}@%h", f"--queues={RUNS}", f"--concurrency={slots}"
        )

    def quick(self) -> Process:
        words = ("--hostname=quick@%h", f"--queues={QUICK}", "--concurrency=4", "--pool=threads")
        return self._celery("quick", "worker", *ALONE, *words)

    def beat(self, name: str = "beat") -> Process:
        return self._celery(name, "beat", "--pidfile=")

    def _celery(self, name: str, *words: str) -> Process:
        return self._start(name, ["-m", "celery", "-A", "portal", *words, "--loglevel=INFO"])

    def web(self) -> str:
        port = free_port()
        words = [
            "-m",
            "gunicorn",
            "-c",
            "python:portal.deployment.web_server",
            "portal.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        self._start("web", words)
        return f"http://127.0.0.1:{port}"

    def _start(self, name: str, words: Sequence[str]) -> Process:
        self.processes[name] = Process(words, self.environment, self.folder / f"{name}.log")
        return self.processes[name]

    def workers(self) -> list[Process]:
        return [process for name, process in self.processes.items() if name.startswith("runs")]

    def stop_all(self) -> None:
        for process in self.processes.values():
            process.process.terminate()
        for process in self.processes.values():
            process.stop()
        self.processes.clear()

    # What is looked at from outside

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def log_lines(self) -> Iterator[str]:
        for path in self.folder.glob("*.log"):
            yield from path.read_text().splitlines()


@contextlib.contextmanager
def fleet(labs: int, options: Iterable[str], **settings: str) -> Iterator[Fleet]:
    """`options`: of every lab."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-fleet-")))
        made = [running.enter_context(Lab(folder / f"lab{n}", *options)) for n in range(labs)]
        found = Fleet(folder, made, **settings)
        running.callback(found.close)
        found.start()
        yield found
