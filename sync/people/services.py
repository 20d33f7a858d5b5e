"""What can be done about people and groups that failed, and about a link with the wrong user in AWS.

Nothing is sent from here: the next run follows from what is stored.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync import audit
from sync.engine.export.settling import Settled
from sync.engine.work import try_now
from sync.models import LeftAlone, Link, Run
from sync.problems.grouping import failures
from sync.runs.lease import at_rest
from sync.runs.requests import request_run
from sync.standings import services as standings

NOT_MATCHED = dict.fromkeys(("match_code", "match_attribute", "match_scim_id", "match_name", "adopt_scim_id"), "")


class NotLinked(Exception):
    """There is no link any more."""


def match_again(*, link: Link, actor: str) -> None:
    """The next run looks for the person in AWS as if for the first time: it links whom it finds, or makes a new user.
    Raises Busy, NotLinked."""
    with at_rest(link.tenant_id):
        _forget(link, actor, "link.match_again", "")


def cut_link(*, link: Link, actor: str, reason: str) -> None:
    """The user in AWS stays as it is, and is left alone from now on. Raises Busy, NotLinked."""
    with at_rest(link.tenant_id):
        _forget(link, actor, "link.cut", reason)


@transaction.atomic
def _forget(link: Link, actor: str, verb: str, reason: str) -> None:
    link.refresh_from_db()
    if not link.scim_id:
        raise NotLinked
    before = {"scim_id": link.scim_id, "origin": link.origin}
    if reason:
        _leave_alone(link, actor, reason)
    Link.objects.filter(member_links__user=link).update(retry_at=timezone.now())
    settled = Settled(link.tenant_id, {link.pk: link})
    settled.forget(link, timezone.now())
    link.retry_at = timezone.now()
    settled.save()
    _store(link, NOT_MATCHED | {"linked_at": None})
    standings.refresh_only_in_aws(link.tenant_id)
    audit.record(actor, verb, link, before, {"scim_id": "", "object_id": link.object_id, "reason": reason})


def _store(link: Link, values: Mapping[str, Any]) -> None:
    Link.objects.filter(pk=link.pk).update(**values)
    standings.refresh_links([link])


def _leave_alone(link: Link, actor: str, reason: str) -> None:
    name = str(link.written.get("displayName") or link.written.get("userName") or "")
    facts = {"name": name[:1024], "reason": reason, "decided_by": actor, "decided_at": timezone.now()}
    LeftAlone.objects.update_or_create(
        tenant=link.tenant, object_type=link.object_type, scim_id=link.scim_id, defaults=facts
    )


@transaction.atomic
def retry_problem(*, run: Run, code: str, attribute: str, actor: str) -> Run:
    """A sync that tries again what this kind of problem kept from being written in `run`. Raises RunInTheWay."""
    same = failures(run).filter(problem=code, attribute=attribute)
    try_now(run.tenant, same.values("object_id"))
    facts = {"number": run.number, "problem": code, "attribute": attribute}
    audit.record(actor, "problem.retry", run, None, facts)
    return request_run(tenant=run.tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor=actor)
