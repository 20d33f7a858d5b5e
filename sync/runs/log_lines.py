"""What the log says of a run: a line when it begins, one when it ends, and whose every line in between is."""

from contextlib import AbstractContextManager

import structlog

from sync import context
from sync.models import Run
from sync.runs.outcomes import OWN_ERROR

log = structlog.get_logger(__name__)


def within(run: Run) -> AbstractContextManager[None]:
    """Tenant and number as pages show them stand in every line of this thread."""
    return context.within(tenant=run.tenant.slug, run=str(run.number))


def note_begin(run: Run) -> None:
    log.info("run begins", kind=run.kind, trigger=run.trigger, attempt=run.attempts)


def note_end(run: Run) -> None:
    """A warning is somebody's to look at; an error is a fault of ours, and has its traceback above."""
    seconds = round(run.duration.total_seconds(), 3) if run.duration else None
    facts = {"kind": run.kind, "state": run.state, "seconds": seconds, "counts": run.counts, "scim": run.scim_requests}
    facts |= {"problem": run.problem} if run.problem else {}
    facts |= {"problems": run.problems} if run.problems else {}
    if run.problem == OWN_ERROR:
        log.error("run ended", **facts)
    elif run.state in (Run.State.COMPLETED, Run.State.CANCELLED):
        log.info("run ended", **facts)
    else:
        log.warning("run ended", **facts)
