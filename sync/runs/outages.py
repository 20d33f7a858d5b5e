"""A database that cannot be used: away for a moment, or with the tables of another version.

Whatever was being done when it went away is done again afterwards, and nobody is told of an error.
"""

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

NOT_MIGRATED = "The database is not migrated to this version of Lockstep. Run `manage.py migrate`, then try again."
NEWER = "The database is of a newer version of Lockstep. Start that one, or restore a backup of this version into an empty database."
# SQLSTATE classes that pass by themselves: connection exceptions, rollbacks for another's sake (deadlock), too little
# of a resource, operator intervention other than a cancelled statement (PostgreSQL manual, appendix A).
PASSING = ("08", "40", "53", "57P")
# Whose migrations are numbered one after the other.
OUR_TABLES = ("portal", "sync")


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
    if is_full(error):
        return f"The database has no room left: {reason}. Make room on its disk; what was being done goes on then."
    return f"The database cannot be used: {reason}. See that it runs and that DATABASE_URL is right, then try again."


def is_full(error: BaseException) -> bool:
    """SQLSTATE disk_full, SQLITE_FULL."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == "53100" or getattr(cause, "sqlite_errorname", "") == "SQLITE_FULL"


def database_problem() -> str:
    """In words; "" when it answers and its tables are those of this version."""
    try:
        executor = MigrationExecutor(connection)
        return NOT_MIGRATED if executor.migration_plan(executor.loader.graph.leaf_nodes()) else ""
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        return outage_in_words(error)


def is_newer() -> bool:
    """Whether a later version migrated the database that answers: this one does not know what its tables mean."""
    loader = MigrationExecutor(connection).loader
    return any(
        name > max(known for app, known in loader.disk_migrations if app == own)
        for own, name in loader.applied_migrations
        if own in OUR_TABLES
    )


def explained(error: BaseException | None) -> str:
    """What is wrong with the database when a statement ended so; "" when the error is the statement's own."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return ""
    return outage_in_words(error) if is_outage(error) else database_problem()
