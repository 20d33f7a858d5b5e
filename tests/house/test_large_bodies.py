"""Bodies of any size, and requests that no browser sends, against the web server as `up` starts it, over a socket."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from portal.deployment.embedded import Address, web_arguments
from tests.world.prepared import NewState
from tests.world.programs import ROOT, Program, clean_environment, free_port, until

pytestmark = pytest.mark.process

MEGABYTE = 1024 * 1024
IMPORT = "/t/acme/configuration/import/"
# An Owner's session in a fresh database; its key is printed.
SIGNED_IN = """
from django.conf import settings
from django.test import Client
from portal.models import Role
from sync.tenants.services import create_tenant
from tests.world.people import person, sign_in
create_tenant(actor="jo@acme.example", name="Acme")
client = Client()
sign_in(client, person("jo@acme.example", Role.OWNER))
print("session", client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


class Web:
    """`temp`: the folder in which temporary files would lie."""

    def __init__(self, state: Path, temp: Path) -> None:
        self.temp = temp
        self.environment = clean_environment(
            STATE_DIR=str(state), TMPDIR=str(temp), SECRET_KEY="k" * 60, SEAL_KEYS=f"test:{'A' * 43}="
        )
        self.address = Address("127.0.0.1", free_port())
        self.program = Program(web_arguments(state, self.address), self.environment)

    def __enter__(self) -> "Web":
        self.program.__enter__()
        until(lambda: self.address.answers(str(self.address)), 30)
        return self

    def __exit__(self, *details: object) -> None:
        self.program.__exit__(*details)

    def session_of_an_owner(self) -> str:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SIGNED_IN]
        said = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return said.stdout.rpartition("session ")[2].strip()

    def connect(self, path: str, headers: Sequence[str], session: str = "") -> socket.socket:
        """After the head of a POST. The CSRF token is one that a stranger makes up."""
        token = "a" * 32
        cookies = f"csrf-8000={token}; session-8000={session}"
        head = [f"POST {path} HTTP/1.1", f"Host: {self.address}", f"Cookie: {cookies}", f"X-CSRFToken: {token}"]
        connection = socket.create_connection(("127.0.0.1", self.address.port), timeout=10)
        connection.sendall("\r\n".join([*head, *headers, "", ""]).encode())
        return connection

    def files(self) -> list[Path]:
        return list(self.temp.iterdir())


def answer_on(connection: socket.socket) -> str:
    """Up to the end of its page, whatever is still owed of the request."""
    answer = b""
    while b"</html>" not in answer and (got := connection.recv(65536)):
        answer += got
    return answer.decode()


