"""Readiness: whom AWS will refuse, before it does."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.access.pages import page
from portal.access.quota import PREVIEW, begin_export, take
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.csv_export import csv_response
from portal.frame.render import redirect_to, render_page
from portal.pages.readiness.trend import trend_of
from portal.words.progress import PATIENCE
from sync import audit
from sync.models import ObjectType, ReadinessCheck, Tenant
from sync.readiness.queries import SHOWN, Failing, check_outcome, everybody, failing, found_since, latest_check, passed
from sync.readiness.services import request_check
from sync.standings import queries as standings

# A check that runs longer has lost its worker.
LONGEST = datetime.timedelta(minutes=10)
COLUMNS = ("check", "outcome", "object", "name", "user_principal_name", "entra_id", "attribute", "value")
# What AWS does, and the family in which the page draws it.
OUTCOMES = {
    "refuses": (_("AWS refuses the whole person or group"), "bad"),
    "conflicts": (_("AWS takes one of them, and refuses the others"), "bad"),
    "keeps-access": (_("Whoever leaves stays active in AWS"), "bad"),
    "sign-in-fails": (_("AWS takes the person, but sign-in fails"), "attention"),
    "may-refuse": (_("AWS may refuse it: the sources disagree"), "attention"),
    "left-out": (_("The person is written without this value"), "neutral"),
}
FINDINGS_SHOWN = SHOWN


@page(read=Right.READ)
def readiness(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The page, or its body alone for the poller."""
    return render_page(request, "readiness/list.html", readiness_context(tenant), partial="body")


def readiness_context(tenant: Tenant) -> dict[str, Any]:
    check = latest_check(tenant)
    found = failing(check) if check else []
    waiting, ready = open_check(tenant), standings.ready_by_kind(tenant)
    return {
        "tenant": tenant,
        "check": check,
        "waiting": waiting,
        "nobody_took_it": bool(
            waiting and waiting.state == "waiting" and timezone.now() - waiting.created_at > PATIENCE
        ),
        "failing": [draw(one) for one in found],
        "passed": passed(check, found) if check else [],
        "found_since": found_since(check) if check else 0,
        "people": ready[ObjectType.USER],
        "groups": ready[ObjectType.GROUP],
        "scope_known": tenant.snapshots.exclude(sealed_at=None).exists(),
        "shown": FINDINGS_SHOWN,
        "trend": trend_of(tenant),
    }


def open_check(tenant: Tenant) -> ReadinessCheck | None:
    recent = tenant.readiness_checks.filter(created_at__gte=timezone.now() - LONGEST)
    return recent.filter(state__in=ReadinessCheck.OPEN).first()


def draw(one: Failing) -> dict[str, Any]:
    words, family = OUTCOMES[one.outcome]
    leavers = one.outcome == "keeps-access"
    return {"failing": one, "outcome": words, "family": family, "icon": ICONS[family], "leavers": leavers}


ICONS = {"bad": "square-x", "attention": "alert-triangle", "neutral": "minus"}


@page(act=Right.ON_DEMAND)
def readiness_check(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    take(request, PREVIEW)
    request_check(tenant=tenant, actor=request.user.email)
    return redirect_to(request, "readiness", tenant.slug)


@page(read=Right.READ)
def readiness_export(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    """The list for those who maintain the directory: one row per finding."""
    begin_export(request)
    audit.record(request.user.email, "readiness.export", tenant)
    found = latest_check(tenant)
    return csv_response(f"{tenant.slug}-readiness", COLUMNS, rows(found) if found else ())


def rows(found: ReadinessCheck) -> Iterator[list[object]]:
    for finding, who in everybody(found):
        facts = (finding.code, check_outcome(finding.code), who.object_type, who.name, who.detail)
        yield [*facts, who.object_id, who.attribute, who.value]
