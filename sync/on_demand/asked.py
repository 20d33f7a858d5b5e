"""What one object of a demand is carried out with."""

from dataclasses import dataclass
from typing import Any

from sync.configuration.ruleset import Rules
from sync.engine.evaluation.batch import links_of
from sync.engine.evaluation.taken_values import TakenValues
from sync.graph.client import GraphClient
from sync.models import Configuration, DemandObject, Link, Run, Tenant
from sync.on_demand.steps import StepLog
from sync.runs.lease import Watch
from sync.scim.client import ScimClient


@dataclass(frozen=True, slots=True)
class Asked:
    """`drafted`: by the draft's rules, of a dry run. `newest`: the tenant's newest snapshot. `before`: the last plan row of the
    run that is not of this object."""

    run: Run
    row: DemandObject
    watch: Watch
    graph: GraphClient
    scim: ScimClient
    configuration: Configuration
    rules: Rules
    steps: StepLog
    dry_run: bool
    drafted: bool
    # Of the whole demand: what those before were given is taken, though a dry run is rolled back.
    taken: dict[str, TakenValues]
    newest: int
    before: int

    @classmethod
    def of(cls, run: Run, row: DemandObject, configuration: Configuration, **facts: Any) -> "Asked":
        newest = run.tenant.snapshots.order_by("-pk").values_list("pk", flat=True).first() or 0
        before = run.operations.order_by("-pk").values_list("pk", flat=True).first() or 0
        rules, steps = Rules.of(configuration), StepLog(row)
        return cls(
            run, row, configuration=configuration, rules=rules, steps=steps, newest=newest, before=before, **facts
        )

    @property
    def tenant(self) -> Tenant:
        return self.run.tenant

    @property
    def hidden(self) -> set[str]:
        """The properties of Entra whose values the steps do not show."""
        return self.rules.redacted_properties("user" if self.is_user else "group")

    @property
    def is_user(self) -> bool:
        return self.row.object_type == "user"

    @property
    def link(self) -> Link | None:
        """Read anew each time."""
        return links_of(self.tenant, self.row.object_type, [self.row.object_id]).get(self.row.object_id)
