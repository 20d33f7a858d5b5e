"""Approve, refuse, withdraw; and what nobody could approve, once its delay is over."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction

from sync.approvals.services import NothingHeld, carry_out_decision, causers_of
from sync.configuration import second_person
from sync.configuration.drafts import editors_of
from sync.configuration.second_person import OwnRequest, close
from sync.models import ChangeRequest, Hold
from sync.preview.services import NotPublished, publish_asked
from sync.tenants.services import SettingsChanged, save_asked

State = ChangeRequest.State


class Stale(Exception):
    """What the request is about has changed since: nothing was done."""


def approve(*, request: ChangeRequest, actor: str) -> None:
    """Carries it out. Raises OwnRequest, NotWaiting, Stale."""
    if not second_person.may_decide(actor, causers_of_request(request)):
        raise OwnRequest
    if not _carry_out(request, actor, State.APPROVED):
        raise Stale


@transaction.atomic
def refuse(*, request: ChangeRequest, actor: str) -> None:
    close(request, actor=actor, state=State.REFUSED)


@transaction.atomic
def withdraw(*, request: ChangeRequest, actor: str) -> None:
    """By whoever asked for it. Raises NotWaiting."""
    close(request, actor=actor, state=State.WITHDRAWN)


def carry_out_due() -> None:
    """Called every few seconds."""
    for request in ChangeRequest.objects.due().select_related("tenant"):
        try:
            if second_person.may_still_ask(request):
                _carry_out(request, request.asked_by, State.DUE)
            else:
                withdraw(request=request, actor=request.asked_by)
        except second_person.NotWaiting:
            # Another process was there first.
            continue


def _carry_out(request: ChangeRequest, actor: str, state: State) -> bool:
    """Whether it was still possible; if not, it waits no longer either."""
    try:
        with transaction.atomic():
            close(request, actor=actor, state=state)
            DEEDS[ChangeRequest.Kind(request.kind)](request)
    except (SettingsChanged, ValidationError, NothingHeld, Hold.DoesNotExist, NotPublished):
        with transaction.atomic():
            close(request, actor=actor, state=State.STALE)
        return False
    return True


def _release(request: ChangeRequest) -> None:
    hold = Hold.objects.get(pk=request.subject, tenant=request.tenant)
    carry_out_decision(
        hold=hold,
        actor=request.decided_by,
        approve=request.facts["approve"],
        comment=request.facts["comment"],
    )


def _publish(request: ChangeRequest) -> None:
    publish_asked(request)


DEEDS: dict[ChangeRequest.Kind, Callable[[ChangeRequest], None]] = {
    ChangeRequest.Kind.SETTINGS: save_asked,
    ChangeRequest.Kind.REMOVALS: _release,
    ChangeRequest.Kind.PUBLISH: _publish,
}


def causers_of_request(request: ChangeRequest) -> set[str]:
    """None of whom approves it: who asked for it, and who made what is to be released or published."""
    return {request.asked_by, *_makers(request)}


def _makers(request: ChangeRequest) -> set[str]:
    if request.kind == ChangeRequest.Kind.REMOVALS:
        hold = Hold.objects.filter(pk=request.subject, tenant=request.tenant).first()
        return causers_of(hold, request.facts["approve"]) if hold else set()
    draft = request.tenant.configurations.draft() if request.kind == ChangeRequest.Kind.PUBLISH else None
    return editors_of(draft) if draft else set()
