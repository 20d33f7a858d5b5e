"""What passes by itself, and what is wrong with a statement: after the first a run goes on, after the second it has failed."""

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from psycopg import errors

from sync.runs.outages import is_outage, outage_in_words

pytestmark = pytest.mark.pure


def raised(cause: Exception, kind: type[Exception] = OperationalError) -> Exception:
    """As Django wraps what the driver says."""
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        errors.AdminShutdown("terminating connection due to administrator command"),
        errors.CrashShutdown("terminating connection because of crash of another server process"),
        errors.CannotConnectNow("the database system is starting up"),
        errors.TooManyConnections("sorry, too many clients already"),
        errors.DiskFull("could not extend file: No space left on device"),
        errors.DeadlockDetected("deadlock detected"),
        errors.ConnectionFailure("connection failure"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_a_database_that_restarts_is_full_or_busy_is_away_for_a_moment(cause: Exception) -> None:
    assert is_outage(raised(cause))


def test_a_connection_that_is_closed_is_one_too() -> None:
    assert is_outage(raised(psycopg.InterfaceError("the connection is closed"), InterfaceError))


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (errors.QueryCanceled("canceling statement due to statement timeout"), OperationalError),
        (errors.UndefinedTable('relation "sync_run" does not exist'), ProgrammingError),
        (errors.InvalidPassword("password authentication failed"), OperationalError),
        (errors.UniqueViolation("duplicate key"), DatabaseError),
    ],
    ids=lambda one: getattr(one, "__name__", type(one).__name__),
)
def test_what_comes_again_at_every_try_is_none(cause: Exception, kind: type[Exception]) -> None:
    assert not is_outage(raised(cause, kind))


def test_a_full_disk_has_a_remedy_of_its_own() -> None:
    full = raised(errors.DiskFull("could not extend file: No space left on device"))
    assert outage_in_words(full).startswith("The database has no room left: could not extend file")
