"""The demo as a user starts it: turned on, killed, started again at once; and canaries in all that it leaves behind."""

import contextlib
import json
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.house.test_up import READY, Visitor, manage, up
from tests.world.prepared import NewState
from tests.world.programs import Program, until

pytestmark = pytest.mark.process

EMAIL = "owner@lockstep.example"
NEW_PASSWORD = "four ordinary words here"
# Where the keys live, and what the rehearsal lab itself keeps.
KEPT_HERE = ("secret.key", "seal.keys", "lab")


@dataclass
class Killed:
    """An installation whose `up` was killed after the demo's first sync.

    `running`: its processes as others on the machine saw them. `printed`: by each start of it."""

    state: Path
    program: Program
    password: str
    secrets: list[str]
    running: dict[str, bytes]
    printed: list[str]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    state = tmp_path_factory.mktemp("demo") / "state"
    with up(state, "--demo") as program:
        origin = program.line(READY)
        email, password = program.line(r"Sign in: +(\S+ / \S+)").split(" / ")
        assert email == EMAIL
        facts = turned_on(program, origin, password)
        link = re.search(r"/password/\S+", manage(state, "user_add", "ann@acme.example", "--role", "viewer"))
        assert link is not None
        keys = [line.partition(":")[2] for line in (state / "seal.keys").read_text().splitlines()]
        secrets = [facts["client_secret"], facts["scim_token"], (state / "secret.key").read_text().strip(), *keys]
        secrets += [link[0].rstrip("/").rpartition("/")[2]]
        running = dict(processes_of(program))
        program.line('"event": "run ended".*"run": "2"')
        program.stop(signal.SIGKILL)
        yield Killed(state, program, password, secrets, running, [program.output])


def turned_on(program: Program, origin: str, password: str) -> dict[str, str]:
    """The lab's secrets, once the first people are in AWS."""
    console = program.line(r"Rehearsal lab: +(\S+)")
    visitor = Visitor(origin)
    with visitor.session:
        assert "/t/rehearsal/" in visitor.post("/sign-in/", login=EMAIL, password=password).url
        page = visitor.session.get(f"{origin}/t/rehearsal/provisioning/", timeout=30).text
        assert 'aria-disabled="true"' not in page
        visitor.post("/t/rehearsal/provisioning/preview/", on="/t/rehearsal/provisioning/turn-on/")
        until(lambda: "/runs/2/" in visitor.post("/t/rehearsal/provisioning/turn-on/", plan="1").url)
        until(lambda: bool(visitor.session.get(f"{console}api/aws/state", timeout=10).json()["users"]))
        facts: dict[str, str] = visitor.session.get(f"{console}api/connection", timeout=10).json()
    return facts


def test_a_killed_up_leaves_no_orphan_starts_again_at_once_and_finishes_a_running_task_before_it_stops(
    killed: Killed,
) -> None:
    state = killed.state
    with up(state, "--demo") as again:
        assert "password shown at an earlier start" in again.line("Sign in: .*")
        until(lambda: killed.program.alive() == [])
        a_lost_password_is_replaced(again)
        with held_test(state, again) as (test, release):
            again.send(signal.SIGINT)
            again.line(r"quick +\| .*[Ww]arm shutdown")
            assert outcome(state, test) == ("running", 0)
            release()
            assert again.ended() == 0
            assert again.alive() == []
    assert outcome(state, test) == ("done", 1)
    killed.printed.append(again.output)


def a_lost_password_is_replaced(program: Program) -> None:
    """By the command that the start names; the link that it prints is good for a new one."""
    found = re.search(r"Password lost: +STATE_DIR=(\S+) python3 run.py (\S+) (\S+)", program.line("Password lost: .*"))
    assert found
    link = re.search(r"http\S+", manage(Path(found[1]), found[2], found[3]))
    assert link
    origin = program.line(READY)
    visitor = Visitor(origin)
    with visitor.session:
        page = visitor.session.get(link[0], timeout=30).url.removeprefix(origin)
        assert "Your password is saved. Sign in with it." in visitor.post(page, password=NEW_PASSWORD).text
        inside = visitor.post("/sign-in/", login=EMAIL, password=NEW_PASSWORD)
        assert "/t/rehearsal/" in inside.url
        assert re.search(r"<h1[^>]*>\s*Rehearsal\b", inside.text)


