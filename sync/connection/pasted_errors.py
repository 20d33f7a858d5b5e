"""What an error means that somebody pasted: an answer as JSON, a record of CloudTrail, a line of a log, or a sentence.

The text is taken apart here. What it means is said by what says it of an error that came by itself: sync/scim/diagnosis.py,
sync/runs/outcomes.py, and the sign-in codes of the connection test.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sync.connection.checks.entra import SIGN_IN_CODES
from sync.graph.errors import STATUS_OF_CODE, GraphError, NotFound, Unauthorised
from sync.graph.errors import error_class as graph_error_class
from sync.rules import escrow
from sync.runs.outcomes import ending_of
from sync.scim.diagnosis import diagnose
from sync.scim.errors import STATUS_OF_WORDS
from sync.scim.errors import error_class as scim_error_class

Json = dict[str, Any]
AADSTS = re.compile(r"AADSTS(\d+)")
STATUS = re.compile(r"(?:HTTP(?:/[\d.]+)?|status(?:[ _]?code)?)\W{1,4}([45]\d\d)\b", re.IGNORECASE)
# How the two name a request: CloudTrail, SCIM answers of AWS, Graph, Entra's sign-in.
REQUEST_ID = re.compile(
    r"(?:requestID|exceptionRequestId|x-amzn-requestid|request-id|Trace ID)\W{1,4}([0-9a-f-]{36})", re.IGNORECASE
)
LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class PastedError:
    """`code`: of sync.problems.catalogue or of sync.connection.checks.outcomes. `said`: the sentence that was quoted."""

    code: str
    attribute: str = ""
    said: str = ""
    request_ids: tuple[str, ...] = ()


def read_error(text: str) -> PastedError | None:
    """None when the text is no error that we know."""
    objects = list(json_objects(text))
    return _sign_in(text) or _graph(objects, text) or _scim(objects, text)


def json_objects(text: str) -> Iterator[Json]:
    """Those that stand in the text, also between other words; the records of a CloudTrail file one by one."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        end = start + 1
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found = {}
        records = found.get("Records")
        yield from (one for one in (records if isinstance(records, list) else [found]) if isinstance(one, dict))
        start = text.find("{", end)


def _sign_in(text: str) -> PastedError | None:
    found = AADSTS.search(text)
    if found is None:
        return None
    return PastedError(SIGN_IN_CODES.get(found[1], "sign-in-refused"), said=found[0], request_ids=_request_ids(text))


def _graph(objects: Sequence[Json], text: str) -> PastedError | None:
    inner: Json = next((one["error"] for one in objects if isinstance(one.get("error"), dict)), {})
    code = str(inner.get("code") or _code_in(text))
    if not code:
        return None
    said = str(inner.get("message") or code)
    status = STATUS_OF_CODE.get(code.lower()) or _status_in(text) or 400
    error = graph_error_class(status)(said, status=status, code=code)
    return PastedError(_graph_problem(error), said=said[:LONGEST_QUOTE], request_ids=_request_ids(text))


def _code_in(text: str) -> str:
    return next((code for code in STATUS_OF_CODE if code in text.lower()), "")


def _graph_problem(error: GraphError) -> str:
    """As of a run, but for what a run meets only where it goes on by itself."""
    if isinstance(error, NotFound):
        return "unknown-to-entra"
    return "graph-refused" if isinstance(error, Unauthorised) else ending_of(error).code


def _scim(objects: Sequence[Json], text: str) -> PastedError | None:
    answer = next((one for one in objects if one.keys() & {"errorCode", "errorMessage", "detail"}), {})
    body = next((one for one in objects if one.keys() & {"userName", "displayName", "Operations"}), None)
    said = str(answer.get("errorMessage") or answer.get("detail") or text).strip()
    status = _scim_status(answer, text)
    method = "PATCH" if body and "Operations" in body else "POST"
    kind = "Users" if body is None or "userName" in body else "Groups"
    found = diagnose(method, kind, status or 400, said, body)
    if status is None and found.code == "rejected":
        return None
    error = scim_error_class(status or 400)(
        said, method=method, status=status, body={"exception": answer.get("errorCode")}
    )
    code = "quota-reached" if escrow.is_quota(error) else found.code
    return PastedError(code, found.attribute or "", said[:LONGEST_QUOTE], _request_ids(text))


def _scim_status(answer: Json, text: str) -> int | None:
    status = str(answer.get("status") or answer.get("statusCode") or "")
    return int(status) if re.fullmatch("[45][0-9]{2}", status) else _status_in(text)


def _status_in(text: str) -> int | None:
    for words, status in STATUS_OF_WORDS.items():
        if words.lower() in text.lower():
            return status
    found = STATUS.search(text)
    return int(found[1]) if found else None


def _request_ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(REQUEST_ID.findall(text)))
