"""The running or the last run, for the header of every page."""

from typing import Any

from sync.models import Run, Tenant


def pill_context(tenant: Tenant) -> dict[str, Any]:
    newest = tenant.runs.exclude(kind=Run.Kind.ON_DEMAND).first()
    waiting = newest.operations.filter(result__in=("planned", "sent")).count() if newest and newest.open else 0
    done = max(0, newest.planned - waiting) if newest else 0
    return {"tenant": tenant, "run": newest, "done": done, "open": bool(newest and newest.open)}
