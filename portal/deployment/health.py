"""What load balancers and orchestrators ask: before the host check and the redirect to HTTPS, which no probe can pass.

/healthz: this process answers. /readyz: it can serve pages; 503 says in words why not.
"""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from sync.runs.outages import NOT_MIGRATED, database_problem

log = structlog.get_logger(__name__)

HEALTHY = "ok"
# Anybody may ask: names of hosts and users stay in the log.
NO_DATABASE = "The database does not answer. The log of this process says why."


class HealthMiddleware:
    """The first of all: probes ask an address, by plain HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path_info) if request.method in ("GET", "HEAD") else None
        return _answer(answer()) if answer else self.get_response(request)


def _not_ready() -> str:
    problem = database_problem()
    if problem in ("", NOT_MIGRATED):
        return problem
    log.warning("not ready", reason=problem)
    return NO_DATABASE


PROBES: dict[str, Callable[[], str]] = {"/healthz": lambda: "", "/readyz": _not_ready}


def _answer(problem: str) -> HttpResponse:
    response = HttpResponse(f"{problem or HEALTHY}\n", status=503 if problem else 200, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    return response
