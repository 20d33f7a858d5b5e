"""Objects provisioned on demand, and what their steps say."""

from typing import Any

from sync.directory.live import Found
from sync.models import Demand, DemandObject, Tenant
from sync.on_demand import services
from sync.worker import execution
from tests.world.tenant import ACTOR


def found(thing: dict[str, Any]) -> Found:
    kind = "user" if "userPrincipalName" in thing else "group"
    return Found(kind, thing["id"], thing["displayName"], thing.get("userPrincipalName", ""), "")


def demand(tenant: Tenant, *things: dict[str, Any], write: bool = True, drafted: bool = False) -> Demand:
    """`drafted`: shows, by the draft."""
    rules = {"dry_run": drafted or not write, "drafted": drafted}
    asked = services.request_demand(
        tenant=tenant, actor=ACTOR, objects=[found(one) for one in things], enqueue=False, **rules
    )
    assert asked.run is not None
    execution.execute_run(asked.run.pk)
    asked.refresh_from_db()
    return asked


def steps(row: DemandObject) -> dict[str, str]:
    return {step["step"]: step["state"] for step in row.steps}


def facts(row: DemandObject, step: str) -> dict[str, Any]:
    return next(one["facts"] for one in row.steps if one["step"] == step)
