"""Figures for Prometheus, in its text format: for whoever has METRICS_TOKEN, else for this machine alone."""

import secrets
from collections.abc import Iterable

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sync.connection.loopback import is_loopback
from sync.health.queries.figures import FIGURES, Figure
from sync.runs.outages import explained

FAMILIES = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
CLOSED = "Set METRICS_TOKEN, and send it as `Authorization: Bearer …`. Without it only this machine itself may ask.\n"


class Figures(Collector):
    def collect(self) -> Iterable[Metric]:
        return [_family(figure) for figure in FIGURES]


def _family(figure: Figure) -> Metric:
    family: GaugeMetricFamily | CounterMetricFamily = FAMILIES[figure.kind](
        figure.name, figure.help, labels=figure.labels
    )
    for labels, value in figure.samples():
        family.add_metric(labels, value)
    return family


def answer(request: HttpRequest) -> HttpResponse:
    if not _may_ask(request):
        response = HttpResponse(CLOSED, status=401, content_type="text/plain")
        response["WWW-Authenticate"] = "Bearer"
        return response
    try:
        return HttpResponse(_text(), content_type=CONTENT_TYPE_LATEST)
    except (DatabaseError, InterfaceError) as error:
        if not explained(error):
            raise
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")


def _text() -> bytes:
    registry = CollectorRegistry()
    registry.register(Figures())
    return generate_latest(registry)


def _may_ask(request: HttpRequest) -> bool:
    """What comes through a proxy of this machine comes from its loopback address too, and says so in its head."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    proxied = settings.SECURE_PROXY_SSL_HEADER is not None or passed_on
    return not proxied and is_loopback(request.META.get("REMOTE_ADDR", ""))
