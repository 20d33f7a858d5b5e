"""The state of provisioning, in one word, with what an admin needs to know about it."""

from dataclasses import dataclass
from typing import Literal

from sync.approvals import queries
from sync.connection.services import works_again
from sync.models import Run, Tenant
from sync.problems.catalogue import PROBLEMS, ProblemWords

Word = Literal["on", "off", "waiting_for_approval", "quarantined"]


@dataclass(frozen=True, slots=True)
class Provisioning:
    """`plan`: a run whose plan waits for approval; `shrunken`: one whose reading was not believed; `changes`: how many
    held changes nobody has decided on; `works_again`: the connection that was refused passed a test since."""

    word: Word
    problem: ProblemWords | None = None
    plan: Run | None = None
    shrunken: Run | None = None
    changes: int = 0
    works_again: bool = False


def provisioning_of(tenant: Tenant) -> Provisioning:
    """Quarantine comes before waiting: nothing can be written at all."""
    plan, shrunken = queries.waiting_plan(tenant), queries.shrunken(tenant)
    changes = sum(queries.waiting_by_hold(tenant).values())
    problem = PROBLEMS.get(tenant.quarantine_code) if tenant.quarantined_at else None
    word: Word = "on"
    if not tenant.enabled:
        word = "off"
    elif tenant.quarantined_at:
        word = "quarantined"
    elif plan or shrunken or changes:
        word = "waiting_for_approval"
    return Provisioning(word, problem, plan, shrunken, changes, works_again(tenant))
