"""What went wrong, for programs: problem details (RFC 9457) in answers of the API. A table; its docs page shows it."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
# Where `type` leads: portal/api/docs.py.
DOCS = "/help/api/"
# Code -> status, title, what it means.
PROBLEMS: Mapping[str, tuple[int, Words, Words]] = {
    "bad-request": (400, _("This request cannot be read"), _("Its body is no JSON, or it holds a control character.")),
    "no-token": (401, _("There is no token that counts"), _("Send `Authorization: Bearer lockstep_…`. The token may have ended or been revoked.")),
    "insufficient-scope": (403, _("The token has not this scope"), _("Make a token with it.")),
    "forbidden": (403, _("This needs another role"), _("A token does no more than its person may.")),
    "not-found": (404, _("There is nothing here"), _("It may be mistyped, or belong to a tenant that is not this token's to see.")),
    "method-not-allowed": (405, _("This address takes no such request"), _("`Allow` says what it takes.")),
    "busy": (409, _("Another run is open"), _("Ask again when it is over; `run` is its number.")),
    "provisioning-off": (409, _("Provisioning is off"), _("Nothing was started or decided: it is off, or paused. Turn it on first.")),
    "not-tested": (409, _("The connection has not passed a test since its last change"), _("Test it first.")),
    "nothing-to-preview": (409, _("Everything is published"), _("There is no draft that changes anything.")),
    "not-held": (409, _("Some of it is not held"), _("`ids` do not wait in this hold. Nothing was decided.")),
    "own-change": (409, _("Somebody else has to approve this"), _("The token's person changed what causes it; `people` could approve.")),
    "over": (409, _("The run is over"), _("There is nothing to cancel.")),
    "length-required": (411, _("The size of this request is not known"), _("Send Content-Length.")),
    "changed": (412, _("It has changed"), _("Read it again, decide, and send its new ETag.")),
    "too-large": (413, _("This is too large"), _("A body may have 1 MB.")),
    "invalid": (422, _("Some of it cannot be taken"), _("`errors` says what, and where.")),
    "if-match-required": (428, _("If-Match is missing"), _("Send the ETag of what you read, so that nothing newer is decided unseen.")),
    "too-often": (429, _("This was asked too often"), _("`Retry-After` says when there is room again.")),
    "error": (500, _("This did not work"), _("The error is ours and was written to the log.")),
    "unavailable": (503, _("The database does not answer"), _("Try again in a minute; look first whether something was saved.")),
}  # fmt: skip
# What stands for an answer that was made before the API was reached.
OF_STATUS = {status: code for code, (status, _title, _meaning) in reversed(list(PROBLEMS.items()))} | {403: "forbidden"}


class Problem(Exception):
    """`more`: members beside those of RFC 9457."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(code)
        self.code, self.headers, self.more = code, headers or {}, more


def answer(request: HttpRequest, problem: Problem) -> JsonResponse:
    status, title, meaning = PROBLEMS[problem.code]
    body = {
        "type": f"{settings.PUBLIC_URL}{DOCS}#{problem.code}",
        "title": str(title),
        "status": status,
        "detail": str(problem.more.pop("detail", "") or meaning),
        "code": problem.code,
        "request": request.META.get("REQUEST_ID", ""),
    }
    response = JsonResponse(body | problem.more, status=status, headers=dict(problem.headers))
    response["Content-Type"] = "application/problem+json"
    return response


def of_status(request: HttpRequest, status: int) -> JsonResponse:
    return answer(request, Problem(OF_STATUS[status]))
