"""What reaches the SCIM client over a real socket when a server, or the way to it, misbehaves."""

import gzip
import time
from typing import Any

import pytest

from sync.scim import client as scim_client
from sync.scim.client import ScimClient
from sync.scim.endpoint import Endpoint, OtherHost, normalise
from sync.scim.errors import BadAnswer, OutcomeUnknown, Unreachable
from sync.scim.pacing import Pacer
from tests.lab_process import Lab
from tests.sync.raw_server import RawServer, cuts, drips, hangs_up, raw_server, sends

USER = sends(b'{"id": "1"}')


def asking(host: str, endpoint: Endpoint | None = None, **options: Any) -> ScimClient:
    return ScimClient(
        endpoint or normalise(f"http://{host}/", allowed={host: OtherHost("rfc", plain_http=True)}),
        "token",
        pacer=Pacer(1e9, clock=time.monotonic, sleep=time.sleep),
        sleep=lambda _: None,
        clock=time.monotonic,
        random=lambda: 0.5,
        **options,
    )


def once(server: RawServer, **options: Any) -> ScimClient:
    return asking(server.host, max_attempts=1, **options)


def test_one_connection_serves_request_after_request() -> None:
    """With bodies, without and compressed: a connection that is not drained would be thrown away each time."""
    packed = sends(gzip.compress(b'{"id": "1"}'), "Content-Encoding: gzip")
    empty = sends(b"", status="204 No Content", length=0)
    with raw_server(USER, empty, packed, USER) as server:
        client = asking(server.host)
        assert [client.get_user("1").resource for _ in range(4)] == [{"id": "1"}, None, {"id": "1"}, {"id": "1"}]
        assert server.connections == 1
        client.close()


def test_a_body_that_drips_meets_the_total_limit() -> None:
    with raw_server(drips) as server:
        client = once(server, read_timeout=5.0, answer_seconds=0.2)
        with pytest.raises(OutcomeUnknown, match="longer than"):
            client.get_user("1")
        client.close()


def test_a_body_that_is_cut_short_is_never_used() -> None:
    with raw_server(cuts, USER) as server:
        client = asking(server.host)
        assert client.get_user("1").attempts == 2
        client.close()


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_is_too_large_is_refused_also_when_it_was_packed(
    packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scim_client, "MAX_ANSWER_BYTES", 100_000)
    body = b" " * 200_000
    script = sends(gzip.compress(body), "Content-Encoding: gzip") if packed else sends(body)
    with raw_server(script) as server:
        client = once(server)
        with pytest.raises(BadAnswer, match="larger than"):
            client.get_user("1")
        client.close()


@pytest.mark.parametrize("script", [hangs_up, cuts])
def test_a_create_without_a_whole_answer_is_unknown_and_sent_once(script: Any) -> None:
    with raw_server(script, USER) as server:
        client = asking(server.host)
        with pytest.raises(OutcomeUnknown):
            client.create_user({"userName": "a"})
        assert client.counts["POST"] == 1
        client.close()


def test_a_create_that_met_no_listener_was_certainly_not_applied() -> None:
    with raw_server() as server:
        host = server.host
    client = asking(host, max_attempts=1)
    with pytest.raises(Unreachable):
        client.create_user({"userName": "a"})


def test_a_certificate_that_nobody_vouches_for_ends_before_the_request(tmp_path_factory: Any) -> None:
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        endpoint = normalise(lab.facts["scim_endpoint"], allowed={lab.scim_host: OtherHost("aws", ca_file=None)})
        client = asking(lab.scim_host, endpoint, max_attempts=1)
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            client.create_user({"userName": "a"})
        assert lab.requests() == []
