"""What needs another person than the one who asks for it, and who that could be (ASVS 5.0, V2.3.5).

WEAKENS is the table of settings; removals need another person than those who changed whom the configuration brings, and
publishing, where the tenant asks for it, another than those who edited the draft. Where nobody else could approve, a
delay and a mail to every Owner take the place of the second person.
"""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync import audit
from sync.models import ChangeRequest, Delivery, Hold, Tenant
from sync.problems.languages import language_of, moment
from sync.rules.limits import Limits

Kind = ChangeRequest.Kind
State = ChangeRequest.State

DELAY = datetime.timedelta(hours=1)
VERBS = {
    State.APPROVED: "second_person.approve",
    State.REFUSED: "second_person.refuse",
    State.WITHDRAWN: "second_person.withdraw",
    State.DUE: "second_person.delay_over",
    State.STALE: "second_person.stale",
}


class People(Protocol):
    """Who signs in is known to the portal: settings.PEOPLE names its module (portal/access/approvers.py)."""

    def approvers_of(self, tenant: Tenant) -> list[str]: ...

    def owners(self) -> list[str]: ...

    def may_configure(self, tenant: Tenant, email: str) -> bool: ...


def people() -> People:
    return cast(People, import_module(settings.PEOPLE))


def _raised(before: int, after: int) -> bool:
    return after > before


def _lost_some(before: Collection[str], after: Collection[str]) -> bool:
    return not set(before) <= set(after)


def _differs(before: str, after: str) -> bool:
    return before != after


def _turned_off(before: bool, after: bool) -> bool:
    return before and not after


# Whether a change of the setting lifts a guard. Settings that are not here anybody with the right may change alone.
WEAKENS: dict[str, Callable[[Any, Any], bool]] = {
    **{one.name: _raised for one in fields(Limits)},
    "never_touch": _lost_some,
    "adoption": _differs,
    "two_people": _turned_off,
}
# Holds that take access away.
REMOVALS = (Hold.Kind.PEOPLE, Hold.Kind.MEMBERS, Hold.Kind.GROUPS)


def weakening(tenant: Tenant, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings whose change waits for another person: name to before and after.

    None as long as provisioning was never on: nothing was written that a guard could have protected.
    """
    if tenant.enabled_changed_at is None:
        return {}
    return {
        name: {"before": before[name], "after": after[name]}
        for name, weakens in WEAKENS.items()
        if weakens(before[name], after[name])
    }


def may_decide(who: str, causers: Collection[str]) -> bool:
    """Whether `who` is another person than `causers`. The command line is no person: anybody can be behind it."""
    return not causers or (is_person(who) and who not in causers)


def is_person(who: str) -> bool:
    """People are known by their e-mail address, everything else by the name of what it is."""
    return "@" in who


def others(tenant: Tenant, causers: Collection[str]) -> list[str]:
    """Who could approve: has the right, has signed in before, and is none of `causers`."""
    return [one for one in people().approvers_of(tenant) if one not in causers]


def may_still_ask(request: ChangeRequest) -> bool:
    """Whoever lost the account or the role since gets nothing carried out by the clock."""
    asker = request.asked_by
    return not is_person(asker) or people().may_configure(request.tenant, asker)


@transaction.atomic
def ask(
    *,
    tenant: Tenant,
    kind: Kind,
    actor: str,
    facts: Mapping[str, Any],
    causers: Collection[str] = (),
    subject: str = "",
) -> ChangeRequest:
    """The row that waits. The same request again is the one that waits already."""
    same = ChangeRequest.objects.select_for_update().waiting().filter(tenant=tenant, kind=kind, subject=subject)
    waiting = same.first()
    if waiting is not None and (waiting.facts, waiting.asked_by) == (facts, actor):
        return waiting
    same.update(state=State.REPLACED, decided_by=actor, decided_at=timezone.now())
    approvers = others(tenant, {actor, *causers})
    request = ChangeRequest.objects.create(
        tenant=tenant,
        kind=kind,
        subject=subject,
        facts=facts,
        asked_by=actor,
        due_at=None if approvers else timezone.now() + DELAY,
    )
    audit.record(actor, "second_person.ask", request, None, {"kind": kind, **facts})
    if approvers:
        _tell_approvers(request, approvers, told=others(tenant, {waiting.asked_by, *causers}) if waiting else ())
    else:
        _tell_owners(request)
    return request


def _tell_approvers(request: ChangeRequest, approvers: Collection[str], told: Collection[str]) -> None:
    """`told`: who has had a mail about the one whose place this takes, and finds this one by the same link."""
    sentence = _("%(who)s asked for a change that needs a second person: %(kind)s. You can approve or refuse it here:")
    _mail(request, [one for one in approvers if one not in told], _("Waits for your approval"), [sentence])


def _tell_owners(request: ChangeRequest) -> None:
    sentences = [
        _("%(who)s asked for a change that needs a second person: %(kind)s."),
        _(
            "Nobody else can approve it, so it is carried out at %(when)s (%(zone)s). Until then it can be withdrawn here:"
        ),
    ]
    _mail(request, people().owners(), _("Carried out without a second person"), sentences)


def _mail(request: ChangeRequest, recipients: Collection[str], title: Promise, sentences: Sequence[Promise]) -> None:
    """The link to the page comes last. Each recipient gets it in a language of their own."""
    tenant = request.tenant
    page = f"{settings.PUBLIC_URL}{reverse('approvals', args=[tenant.slug])}"
    for one in recipients:
        with language_of(one):
            # A line break would be another header of a mail.
            subject = " ".join(f"[{tenant.name}] {title}: {request.get_kind_display()}".split())[:250]
            body = "\n\n".join([*(str(sentence) % _facts(request) for sentence in sentences), page])
            Delivery.objects.create(tenant=tenant, recipient=one, subject=subject, body=body)


def _facts(request: ChangeRequest) -> dict[str, str | None]:
    at = timezone.localtime(request.due_at or request.asked_at)
    return {
        "who": request.asked_by,
        "kind": request.get_kind_display(),
        "when": moment(at),
        "zone": at.tzname(),
    }


class NotWaiting(Exception):
    """Somebody decided on it already, or it was replaced."""


class OwnRequest(Exception):
    """Nobody approves what they asked for."""


def close(request: ChangeRequest, *, actor: str, state: State) -> None:
    """Of two who decide at once one changes the row; the other gets NotWaiting. Call it in the transaction of the deed."""
    now = timezone.now()
    waiting = ChangeRequest.objects.waiting().filter(pk=request.pk)
    if not waiting.update(state=state, decided_by=actor, decided_at=now):
        raise NotWaiting
    request.state, request.decided_by, request.decided_at = state, actor, now
    audit.record(actor, VERBS[state], request, None, {"kind": request.kind, "asked_by": request.asked_by})
