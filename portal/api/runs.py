"""Runs and their operations; starting, previewing and cancelling one."""

from typing import Any

from django.http import Http404, HttpResponse
from ninja import Field, Query, Router, Schema, Status

from portal.access.quota import PREVIEW as PREVIEWS
from portal.access.quota import take
from portal.api.auth import PREVIEW, READ, SYNC, ApiRequest, tenant_of
from portal.api.etags import etag_of, is_known, names_one, require_match
from portal.api.paging import Paging, page_of
from portal.api.schemas import Operations, RunIn, RunOut, Runs
from portal.frame.problem import Problem
from sync.models import Operation, Result, Run, Tenant
from sync.preview import services as previews
from sync.runs import requests
from sync.tenants.queries import missing_for_turning_on

router = Router(tags=["Runs"])


@router.get("/tenants/{slug}/runs", response=Runs, auth=READ, summary="Runs, newest first")
def runs(request: ApiRequest, slug: str, paging: Query[Paging]) -> dict[str, Any]:
    rows = tenant_of(request, slug).runs.select_related("configuration")
    found, following = page_of(rows, paging, newest_first=True)
    return {"items": [run_facts(one) for one in found], "next": following}


@router.get("/tenants/{slug}/runs/{number}", response={200: RunOut, 304: None}, auth=READ, summary="One run")
def run(request: ApiRequest, response: HttpResponse, slug: str, number: int) -> Status[Any]:
    """With an ETag, for *If-None-Match* while it goes on and for cancelling."""
    found = run_numbered(tenant_of(request, slug), number)
    response["ETag"] = etag_of_run(found)
    if is_known(request, response["ETag"]):
        return Status(304, None)
    return Status(200, run_facts(found))


@router.post("/tenants/{slug}/runs", response={202: RunOut}, auth=SYNC, summary="Start a sync or a preview")
def start_run(request: ApiRequest, response: HttpResponse, slug: str, asked: RunIn) -> Status[Any]:
    """The run that was queued, or the open one that does what is asked: asking twice makes one run."""
    found = tenant_of(request, slug)
    if asked.kind == "preview":
        require_tested(request, found)
    elif not found.enabled:
        raise Problem("provisioning-off")
    try:
        begun = requests.request_run(tenant=found, kind=asked.kind, trigger=Run.Trigger.API, actor=request.user.email)
    except requests.RunInTheWay as busy:
        raise Problem("busy", run=busy.run.number) from busy
    return accepted(request, response, begun)


@router.post("/tenants/{slug}/draft/preview", response={202: RunOut}, auth=PREVIEW, summary="Preview the draft")
def preview_draft(request: ApiRequest, response: HttpResponse, slug: str) -> Status[Any]:
    """What publishing would do; its operations are what the page shows."""
    found = tenant_of(request, slug)
    require_tested(request, found)
    try:
        begun = previews.request_preview(tenant=found, actor=request.user.email, trigger=Run.Trigger.API)
    except previews.NothingToPreview as error:
        raise Problem("nothing-to-preview") from error
    return accepted(request, response, begun)


@router.post("/tenants/{slug}/runs/{number}/cancel", response={202: RunOut}, auth=SYNC, summary="Cancel a run")
def cancel_run(request: ApiRequest, response: HttpResponse, slug: str, number: int) -> Status[Any]:
    """Needs *If-Match*, the run's ETag or `*`. What is written stays."""
    found = run_numbered(tenant_of(request, slug), number)
    require_match(request, etag_of_run(found))
    cancelled = requests.cancel_run(run=found, actor=request.user.email, as_seen=names_one(request))
    found.refresh_from_db()
    if not cancelled:
        # It went on since, or was over already.
        require_match(request, etag_of_run(found))
        raise Problem("over")
    return accepted(request, response, found)


class OperationFilters(Schema):
    run: int | None = Field(None, ge=1, le=2**31 - 1, description="Number of a run; else the whole log.")
    result: Result | None = None
    entra_id: str = Field("", max_length=36)


@router.get("/tenants/{slug}/operations", response=Operations, auth=READ, summary="Operations, newest first")
def operations(
    request: ApiRequest, slug: str, filters: Query[OperationFilters], paging: Query[Paging]
) -> dict[str, Any]:
    """What was done to whom and what AWS answered. Of a preview's run: what it plans."""
    found = tenant_of(request, slug)
    rows = Operation.objects.filter(tenant=found).select_related("run")
    rows = rows.filter(run=run_numbered(found, filters.run)) if filters.run else rows.log()
    if filters.result:
        rows = rows.filter(result=filters.result)
    if filters.entra_id:
        rows = rows.filter(object_id=filters.entra_id.lower())
    page, following = page_of(rows, paging, newest_first=True)
    return {"items": [operation_facts(one) for one in page], "next": following}


def require_tested(request: ApiRequest, tenant: Tenant) -> None:
    take(request, PREVIEWS)
    if missing_for_turning_on(tenant):
        raise Problem("not-tested")


def accepted(request: ApiRequest, response: HttpResponse, run: Run) -> Status[Any]:
    response["Location"] = f"/api/v1/tenants/{run.tenant.slug}/runs/{run.number}"
    response["ETag"] = etag_of_run(run)
    return Status(202, run_facts(run))


def run_numbered(tenant: Tenant, number: int) -> Run:
    found = tenant.runs.select_related("configuration").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    return found


def etag_of_run(run: Run) -> str:
    return etag_of(run.pk, run.state, run.sequence)


SAME = (
    *("number", "kind", "trigger", "state", "created_at", "started_at", "finished_at", "planned", "counts", "problems"),
    *("people_in_scope", "people_in_aws"),
)


def run_facts(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in SAME} | {
        "requested_by": run.requested_by or None,
        "version": run.configuration.number if run.configuration else None,
        "problem": run.problem or None,
        "suspect": run.suspect or None,
    }


def operation_facts(one: Operation) -> dict[str, Any]:
    return {
        "id": one.pk,
        "run": one.run.number,
        "at": one.moment,
        "kind": one.object_type,
        "entra_id": one.object_id,
        "aws_id": one.scim_id or None,
        "name": one.display_name,
        "action": one.action,
        "result": one.result,
        "code": one.problem or None,
        "attribute": one.attribute or None,
        "error": one.error or None,
        "status": one.status,
        "aws_request_id": one.request_id or None,
        "changes": one.changes,
    }
