"""What can go wrong with a SCIM server.

ScimError
 ├─ AwsDown          nothing was sent: the endpoint has failed for a while (sync/scim/breaker.py)
 ├─ Untouchable      nothing was sent: the object is on the never-touch list (sync/scim/never_touch.py)
 ├─ Unreachable      no connection: certainly not applied
 ├─ OutcomeUnknown   sent, but no answer (for a POST also 5xx, or no id): it may have been applied, read before a retry
 ├─ Contradiction    a write is told 404 of an object that a read shows: nothing is known to be gone
 ├─ BadAnswer        an answer that is not SCIM
 ├─ ServerError      5xx
 ├─ Throttled        429
 ├─ Unauthorised     401
 ├─ Forbidden        403
 ├─ NotFound         404
 ├─ Conflict         409, 412
 └─ Rejected         400 and every other 4xx

`permanent` decides: the same request would fail again (escrow), or it may pass later (retry).
"""

from typing import Any


class ScimError(Exception):
    permanent = False

    def __init__(
        self,
        detail: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        request: Any = None,
        body: Any = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.method = method
        self.path = path
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        # The JSON that we sent and the one that came back; headers, and so the token, are never kept.
        self.request = request
        self.body = body
        self.attempts = attempts


class Stopped(Exception):
    """The client was told to begin no further request."""

    def __init__(self, attempt: int) -> None:
        super().__init__(f"attempt {attempt} was not made")
        self.attempt = attempt

    @property
    def nothing_sent(self) -> bool:
        """It was the first request of what was being done: every later one is made while an error is handled."""
        return self.attempt == 1 and self.__context__ is None


class AwsDown(ScimError):
    pass


class Untouchable(ScimError):
    permanent = True


class Unreachable(ScimError):
    pass


class OutcomeUnknown(ScimError):
    pass


class Contradiction(ScimError):
    pass


class BadAnswer(ScimError):
    permanent = True


class ServerError(ScimError):
    pass


class Throttled(ScimError):
    pass


class Unauthorised(ScimError):
    permanent = True


class Forbidden(ScimError):
    permanent = True


class NotFound(ScimError):
    permanent = True
    # The AWS id under which the same external id was found instead; set by whoever looked for it.
    moved_to = ""


class Conflict(ScimError):
    permanent = True
    # Found out afterwards (sync/scim/conflicts.py): the field, and the AWS object that holds its value.
    attribute = ""
    holder: dict[str, Any] | None = None


class Rejected(ScimError):
    permanent = True


BY_STATUS: dict[int, type[ScimError]] = {
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: Throttled,
}


def error_class(status: int) -> type[ScimError]:
    if status >= 500:
        return ServerError
    return BY_STATUS.get(status, Rejected if status >= 400 else BadAnswer)


# What tells the status where only words are at hand: the exceptions that CloudTrail names (AWS user guide, "Logging IAM
# Identity Center SCIM API calls with CloudTrail"; Identity Store API), and RFC 7644's sentences (Table 8), as AWS says them.
STATUS_OF_WORDS: dict[str, int] = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "UnauthorizedException": 401,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "violates schema": 400,
    "authorization header is invalid": 401,
    "not permitted based on the supplied authorization": 403,
    "resource (e.g., User) or endpoint does not exist": 404,
    "duplicate resource": 409,
    "Duplicate GroupDisplayName": 409,
    "Duplicate UserName": 409,
    "Too many requests": 429,
}