START_TEST = """
from sync.models import Tenant
from sync.connection import services
print(services.start_test(tenant=Tenant.objects.get(slug="rehearsal"), actor="jo@acme.example", half="entra").pk)
"""


def start_test(state: Path) -> int:
    return int(manage(state, "shell", "-v", "0", "-c", START_TEST).split()[-1])


def outcome(state: Path, test: int) -> tuple[str, int | None]:
    """State and result of a connection test, straight from the file."""
    database = sqlite3.connect(f"file:{state / 'lockstep.sqlite3'}?mode=ro", uri=True, timeout=20)
    with contextlib.closing(database):
        found: tuple[str, int | None] = database.execute(
            "SELECT state, passed FROM sync_connectiontest WHERE id = ?", (test,)
        ).fetchone()
        return found


@contextlib.contextmanager
def held_test(state: Path, program: Program) -> Iterator[tuple[int, Callable[[], None]]]:
    """A connection test whose first request to Graph is not answered until it is released."""
    with requests.Session() as session:
        session.trust_env = False
        faults = program.line(r"Rehearsal lab: +(\S+)") + "api/faults"
        # The demo subscribes to changes, too.
        fault = {"part": "graph", "kind": "hold_before", "match": "^(?!.*subscriptions)"}
        held = session.post(faults, json=fault, timeout=10).json()
        test = start_test(state)
        until(lambda: session.get(faults, timeout=10).json()[0]["fired"] == 1)
        yield test, lambda: session.post(f"{faults}/{held['id']}/release", timeout=10).raise_for_status()


def test_no_file_and_no_line_holds_a_secret(killed: Killed) -> None:
    secrets, running, password = killed.secrets, killed.running, killed.password
    assert [secret for secret in secrets if not secret] == []
    assert {"up", "gunicorn", "celery", "lab"} <= {word for name in running for word in re.findall(r"\w+", name)}
    printed = "\n".join(killed.printed)
    assert "scim_token" not in printed
    places = {"output": printed.encode(), **dict(files_of(killed.state)), **running}
    assert len(places) > 5 + len(running)
    # The demo's own password is shown once, where it is made, and stored nowhere.
    assert printed.count(password) == 1
    found = [(name, secret[:4]) for secret in secrets for name, text in places.items() if secret.encode() in text]
    found += [(name, "password") for name, text in places.items() if name != "output" and password.encode() in text]
    assert found == []


def files_of(state: Path) -> Iterator[tuple[str, bytes]]:
    """Database, broker, cache, logs, what `up` shares with commands."""
    for path in sorted(state.rglob("*")):
        name = path.relative_to(state)
        if path.is_file() and name.parts[0] not in KEPT_HERE:
            yield str(name), path.read_bytes()


def processes_of(program: Program) -> Iterator[tuple[str, bytes]]:
    """Command lines, which everybody on the machine reads, and environments, which all that a process starts inherits.

    Valkey writes over its own: what it is given is looked at in tests/portal/deployment/test_environ.py."""
    for pid in program.alive():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            named = line.replace(b"\0", b" ").decode(errors="replace")
            yield f"command line of {pid}: {named}", line
            yield f"environment of {pid}: {named}", Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.nightly
def test_the_file_system_carries_messages_where_there_is_no_broker(tmp_path: Path, new_state: NewState) -> None:
    state = new_state(tmp_path / "state")
    with up(state, "--demo", BROKER_URL="filesystem://") as program:
        program.line("Sign in")
        assert json.loads((state / "run" / "environment.json").read_text())["BROKER_URL"] == "filesystem://"
        test = start_test(state)
        until(lambda: outcome(state, test) == ("done", 1))
        assert program.stop() == 0
        assert program.alive() == []
