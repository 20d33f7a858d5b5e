"""Taking an answer in: bounded in size and time, and as the JSON object that it has to be."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
from urllib3.exceptions import HTTPError

from sync.graph.errors import BadAnswer, Unreachable

Json = dict[str, Any]
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# A GUID in its usual form.
MAX_ID = 36


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
        found = json.loads(content, parse_constant=_not_json, parse_float=_finite, object_pairs_hook=_each_once)
        if b"\\u" in content:
            found = _storable(found)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _not_json(constant: str) -> NoReturn:
    """Python reads NaN and Infinity; RFC 8259 section 6 does not know them and PostgreSQL refuses to store them."""
    raise ValueError(constant)


def _finite(text: str) -> float:
    """1e999 is valid JSON and no number that can be stored (RFC 8259 section 6: interoperability)."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> Json:
    """Which of two values under one name counts is anybody's guess (RFC 8259 section 4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name occurs twice in an object.")
    return found


def _storable(value: Any) -> Any:
    """Without NUL and half surrogates, which JSON can escape and PostgreSQL cannot store."""
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def require_ids(items: list[Json]) -> None:
    """Every object of a delta round, and everybody listed in it, has an id: without one nothing can be known of it."""
    for item in items:
        for one in (item, *_listed(item, "members@delta"), *_listed(item, "manager@delta")):
            key = one.get("id") if isinstance(one, dict) else None
            if not isinstance(key, str) or not 0 < len(key) <= MAX_ID:
                raise BadAnswer("Graph sent an object without a usable id.", status=200)
            if not isinstance(one.get("@removed", {}), dict):
                raise BadAnswer("Graph sent a removal without a reason.", status=200)


def _listed(item: Json, name: str) -> list[Any]:
    found = item.get(name) or []
    if not isinstance(found, list):
        raise BadAnswer(f"Graph sent {name} that is no list.", status=200)
    return found


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
