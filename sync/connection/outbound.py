"""Posting to servers that the deployment or an admin names: by the deployment's proxy, under its authorities."""

from collections.abc import Mapping
from dataclasses import dataclass

import requests
from django.conf import settings

from sync.connection.clients import proxy_to

# Seconds to connect, and without an answer.
TIMEOUT = (5, 20)
MOST_TEXT = 500


class NotSent(Exception):
    """There was no answer; the text says why, and holds no part of the address beyond the host."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`text`: its beginning."""

    status: int
    text: str
    retry_after: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Follows no redirect: it would lead anywhere. Raises NotSent."""
    with requests.Session() as session:
        # The process environment has no say, as with Microsoft (sync/graph/session.py).
        session.trust_env = False
        session.verify = settings.OUTBOUND_CA_FILE or True
        if proxy := proxy_to(url):
            session.proxies = {"https": proxy}
        try:
            with session.post(
                url, data=body, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                return Answer(response.status_code, _beginning(response), response.headers.get("Retry-After", "")[:40])
        except (requests.RequestException, OSError) as error:
            raise NotSent(_reason(error)) from error


def _beginning(response: requests.Response) -> str:
    """Never more than this is read, however much is sent."""
    raw = response.raw.read(MOST_TEXT, decode_content=True)
    return str(raw.decode("utf-8", "replace")) if raw else ""


def _reason(error: Exception) -> str:
    """The URL may hold a secret, and the library's own words quote it."""
    match error:
        case requests.exceptions.ProxyError():
            return "the proxy does not answer or refuses"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.exceptions.ConnectTimeout():
            return "it cannot be reached in time"
        case requests.exceptions.Timeout():
            return "no answer in time"
        case requests.exceptions.ConnectionError():
            return "it cannot be reached"
        case _:
            return type(error).__name__
