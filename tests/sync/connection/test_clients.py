"""The way out: sign-in, Graph and SCIM by the deployment's proxy, under its certificate authorities."""

import base64
import json
import logging
import random
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.views.debug import SafeExceptionReporterFilter

from sync.connection import clients
from sync.connection.checks.finding import CheckFinding
from sync.connection.checks.outcomes import OUTCOMES
from sync.connection.checks.reaching import reach
from sync.graph import errors as graph_errors
from sync.graph.auth import Authenticator, ClientSecret
from sync.graph.client import GraphClient
from sync.scim import errors as scim_errors
from sync.scim.client import ScimClient
from sync.scim.pacing import Pacer
from tests.world.proxy import ConnectProxy, connect_proxy

pytestmark = pytest.mark.pure

DIRECTORY = "11111111-2222-4333-8444-555555555555"
LOGIN, GRAPH, SCIM = "login.microsoftonline.com", "graph.microsoft.com", "scim.eu-central-1.amazonaws.com"
ENDPOINT = f"https://{SCIM}/{DIRECTORY}/scim/v2"
PASSWORD = "p@ss/w:rd-ünd-mehr"
QUOTED = "p%40ss%2Fw%3Ard-%C3%BCnd-mehr"
ENCODED = base64.b64encode(f"lockstep:{PASSWORD}".encode("latin-1")).decode()


class Vendor(BaseHTTPRequestHandler):
    """Microsoft's and AWS's answers to what the tests ask."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        openid = {"issuer": f"https://{LOGIN}/{DIRECTORY}/v2.0", "authorization_endpoint": f"https://{LOGIN}/authorize"}
        if "openid-configuration" in self.path:
            self._answer(200, openid | {"token_endpoint": f"https://{LOGIN}/{DIRECTORY}/oauth2/v2.0/token"})
        elif self.path.startswith("/v1.0/"):
            self._answer(200, {"@odata.count": 7, "value": []})
        else:
            self._answer(200, {"patch": {"supported": True}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/token"):
            self._answer(200, {"access_token": "access", "expires_in": 3599, "token_type": "Bearer"})
        else:
            self._answer(201, {"id": "1"})

    def _answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def vendor(authority: trustme.CA) -> Iterator[tuple[str, int]]:
    """What a proxy that opens TLS shows: the vendors' names under a certificate of its own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOGIN, GRAPH, SCIM).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield "127.0.0.1", server.server_port
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def deployed(settings: Any, ca_file: str) -> Callable[[str], None]:
    """The settings of a deployment whose proxy is at the given host and port."""

    def with_proxy(host: str) -> None:
        settings.OUTBOUND_PROXY_SECRET = f"http://lockstep:{QUOTED}@{host}"
        settings.OUTBOUND_CA_FILE = ca_file

    return with_proxy


def authenticator() -> Authenticator:
    return Authenticator(clients.clouds()["global"], DIRECTORY, "client", ClientSecret("secret"), timeout=2.0)


def scim() -> ScimClient:
    return ScimClient(
        clients.scim_endpoint(ENDPOINT),
        "token",
        pacer=Pacer(1e9, clock=time.monotonic, sleep=time.sleep),
        sleep=lambda _: None,
        clock=time.monotonic,
        random=lambda: 0.5,
        max_attempts=1,
        connect_timeout=0.5,
    )


class SignedIn(Authenticator):
    def token(self) -> str:
        return "access"


def graph() -> GraphClient:
    cloud = clients.clouds()["global"]
    return GraphClient(
        cloud,
        SignedIn(cloud, DIRECTORY, "client", ClientSecret("secret")),
        sleep=lambda _: None,
        clock=time.monotonic,
        random=random.random,
        max_attempts=1,
        connect_timeout=0.5,
    )


def sign_in() -> Any:
    return authenticator().token()


def count() -> Any:
    return graph().count("users")


def create() -> Any:
    client = scim()
    try:
        return client.create_user({"userName": "a"}).status
    finally:
        client.close()


WAYS = pytest.mark.parametrize(
    ("ask", "host", "answer"), [(sign_in, LOGIN, "access"), (count, GRAPH, 7), (create, SCIM, 201)]
)
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