@pytest.fixture(scope="module")
def web(new_state: NewState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("bodies")
    (folder / "temp").mkdir()
    with Web(new_state(folder / "state"), folder / "temp") as running:
        yield running


@pytest.fixture(scope="module")
def session(web: Web) -> str:
    return web.session_of_an_owner()


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="x.json"\r\n\r\n'


@pytest.mark.parametrize("path", ["/sign-in/", "/me/", IMPORT, "/t/acme/mappings/cast/"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
def test_a_large_body_of_a_stranger_is_answered_before_it_is_sent_and_lands_nowhere(
    web: Web, path: str, kind: str
) -> None:
    headers = [f"Content-Length: {300 * MEGABYTE}", f"Content-Type: {kind}"]
    with web.connect(path, headers) as connection:
        connection.sendall(MULTIPART % b"file")
        answer = answer_on(connection)
        assert answer.startswith("HTTP/1.1 413 ")
        assert "This is too large" in answer
        with contextlib.suppress(ConnectionError):
            for _ in range(8):
                connection.sendall(b"x" * MEGABYTE)
        assert web.files() == []


def test_a_body_without_a_length_is_refused(web: Web, session: str) -> None:
    headers = ["Transfer-Encoding: chunked", "Content-Type: multipart/form-data; boundary=b"]
    with web.connect(IMPORT, headers, session) as connection:
        connection.sendall(b"%x\r\n" % len(MULTIPART) + MULTIPART + b"\r\n")
        answer = answer_on(connection)
        assert answer.startswith("HTTP/1.1 411 ")
        assert "The size of this request is not known" in answer
        assert web.files() == []


def test_a_file_of_five_megabytes_of_whoever_may_import_is_taken(web: Web, session: str) -> None:
    step = b'--b\r\nContent-Disposition: form-data; name="step"\r\n\r\nfile\r\n'
    body = step + MULTIPART % b"file" + b"x" * (5 * MEGABYTE) + b"\r\n--b--\r\n"
    headers = [f"Content-Length: {len(body)}", "Content-Type: multipart/form-data; boundary=b"]
    with web.connect(IMPORT, headers, session) as connection:
        connection.sendall(body)
        answer = answer_on(connection)
        assert answer.startswith("HTTP/1.1 422 ")
        assert "This is not JSON" in answer
        assert web.files() == []


def test_the_same_owner_sends_no_larger_one(web: Web, session: str) -> None:
    headers = [f"Content-Length: {7 * MEGABYTE}", "Content-Type: multipart/form-data; boundary=b"]
    with web.connect(IMPORT, headers, session) as connection:
        assert answer_on(connection).startswith("HTTP/1.1 413 ")


# What a proxy in front could read in another way than the server: a second request would hide in it.
HIDDEN = "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\n\r\n"
AMBIGUOUS = {
    "a length and chunks": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "two lengths in one": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nContent-Length: 0, 44\r\n\r\n",
    "a length with a sign": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nContent-Length: +0\r\n\r\n",
    "a blank before the colon": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a coding that nobody knows": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a folded line": "POST /sign-in/ HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "lines without a carriage return": "GET /sign-in/ HTTP/1.1\nHost: {}\nX: y\r\n\r\n",
    "a carriage return alone": "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\nX: a\rContent-Length: 44\r\n\r\n",
    "a name with a NUL": "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\nX\0: a\r\n\r\n",
    "no version": "GET /sign-in/\r\n\r\n",
    "a version of the future": "GET /sign-in/ HTTP/9.9\r\nHost: {}\r\n\r\n",
}


def all_of(web: Web, sent: str) -> bytes:
    """Whatever comes until the server ends the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", web.address.port), timeout=15) as connection:
        connection.sendall(sent.replace("{}", str(web.address)).encode())
        with contextlib.suppress(ConnectionError):
            while got := connection.recv(65536):
                answer += got
    return answer


@pytest.mark.parametrize("request_of_two_meanings", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_what_can_be_read_in_two_ways_is_refused_and_what_follows_is_not_answered(
    web: Web, request_of_two_meanings: str
) -> None:
    answer = all_of(web, request_of_two_meanings + HIDDEN)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Protocol: ssl",
        "X_Forwarded_Proto: https",
        "X-HTTP-Method-Override: GET",
        "SCRIPT_NAME: /elsewhere",
        "PATH_INFO: /elsewhere",
    ],
)
def test_what_only_a_proxy_may_say_is_not_believed_of_whoever_is_at_this_machine(web: Web, header: str) -> None:
    """Over HTTPS Django would ask where this form comes from, and it does not say; elsewhere there is no page."""
    with web.connect("/sign-in/", [header, "Content-Length: 0"]) as connection:
        assert answer_on(connection).startswith("HTTP/1.1 200 ")


def test_no_answer_names_the_server_behind_it(web: Web) -> None:
    answer = all_of(web, "GET /sign-in/ HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n")
    assert b"\r\nServer: Lockstep\r\n" in answer
    assert b"gunicorn" not in answer


def test_nobody_moves_the_site_to_another_path(web: Web) -> None:
    with web.connect("/elsewhere/sign-in/", ["SCRIPT_NAME: /elsewhere", "Content-Length: 0"]) as connection:
        assert answer_on(connection).startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../manage.py",
        "/static/%2e%2e/manage.py",
        "/static/..%2fmanage.py",
        "/static/..%5cmanage.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/css/../../secret.key",
        "/static/..;/secret.key",
        "/static/",
        "/static/css/",
        "/static/staticfiles.json",
        "/.git/config",
        "/secret.key",
    ],
)
def test_no_path_leads_out_of_the_static_files(web: Web, path: str) -> None:
    answer = all_of(web, f"GET {path} HTTP/1.1\r\nHost: {{}}\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404")
