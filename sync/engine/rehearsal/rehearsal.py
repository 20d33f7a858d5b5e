"""The preview of a draft: the same pass as a run's under the draft's rules, of which only the plan is kept.

A run notes scope on the mirror, and verdicts and wanted values on the links. A rehearsal decides with the same functions
and notes nothing there: see stand_ins.py.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync.configuration.items import contents, differences, digest
from sync.configuration.ruleset import Rules
from sync.engine.evaluation.evaluation import Evaluation
from sync.engine.rehearsal.causes import Causes
from sync.engine.rehearsal.reasons import Reasons
from sync.engine.rehearsal.stand_ins import StandIns
from sync.models import Configuration, Rehearsed, Run, Snapshot
from sync.runs.lease import Cancelled, Watch
from sync.scim.client import ScimClient


def draft_of(run: Run) -> Configuration | None:
    """What a draft's preview follows; None when the draft is discarded meanwhile."""
    return run.tenant.configurations.filter(run=run).first()


def rehearse(
    run: Run,
    snapshot: Snapshot,
    client: ScimClient,
    watch: Watch,
    matching: Callable[[], AbstractContextManager[Any]],
) -> Evaluation:
    """Under the draft's lock: its rules and its digest belong together. Raises Cancelled when it is discarded."""
    Rehearsed.objects.filter(run=run).delete()
    with transaction.atomic():
        draft = run.tenant.configurations.select_for_update().filter(run=run).first()
        if draft is None:
            raise Cancelled
        current = run.tenant.configurations.current()
        run.configuration_digest = digest(draft)
        run.save(update_fields=["configuration_digest"])
        causes = Causes(differences(contents(current), contents(draft)))
        rules, today = Rules.of(draft), Rules.of(current)
    reasons = Reasons(run, causes, today, rules, timezone.now())
    notes = StandIns(run, snapshot, rules=rules, today=today, reasons=reasons, watch=watch)
    return Evaluation(run, snapshot, rules, client, notes, since=0, watch=watch, matching=matching)