@WAYS
def test_all_three_reach_the_vendor_through_the_proxy_under_its_authority(
    deployed: Any, vendor: tuple[str, int], ask: Callable[[], Any], host: str, answer: Any
) -> None:
    """The names are looked up by the proxy: this machine's own DNS is not asked."""
    with connect_proxy(vendor) as proxy:
        deployed(proxy.host)
        assert ask() == answer
    assert set(proxy.asked) == {f"{host}:443"}
    assert set(proxy.credentials) == {f"Basic {ENCODED}"}


@WAYS
def test_the_proxy_sees_ciphertext_only(
    deployed: Any, vendor: tuple[str, int], ask: Callable[[], Any], host: str, answer: Any
) -> None:
    with connect_proxy(vendor) as proxy:
        deployed(proxy.host)
        ask()
    assert proxy.seen
    assert not any(word in proxy.seen for word in (b"HTTP/1.1", b"Bearer", b"client_secret", ENCODED.encode()))


@WAYS
def test_an_authority_that_the_deployment_does_not_name_is_not_trusted(
    deployed: Any, vendor: tuple[str, int], settings: Any, ask: Callable[[], Any], host: str, answer: Any
) -> None:
    with connect_proxy(vendor) as proxy:
        deployed(proxy.host)
        settings.OUTBOUND_CA_FILE = None
        with pytest.raises((graph_errors.Unreachable, scim_errors.Unreachable)):
            ask()


