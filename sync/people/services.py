"""What can be done about people and groups that failed, and about a link that is wrong."""

from django.db import transaction

from sync import audit
from sync.engine.work import try_now
from sync.models import Run
from sync.people.links import Busy, NotLinked, cut_link, match_again
from sync.problems.grouping import failures
from sync.runs.requests import request_run

__all__ = ["Busy", "NotLinked", "cut_link", "match_again", "retry_problem"]


@transaction.atomic
def retry_problem(*, run: Run, code: str, attribute: str, actor: str) -> Run:
    """A sync that tries again what this kind of problem kept from being written in `run`. Raises RunInTheWay."""
    same = failures(run).filter(problem=code, attribute=attribute)
    try_now(run.tenant, same.values("object_id"))
    facts = {"number": run.number, "problem": code, "attribute": attribute}
    audit.record(actor, "problem.retry", run, None, facts)
    return request_run(tenant=run.tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor=actor)
