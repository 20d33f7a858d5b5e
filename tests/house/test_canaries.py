"""Canaries in a whole installation: no file that it leaves behind, no line that it prints and no process of it, as others on
the machine may see one, holds a secret in the clear."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.test_up import READY, Visitor, manage, up
from tests.world.prepared import NewState
from tests.world.programs import Program, until

pytestmark = pytest.mark.process

# Where the keys live, and what the rehearsal lab itself keeps.
KEPT_HERE = ("secret.key", "seal.keys", "lab")


def test_no_file_and_no_line_holds_a_secret(tmp_path: Path, new_state: NewState) -> None:
    state = new_state(tmp_path / "state")
    with up(state, "--demo") as program:
        origin = program.line(READY)
        email, password = program.line(r"Sign in: +(\S+ / \S+)").split(" / ")
        console = program.line(r"Rehearsal lab: +(\S+)")
        visitor = Visitor(origin)
        with visitor.session:
            visitor.post("/sign-in/", login=email, password=password)
            facts = visitor.session.get(f"{console}api/connection", timeout=10).json()
            visitor.post("/t/rehearsal/provisioning/preview/", on="/t/rehearsal/provisioning/turn-on/")
            until(lambda: "/runs/2/" in visitor.post("/t/rehearsal/provisioning/turn-on/", plan="1").url)
            until(lambda: bool(visitor.session.get(f"{console}api/aws/state", timeout=10).json()["users"]))
        link = re.search(r"/password/\S+", manage(state, "user_add", "ann@acme.example", "--role", "viewer"))
        assert link is not None
        keys = [line.partition(":")[2] for line in (state / "seal.keys").read_text().splitlines()]
        secrets = [facts["client_secret"], facts["scim_token"], (state / "secret.key").read_text().strip(), *keys]
        secrets += [link[0].rstrip("/").rpartition("/")[2]]
        printed, running = program.output, dict(processes_of(program))
        assert program.stop(seconds=200) == 0
    assert [secret for secret in secrets if not secret] == []
    assert {"up", "gunicorn", "celery", "lab"} <= {word for name in running for word in re.findall(r"\w+", name)}
    places = {"output": printed.encode(), **dict(files_of(state)), **running}
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
