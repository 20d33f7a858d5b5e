"""The stages of an export, one after another: each needs the ids that the one before it returned."""

from sync.engine.export.journal import Journal
from sync.engine.export.sending import export_stage
from sync.models import Result, Run
from sync.rules.changes import Stage
from sync.runs.lease import Watch
from sync.runs.phases import PhaseLog
from sync.scim.client import ScimClient

# Which stages of the plan each phase of the run's page stands for.
WRITING = {
    "people": (Stage.PEOPLE, Stage.MANAGERS),
    "groups": (Stage.GROUPS,),
    "memberships": (Stage.MEMBERSHIPS,),
    "removals": (Stage.REMOVALS,),
}

CONNECTIONS = 10


def export(run: Run, watch: Watch, phases: PhaseLog, scim: ScimClient, connections: int) -> None:
    """Stage by stage: each needs the ids that the one before it brought."""
    planned = run.operations.filter(result=Result.PLANNED)
    if not planned.exists():
        phases.not_needed(*WRITING)
        return
    journal = Journal(run, watch.lease, phases, scim.never_touch, watch.clock)

    def safe_point() -> None:
        if watch.safe_point():
            journal.read_again()

    for phase, stages in WRITING.items():
        if not planned.filter(stage__in=stages).exists():
            phases.not_needed(phase)
            continue
        with phases.during(phase):
            for stage in stages:
                export_stage(journal.begin(stage), scim, connections, safe_point, journal.clock)
