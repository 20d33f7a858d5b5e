"""Error answers as captured from AWS: `schema` and `schemas`, a string status, no scimType."""

import datetime
from typing import Any

from lab import chance, clock

ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"
GENERIC = "Request is unparsable, syntactically incorrect, or violates schema."
DUPLICATE = "Refused to create a new, duplicate resource."


class ScimRefusal(Exception):
    def __init__(self, status: int, detail: str, exception: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.exception = exception


def invalid(detail: str) -> ScimRefusal:
    return ScimRefusal(400, detail, "ValidationException")


def duplicate() -> ScimRefusal:
    return ScimRefusal(409, DUPLICATE, "ConflictException")


def over_quota(kind: str, most: int) -> ScimRefusal:
    """What AWS says here is not documented: a 400 in plain words, with the exception of the Identity Store API."""
    return ScimRefusal(400, f"The quota of {most} {kind}s is used up.", "ServiceQuotaExceededException")


def unauthorized() -> ScimRefusal:
    return ScimRefusal(401, "Authorization header is invalid or missing.", "UnauthorizedException")


def denied() -> ScimRefusal:
    return ScimRefusal(403, "Operation is not permitted based on the supplied authorization.", "AccessDeniedException")


def not_found() -> ScimRefusal:
    return ScimRefusal(404, "Specified resource (e.g., User) or endpoint does not exist.", "ResourceNotFoundException")


def throttled() -> ScimRefusal:
    return ScimRefusal(429, "Too many requests exceeded the limits.", "ThrottlingException")


def error_body(error: ScimRefusal, switches: dict[str, str]) -> dict[str, Any]:
    generic = error.status == 400 and switches["error_detail"] == "generic"
    now = datetime.datetime.fromtimestamp(clock.now(), datetime.UTC)
    return {
        "schema": [ERROR_SCHEMA],
        **({"schemas": [ERROR_SCHEMA]} if switches["error_keys"] == "both" else {}),
        "detail": GENERIC if generic else error.detail,
        "status": str(error.status),
        "exceptionRequestId": chance.new_uuid(),
        "timeStamp": now.strftime("%Y-%m-%d %H:%M:%S.") + f"{now.microsecond // 1000:03}",
    }
