"""Taking an answer in: bounded in size and time, and as the JSON object that it has to be."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
from urllib3.exceptions import HTTPError

from sync.graph.errors import BadAnswer, Unreachable

Json = dict[str, Any]


def read_body(response: requests.Response, *, limit: int, seconds: float, clock: Callable[[], float]) -> bytes:
    """The body of a streamed answer. `limit`: bytes after unpacking; `seconds`: for all of it.

    `read1` hands over what has arrived, so that a server that drips byte by byte meets the limit too; a read timeout
    alone starts anew with each byte. Raises BadAnswer (too large), Unreachable (cut short, too slow).
    """
    began, size = clock(), 0
    chunks: list[bytes] = []
    try:
        while chunk := response.raw.read1(65536, decode_content=True):
            size += len(chunk)
            if size > limit:
                raise BadAnswer(f"The answer is larger than {limit} bytes.", status=response.status_code)
            if clock() - began > seconds:
                raise Unreachable(f"The answer took longer than {seconds:.0f} s.", status=response.status_code)
            chunks.append(chunk)
    except HTTPError as error:
        raise Unreachable(f"The answer was cut short: {type(error).__name__}.", status=response.status_code) from None
    finally:
        response.close()
    return b"".join(chunks)


def json_object(content: bytes) -> Json | None:
    """None when it is anything else: HTML of a proxy, a list, NaN, nesting without end."""
    try:
        found = json.loads(content, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _not_json(constant: str) -> NoReturn:
    """Python reads NaN and Infinity; RFC 8259 section 6 does not know them and PostgreSQL refuses to store them."""
    raise ValueError(constant)


def objects(page: Json) -> list[Json]:
    """The items of a collection. Without the list the answer says nothing: it is not an empty directory."""
    found = page.get("value")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadAnswer("Graph's answer holds no list of objects.", status=200)
    return found


def http_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    # "-0000" says UTC without a zone (RFC 5322 section 3.3).
    return date.replace(tzinfo=UTC) if date and date.tzinfo is None else date


def retry_after(value: str | None) -> float | None:
    """Seconds, also fractions, or an HTTP date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        date = http_date(value)
    return max(0.0, (date - datetime.now(UTC)).total_seconds()) if date else None
