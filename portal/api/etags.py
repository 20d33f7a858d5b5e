"""ETag and If-Match (RFC 9110): whoever writes names what he read, so that nothing newer is decided on unseen."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest

from portal.frame.problem import Problem

# Operations that begin with `require_match`, and what the description says of their header.
NEED_MATCH = ("cancel_run", "decide_hold")
PARAMETER = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag of what was read, or `*`. Without it the answer is 428, with another one 412.",
}


def etag_of(*facts: object) -> str:
    text = json.dumps(facts, cls=DjangoJSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def require_match(request: HttpRequest, etag: str) -> None:
    """Raises Problem. A compressed answer marks its ETag as weak, which says nothing about ours."""
    named = request.headers.get("If-Match", "").strip()
    if not named:
        raise Problem("if-match-required")
    if named != "*" and etag not in _tags(named):
        raise Problem("changed", headers={"ETag": etag})


def names_one(request: HttpRequest) -> bool:
    """Not `*`, which stands for whatever there is."""
    return request.headers.get("If-Match", "").strip() != "*"


def is_known(request: HttpRequest, etag: str) -> bool:
    """By If-None-Match: there is nothing new to send."""
    return etag in _tags(request.headers.get("If-None-Match", ""))


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]
