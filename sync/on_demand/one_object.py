"""Provisioning on demand: one person or group through the stages of a run, with every fact kept on the way.

The stages are the run's own (scope, evaluation, guard, export), on a look at one object. A dry run does the same inside
a transaction that is rolled back.
"""

from sync.on_demand.asked import Asked
from sync.on_demand.deciding import decide
from sync.on_demand.reading import read
from sync.on_demand.telling import explain
from sync.on_demand.writing import write


def carry_out(asked: Asked) -> None:
    """Raises GraphError, ScimError, Cancelled, LeaseLost or TokenRefused."""
    imported = read(asked)
    if imported is None:
        return
    decision = decide(asked, imported)
    if explain(asked, decision):
        write(asked, decision)
