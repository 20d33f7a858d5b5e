"""How an error ends a run: one answer for syncs, comparisons and what is asked on demand."""

from typing import NamedTuple

from sync.graph.errors import Forbidden as GraphForbidden
from sync.graph.errors import GraphError, SignInFailed
from sync.scim.errors import Forbidden, ScimError, Unauthorised

# Of Run.State, which is not imported: settings are checked, with the keys of secrets, before there are any models.
FAILED = "failed"
# The problem of whatever nobody foresaw: its traceback belongs into the log.
OWN_ERROR = "engine-error"


class RunStopped(Exception):
    """A run cannot or may not go on. It ends in `state` with the problem `code`; the error's text is its detail."""

    state: str = FAILED
    code = OWN_ERROR


class Ending(NamedTuple):
    """`code`: of sync.problems.catalogue, or "" when nothing went wrong."""

    state: str
    code: str
    detail: str


def ending_of(error: Exception) -> Ending:
    match error:
        case RunStopped():
            return Ending(error.state, error.code, str(error))
        case GraphError():
            return Ending(FAILED, _graph_problem(error), str(error))
        case ScimError():
            return Ending(FAILED, _scim_problem(error), error.detail)
        case _:
            return Ending(FAILED, OWN_ERROR, type(error).__name__)


def _graph_problem(error: GraphError) -> str:
    if isinstance(error, SignInFailed):
        return "secret-ended" if error.aadsts == "AADSTS7000222" else "graph-sign-in"
    if error.status == 429:
        return "graph-throttled"
    return "graph-denied" if isinstance(error, GraphForbidden) else "graph-down"


def _scim_problem(error: ScimError) -> str:
    if isinstance(error, Unauthorised | Forbidden):
        return "token-refused"
    if error.status == 429:
        return "throttled"
    return "rejected" if error.permanent else "aws-down"
