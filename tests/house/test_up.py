"""`manage.py up` as a user starts it, every process real. With the lab: tests/house/test_demo.py."""

import json
import re
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.world.examples import nightly
from tests.world.prepared import NewState
from tests.world.programs import Program, clean_environment, free_port, until

pytestmark = pytest.mark.process

READY = r"Lockstep is ready: (http://\S+)/"


def up(state: Path, *options: str, port: int | None = None, **environment: str) -> Program:
    bind = f"127.0.0.1:{port or free_port()}"
    arguments = [sys.executable, "manage.py", "up", "--state", str(state), "--bind", bind, *options]
    return Program(arguments, clean_environment(**environment))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, new_state: NewState) -> Iterator[tuple[Path, Program]]:
    """One `up` and its state folder for all tests that only look at it."""
    state = new_state(tmp_path_factory.mktemp("up") / "state")
    with up(state) as program:
        program.line(READY)
        yield state, program
        assert program.stop() == 0
        assert program.alive() == []


def manage(state: Path, *arguments: str) -> str:
    """A command beside a running `up`."""
    with Program([sys.executable, "manage.py", *arguments], clean_environment(STATE_DIR=str(state))) as program:
        assert program.ended() == 0, program.output
        return program.output


class Visitor:
    """A browser's manners, without a browser: cookies, and each form's own token."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.session = requests.Session()
        self.session.trust_env = False

    def post(self, path: str, on: str = "", **fields: str) -> requests.Response:
        """`on`: the page whose form posts there, when it is another one."""
        page = self.session.get(self.origin + (on or path), timeout=30)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, page.text
        headers = {"Referer": self.origin + path, "Origin": self.origin}
        data = {"csrfmiddlewaretoken": found.group(1), **fields}
        return self.session.post(self.origin + path, data=data, headers=headers, timeout=30)


def test_the_first_owner_comes_in_with_the_code_that_was_shown(running: tuple[Path, Program]) -> None:
    state, program = running
    origin, code = program.line(READY), program.line(r"One-time code: +(\S+)")
    assert code not in (state / "first-run.json").read_text()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for name in ("secret.key", "seal.keys", "first-run.json"):
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600
    password = "a long enough pass phrase"
    person = {"email": "jo@acme.example", "name": "Jo", "time_zone": "UTC", "password": password}
    visitor = Visitor(origin)
    with visitor.session:
        assert visitor.post("/first-run/", code="2222-2222-2222-2222", **person).status_code == 422
        assert visitor.post("/first-run/", code=code.lower(), **person).status_code == 200
        visitor.session.cookies.clear()
        assert visitor.session.get(f"{origin}/first-run/", timeout=30).status_code == 404
    assert not (state / "first-run.json").exists()


def test_no_process_leaves_its_memory_in_a_file(running: tuple[Path, Program]) -> None:
    _state, program = running
    limits = [Path(f"/proc/{pid}/limits").read_text() for pid in program.alive()]
    assert len(limits) > 3
    assert {tuple(re.findall(r"Max core file size +(\S+) +(\S+)", one)) for one in limits} == {(("0", "0"),)}


def test_no_lab_is_started_and_none_is_allowed_unless_it_is_asked_for(running: tuple[Path, Program]) -> None:
    state, program = running
    program.line(READY)
    assert "Rehearsal lab" not in program.output
    assert not (state / "lab").exists()
    assert "EXTRA_CLOUDS" not in json.loads((state / "run" / "environment.json").read_text())


def test_only_one_up_runs_in_a_state_folder(running: tuple[Path, Program]) -> None:
    state, program = running
    with up(state) as second:
        assert second.ended() == 1
        assert "runs in" in second.output
        assert "already" in second.output
    assert program.process.poll() is None


def test_a_killed_web_server_comes_back(running: tuple[Path, Program]) -> None:
    _state, program = running
    web = next(pid for pid in program.alive() if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes())
    Program.kill(web)
    program.line(r"web +\| ended with -9")
    until(lambda: answers(program.line(READY)))


def answers(origin: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{origin}/sign-in/", timeout=5).ok
        except requests.ConnectionError:
            return False


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(tmp_path, port=port) as program:
            assert program.ended() == 1
            assert f"cannot listen on 127.0.0.1:{port}" in program.output
            assert "Traceback" not in program.output
            assert program.alive() == []


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", *nightly("[::]:8000", "192.0.2.1:8000")])
def test_nobody_is_served_over_a_network_without_tls_by_accident(tmp_path: Path, bind: str) -> None:
    arguments = [sys.executable, "manage.py", "up", "--state", str(tmp_path / "state"), "--bind", bind]
    with Program(arguments, clean_environment()) as program:
        assert program.ended() == 1
        assert "say --insecure" in program.output
        assert not (tmp_path / "state").exists()


@pytest.mark.nightly
def test_a_signal_during_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    with up(tmp_path) as program:
        program.line("made .*seal.keys")
        until(lambda: len(program.alive()) > 2)
        assert program.stop() == 0
        assert program.alive() == []
