"""What is held and waits for a person, and deciding on it."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from ninja import Query, Router, Status

from portal.api.auth import DECIDE, READ, ApiRequest, tenant_of
from portal.api.etags import etag_of, is_known, require_match
from portal.api.paging import Paging, page_of
from portal.api.schemas import DecisionIn, DecisionOut, HeldChanges, HoldOut, Holds
from portal.frame.problem import Problem
from sync.approvals import queries
from sync.approvals import services as approvals
from sync.models import ChangeRequest, HeldChange, Hold, Tenant

router = Router(tags=["Holds"])


@router.get("/tenants/{slug}/holds", response=Holds, auth=READ, summary="What is held now")
def holds(request: ApiRequest, slug: str) -> dict[str, Any]:
    """One for each limit that was passed, so never many."""
    found = tenant_of(request, slug)
    return {"items": [hold_facts(one) for one in queries.counted(queries.open_holds(found))]}


@router.get("/tenants/{slug}/holds/{hold}", response={200: HoldOut, 304: None}, auth=READ, summary="One hold")
def hold(request: ApiRequest, response: HttpResponse, slug: str, hold: int) -> Status[Any]:
    """Its ETag stands for all its changes and decisions: a decision names it."""
    found = hold_or_404(tenant_of(request, slug), hold)
    response["ETag"] = etag_of_hold(found)
    if is_known(request, response["ETag"]):
        return Status(304, None)
    [counted] = queries.counted(Hold.objects.filter(pk=found.pk).select_related("run"))
    return Status(200, hold_facts(counted))


@router.get("/tenants/{slug}/holds/{hold}/changes", response=HeldChanges, auth=READ, summary="Its changes, by name")
def hold_changes(request: ApiRequest, slug: str, hold: int, paging: Query[Paging]) -> dict[str, Any]:
    found = hold_or_404(tenant_of(request, slug), hold)
    page, following = page_of(changes_of(found), paging)
    return {"items": [change_facts(one) for one in queries.held_of(found.tenant, page)], "next": following}


@router.post("/tenants/{slug}/holds/{hold}/decisions", response=DecisionOut, auth=DECIDE, summary="Approve or keep")
def decide_hold(request: ApiRequest, slug: str, hold: int, decision: DecisionIn) -> dict[str, Any]:
    """Needs *If-Match*, the hold's ETag. The sync that carries out what is approved starts at once."""
    return decide(request, hold_or_404(tenant_of(request, slug), hold), decision)


@transaction.atomic
def decide(request: ApiRequest, found: Hold, decision: DecisionIn) -> dict[str, Any]:
    """What the ETag stands for is what is decided on: nobody else decides meanwhile."""
    approvals.lock(found)
    keep = list(decision.keep)
    # Before the ETag is compared: "all" are those that it stands for, and not who came a moment later.
    approve = [pk for pk in to_approve(found, decision) if pk not in keep]
    require_match(request, etag_of_hold(found))
    require_held(found, {*approve, *keep})
    if approve and not found.tenant.enabled:
        raise Problem("provisioning-off")
    try:
        came = approvals.decide_hold(
            hold=found, actor=request.user.email, approve=approve, keep=keep, comment=decision.comment
        )
    except approvals.NothingHeld as error:
        raise Problem("not-held", ids=sorted({*approve, *keep})) from error
    except approvals.OwnChange as error:
        raise Problem("own-change", people=error.others) from error
    return decided(came, approve, keep)


def decided(came: Any, approve: list[int], keep: list[int]) -> dict[str, Any]:
    if isinstance(came, ChangeRequest):
        return {"approved": 0, "kept": len(keep), "run": None, "request": came.pk}
    return {"approved": len(approve), "kept": len(keep), "run": came.number if came else None, "request": None}


def to_approve(hold: Hold, decision: DecisionIn) -> list[int]:
    if decision.approve != "all":
        return list(decision.approve)
    return list(HeldChange.objects.waiting().filter(hold=hold).values_list("pk", flat=True))


def require_held(hold: Hold, ids: set[int]) -> None:
    known = set(HeldChange.objects.open().filter(hold=hold, pk__in=ids).values_list("pk", flat=True))
    if not ids or ids - known:
        raise Problem("not-held", ids=sorted(ids - known))


def hold_or_404(tenant: Tenant, pk: int) -> Hold:
    found = tenant.holds.select_related("run", "tenant").filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise Http404
    return found


def changes_of(hold: Hold) -> Any:
    """Of an open hold those that are not over, as its page shows them."""
    return hold.changes.open() if hold.closed_at is None else hold.changes.all()


def etag_of_hold(hold: Hold) -> str:
    rows = hold.changes.order_by("pk").values_list("pk", "decision", "decided_at", "expires_at", "closed_at")
    return etag_of(hold.pk, hold.closed_at, list(rows))


def hold_facts(one: queries.HoldCounts) -> dict[str, Any]:
    return {
        "id": one.hold.pk,
        "kind": one.hold.kind,
        "run": one.hold.run.number,
        "opened_at": one.hold.opened_at,
        "closed_at": one.hold.closed_at,
        "limit": one.hold.facts.get("limit"),
        "waiting": one.waiting,
        "kept": one.kept,
        "approved": one.approved,
        "total": one.total,
    }


def change_facts(one: queries.Held) -> dict[str, Any]:
    return {
        "id": one.change.pk,
        "action": one.change.action,
        "kind": one.change.object_type,
        "entra_id": one.subject_id,
        "name": one.name,
        "user_principal_name": one.login or None,
        "group": one.group or None,
        "cause": one.change.cause or None,
        "decision": one.state,
    }
