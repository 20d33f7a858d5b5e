"""How the installation and its tenants stand."""

from typing import Any

from django.conf import settings
from ninja import Query, Router

from portal.api.auth import READ, ApiRequest, tenant_of, tenants_of
from portal.api.paging import Paging, page_of
from portal.api.schemas import StatusOut, TenantDetailOut, Tenants
from portal.words.status import TenantStatus, statuses
from sync.approvals.services import decisions
from sync.health.queries.presence import absence, somebody_works
from sync.models import ObjectType, Run
from sync.standings import queries as standings

router = Router(tags=["Tenants"])


@router.get("/status", response=StatusOut, auth=READ, summary="How the installation stands")
def status(request: ApiRequest) -> dict[str, Any]:
    found = statuses(list(tenants_of(request)))
    missing = absence()
    return {
        "version": settings.VERSION,
        "working": somebody_works() and not missing,
        "missing": missing or None,
        "tenants": len(found),
        "overdue": sum(one.overdue_since is not None for one in found),
        "quarantined": sum(one.provisioning == "quarantined" for one in found),
    }


@router.get("/tenants", response=Tenants, auth=READ, summary="Tenants that the token may see")
def tenants(request: ApiRequest, paging: Query[Paging]) -> dict[str, Any]:
    found, following = page_of(tenants_of(request), paging)
    return {"items": [tenant_facts(one) for one in statuses(found)], "next": following}


@router.get("/tenants/{slug}", response=TenantDetailOut, auth=READ, summary="One tenant, with its counts")
def tenant(request: ApiRequest, slug: str) -> dict[str, Any]:
    found = tenant_of(request, slug)
    counts = standings.counts_by_kind(found)
    [status] = statuses([found])
    return tenant_facts(status) | {
        "interval_minutes": found.interval,
        "standings": {"people": counts[ObjectType.USER], "groups": counts[ObjectType.GROUP]},
        "decisions": decisions(found).count,
    }


def tenant_facts(status: TenantStatus) -> dict[str, Any]:
    return {
        "slug": status.tenant.slug,
        "name": status.tenant.name,
        "provisioning": status.provisioning,
        "people_in_aws": status.people_in_aws,
        "people_in_scope": status.people_in_scope,
        "problems": status.problems,
        "last_run": last_run_facts(status.last_run) if status.last_run else None,
        "next_run_at": status.tenant.next_run_at,
        "resume_at": status.tenant.resume_at,
        "pause_reason": status.tenant.pause_reason or None,
        "overdue_since": status.overdue_since,
    }


def last_run_facts(run: Run) -> dict[str, Any]:
    facts = {"number": run.number, "kind": run.kind, "state": run.state, "finished_at": run.finished_at}
    return facts | {"problem": run.problem or None}
