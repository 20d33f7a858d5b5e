"""How an error ends a run, and what is asked on demand: the same for every class of error."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

# Everything that can raise one of the errors.
import sync.tasks  # noqa: F401
from sync.connection.clients import NotEntered
from sync.directory.live import Found
from sync.engine.cycle import NotConfirmed, RowsLeft
from sync.engine.export.sending import TokenRefused, TooManyFailures
from sync.graph.errors import BudgetExceeded, GraphError, SignInFailed
from sync.graph.errors import Throttled as GraphThrottled
from sync.models import Run, Tenant
from sync.on_demand import serving
from sync.on_demand.services import request_demand
from sync.problems.catalogue import PROBLEMS
from sync.runs.lease import Cancelled
from sync.runs.outcomes import RunStopped, ending_of
from sync.runs.requests import request_run
from sync.scim.errors import AwsDown, Forbidden, Rejected, ScimError, Throttled, Unauthorised
from sync.worker import execution


def classes(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for one in base.__subclasses__():
        yield from classes(one)


def made(one: type[Exception]) -> Exception:
    arguments: dict[type[Exception], tuple[int, ...]] = {RowsLeft: (3,), TooManyFailures: (7, 20)}
    return one(*arguments.get(one, ("The reason in words.",)))


EVERY = [made(one) for base in (RunStopped, GraphError, ScimError) for one in classes(base)] + [
    ValueError("unforeseen")
]


@pytest.mark.pure
@pytest.mark.parametrize("error", EVERY, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
def test_every_error_ends_a_run_with_a_problem_that_has_words(error: Exception) -> None:
    state, code, detail = ending_of(error)
    assert state not in Run.OPEN
    assert code in PROBLEMS or (state, code) == (Run.State.CANCELLED, "")
    assert detail


@pytest.mark.pure
@pytest.mark.parametrize(
    ("error", "state", "code", "detail"),
    [
        (Cancelled(), "cancelled", "", ""),
        (NotConfirmed(), "waiting_for_approval", "not-confirmed", ""),
        (NotEntered("No token."), "failed", "not-connected", "No token."),
        (TokenRefused(), "failed", "token-refused", ""),
        (TooManyFailures(7, 20), "failed", "too-many-failures", "7 of 20 failed"),
        (RowsLeft(3), "failed", "engine-error", "3 rows of the plan were left"),
        (SignInFailed("Expired.", aadsts="AADSTS7000222"), "failed", "secret-ended", "Expired."),
        (SignInFailed("Unknown.", aadsts="AADSTS700016"), "failed", "graph-sign-in", "Unknown."),
        (Unauthorised("No."), "failed", "token-refused", "No."),
        (Forbidden("No."), "failed", "token-refused", "No."),
        (Rejected("Bad filter."), "failed", "rejected", "Bad filter."),
        (AwsDown("Down."), "failed", "aws-down", "Down."),
        (Throttled("HTTP 429.", status=429), "failed", "throttled", "HTTP 429."),
        (GraphThrottled("HTTP 429.", status=429), "failed", "graph-throttled", "HTTP 429."),
        (BudgetExceeded("Waited.", status=429), "failed", "graph-throttled", "Waited."),
        (BudgetExceeded("Waited.", status=503), "failed", "graph-down", "Waited."),
        (KeyError("userName"), "failed", "engine-error", "KeyError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_says_in_which_state_and_why_a_run_ends(error: Exception, state: str, code: str, detail: str) -> None:
    assert ending_of(error) == (state, code, detail)


@pytest.mark.django_db(transaction=True)
def test_a_sync_and_a_demand_that_meet_the_same_error_end_alike(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (execution, serving):
        client = SimpleNamespace(counts={})
        monkeypatch.setattr(module, "clients_of", lambda run, watch, client=client: (client, client))
    failures = [error for error in EVERY if ending_of(error).state == Run.State.FAILED]
    syncs, demands = {}, {}
    for error in failures:
        monkeypatch.setattr(execution, "run_cycle", raiser(error))
        monkeypatch.setattr(serving, "configuration_of", raiser(error))
        syncs[repr(error)] = ended(request_run(tenant=tenant, kind="full", trigger="command", enqueue=False))
        demands[repr(error)] = ended(demanded(tenant))
    assert len(failures) > 25
    assert demands == syncs


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [NotEntered("No token."), ValueError("The endpoint is not allowed here.")])
def test_what_is_asked_on_demand_does_not_wait_for_ever_for_a_client(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(serving, "clients_of", raiser(error))
    assert ended(demanded(tenant)) == ending_of(error)


def raiser(error: Exception) -> Callable[..., NoReturn]:
    def raises(*_: Any, **__: Any) -> NoReturn:
        raise error

    return raises


def demanded(tenant: Tenant) -> Run:
    asked = Found("user", "11111111-2222-4333-8444-555555555555", "Adele Vance", "adele@acme.example", "person")
    run = request_demand(tenant=tenant, actor="jo", objects=[asked], enqueue=False).run
    assert run is not None
    return run


def ended(run: Run) -> tuple[str, str, str]:
    execution.execute_run(run.pk)
    run.refresh_from_db()
    return run.state, run.problem, run.problem_detail
