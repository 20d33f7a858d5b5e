"""How an error ends a run."""

from sync.graph.errors import Forbidden as GraphForbidden
from sync.graph.errors import GraphError, SignInFailed
from sync.scim.errors import Forbidden, ScimError, Unauthorised


def graph_problem(error: GraphError) -> str:
    if isinstance(error, SignInFailed):
        return "secret-ended" if error.aadsts == "AADSTS7000222" else "graph-sign-in"
    return "graph-denied" if isinstance(error, GraphForbidden) else "graph-down"


def scim_problem(error: ScimError) -> str:
    if isinstance(error, Unauthorised | Forbidden):
        return "token-refused"
    return "rejected" if error.permanent else "aws-down"
