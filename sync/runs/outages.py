"""A database that is away for a moment: whatever was being done is done again afterwards, and nobody is told of an error."""

from django.db import InterfaceError, OperationalError

# SQLSTATE classes that pass by themselves: connection exceptions, rollbacks for another's sake (deadlock), too little
# of a resource, operator intervention other than a cancelled statement (PostgreSQL manual, appendix A).
PASSING = ("08", "40", "53", "57P")


def is_outage(error: BaseException) -> bool:
    """Whether the database was away, or had no room; not whether a statement was wrong or is cancelled each time."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    if state := getattr(error.__cause__, "sqlstate", None):
        return str(state).startswith(PASSING)
    # Without a state the connection broke before the server could send one. SQLite: the generic code is for wrong
    # statements, such as "no such table" (sqlite.org/rescode.html).
    return getattr(error.__cause__, "sqlite_errorname", "") != "SQLITE_ERROR"


def outage_in_words(error: BaseException) -> str:
    """The driver's first line names host and port, never a password."""
    reason = str(error).strip().partition("\n")[0].rstrip(". ")
    return f"The database cannot be used: {reason}. See that it runs and that DATABASE_URL is right, then try again."