@WAYS
@pytest.mark.parametrize(
    "refusal",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"SSH-2.0-not-a-proxy\r\n",
        b"",
        TUNNEL,
        TUNNEL + b"no TLS",
    ],
)
def test_a_proxy_that_refuses_has_sent_nothing_and_its_password_stays_here(
    deployed: Any, caplog: pytest.LogCaptureFixture, ask: Callable[[], Any], host: str, answer: Any, refusal: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    with connect_proxy(answer=refusal) as proxy:
        deployed(proxy.host)
        with pytest.raises((graph_errors.Unreachable, scim_errors.Unreachable)) as caught:
            ask()
    assert_hidden(caught.value, caplog)


@WAYS
def test_a_proxy_that_is_not_there_has_sent_nothing_and_its_password_stays_here(
    deployed: Any, caplog: pytest.LogCaptureFixture, ask: Callable[[], Any], host: str, answer: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with connect_proxy() as proxy:
        gone = proxy.host
    deployed(gone)
    with pytest.raises((graph_errors.Unreachable, scim_errors.Unreachable)) as caught:
        ask()
    assert_hidden(caught.value, caplog)


@WAYS
def test_a_proxy_that_is_silent_has_sent_nothing_and_its_password_stays_here(
    deployed: Any, caplog: pytest.LogCaptureFixture, ask: Callable[[], Any], host: str, answer: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deployed(f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises((graph_errors.Unreachable, scim_errors.Unreachable)) as caught:
            ask()
    assert_hidden(caught.value, caplog)


def assert_hidden(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    chain: list[BaseException] = [error]
    while behind := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(behind)
    texts = [*map(str, chain), *map(repr, chain), *traceback.format_exception(error), caplog.text]
    assert not [text for text in texts for secret in (PASSWORD, QUOTED, ENCODED) if secret in text]


def test_the_password_shows_in_no_representation(deployed: Any) -> None:
    deployed("proxy.example.test:3128")
    shown = repr([clients.clouds(), clients.scim_endpoint(ENDPOINT), authenticator(), graph(), scim()])
    assert QUOTED not in shown
    assert QUOTED not in repr(settings_of_the_error_page())


def settings_of_the_error_page() -> Any:
    """What Django's error page lists while DEBUG is on."""
    return SafeExceptionReporterFilter().get_safe_settings()


def test_kept_connections_keep_their_tunnel(deployed: Any, vendor: tuple[str, int]) -> None:
    with connect_proxy(vendor) as proxy:
        deployed(proxy.host)
        client = scim()
        for _ in range(3):
            client.create_user({"userName": "a"})
        client.close()
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@WAYS
def test_a_proxy_of_the_environment_has_no_say(
    deployed: Any,
    vendor: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[], Any],
    host: str,
    answer: Any,
    name: str,
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    with connect_proxy(vendor) as proxy:
        deployed(proxy.host)
        assert ask() == answer
    assert proxy.asked


@pytest.mark.parametrize(
    ("address", "direct"),
    [
        ("https://localhost:8443", True),
        ("https://lab.localhost", True),
        ("https://127.0.0.5:8443", True),
        ("https://[::1]:8443", True),
        ("http://scim.example.test", True),
        ("https://scim.example.test", False),
        ("https://10.0.0.5", False),
        ("https://localhost.example.test", False),
    ],
)
def test_loopback_and_plain_http_go_directly(deployed: Any, settings: Any, address: str, direct: bool) -> None:
    deployed("proxy.example.test:3128")
    settings.EXTRA_CLOUDS = {"other": {"authority": address, "graph": address}}
    settings.EXTRA_SCIM_HOSTS = {address.split("/")[2]: {"dialect": "rfc", "plain_http": True}}
    for side in (clients.clouds()["other"], clients.scim_endpoint(f"{address}/scim/v2")):
        assert (side.proxy is None) is direct


@WAYS
def test_an_authority_file_that_is_gone_is_an_error_of_the_client(
    deployed: Any, settings: Any, ask: Callable[[], Any], host: str, answer: Any
) -> None:
    with connect_proxy() as proxy:
        deployed(proxy.host)
        settings.OUTBOUND_CA_FILE = "/no/such/file.pem"
        with pytest.raises((graph_errors.Unreachable, scim_errors.Unreachable)):
            ask()
    assert proxy.asked == []


def test_a_side_with_an_authority_of_its_own_trusts_that_alone(deployed: Any, settings: Any, ca_file: str) -> None:
    deployed("proxy.example.test:3128")
    settings.EXTRA_CLOUDS = {"other": {"authority": "https://a.test", "graph": "https://b.test", "ca_file": "own.pem"}}
    settings.EXTRA_SCIM_HOSTS = {"c.test": {"dialect": "rfc", "ca_file": "own.pem"}}
    assert clients.clouds()["other"].ca_file == clients.scim_endpoint("https://c.test/").ca_file == "own.pem"
    assert clients.clouds()["global"].ca_file == clients.scim_endpoint(ENDPOINT).ca_file == ca_file


# The check "can be reached"


def reached(proxy: ConnectProxy | None, ca_file: str | None) -> CheckFinding:
    host = proxy and proxy.host
    return reach(f"https://{SCIM}", ca_file, host and f"http://lockstep:{QUOTED}@{host}")


def words(finding: CheckFinding) -> list[str]:
    """The sentences of the page, with their facts."""
    outcome = OUTCOMES[finding.code]
    return [str(sentence) % finding.facts for sentence in (outcome.title, outcome.meaning, *outcome.steps)]


def test_the_check_goes_through_the_proxy_too(vendor: tuple[str, int], ca_file: str) -> None:
    with connect_proxy(vendor) as proxy:
        finding = reached(proxy, ca_file)
    assert (finding.code, finding.facts["protocol"]) == ("", "TLS 1.3")
    assert (proxy.asked, proxy.credentials) == ([f"{SCIM}:443"], [f"Basic {ENCODED}"])
    assert finding.request == f"CONNECT {SCIM}:443 (TLS) by proxy {proxy.host}"


def test_the_check_tells_the_proxy_s_trouble_from_the_vendor_s(vendor: tuple[str, int], ca_file: str) -> None:
    with connect_proxy(vendor) as proxy:
        assert reached(proxy, None).code == "host-certificate"
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with connect_proxy(answer=refusal) as proxy:
        refused = reached(proxy, ca_file)
    gone = reached(proxy, ca_file)
    assert (refused.code, gone.code) == ("proxy-refused", "proxy-unreachable")
    assert "407" in refused.answer
    assert words(refused)[0] == f"The proxy {proxy.host} does not let us through to {SCIM}."
    assert words(gone)[0] == f"The proxy {proxy.host} cannot be reached."
    assert not [text for text in (repr(refused), repr(gone)) if QUOTED in text or PASSWORD in text]


def test_the_check_names_an_authority_file_that_cannot_be_read(tmp_path: Path) -> None:
    finding = reached(None, str(tmp_path / "none.pem"))
    assert finding.code == "ca-file-unreadable"
    assert str(tmp_path / "none.pem") in words(finding)[1]
