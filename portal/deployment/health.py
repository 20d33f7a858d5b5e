"""What load balancers and orchestrators ask: before the host check and the redirect to HTTPS, which no probe can pass.

/healthz: this process answers. /readyz: it can serve pages; 503 says in words why not. /metrics: figures of the installation.
"""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from portal.deployment import metrics
from sync.health.queries.presence import absence
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
        if answer is None:
            return self.get_response(request)
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response


def _ready(_request: HttpRequest) -> HttpResponse:
    """Pages can be served while nobody works: that is said, and no reason to send people elsewhere."""
    problem = database_problem()
    if problem not in ("", NOT_MIGRATED):
        log.warning("not ready", reason=problem)
        problem = NO_DATABASE
    return _text(problem, 503) if problem else _text(f"{HEALTHY}\n{absence()}".strip())


def _text(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": lambda _request: _text(HEALTHY),
    "/readyz": _ready,
    "/metrics": metrics.answer,
}
