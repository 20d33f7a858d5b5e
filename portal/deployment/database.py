"""Whether the database can be used: it answers, and its tables are those of this version."""

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from sync.runs.outages import is_outage, outage_in_words

NOT_MIGRATED = "The database is not migrated to this version of Lockstep. Run `manage.py migrate`, then try again."


def database_problem() -> str:
    """In words; "" when there is none."""
    try:
        executor = MigrationExecutor(connection)
        return NOT_MIGRATED if executor.migration_plan(executor.loader.graph.leaf_nodes()) else ""
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        return outage_in_words(error)


def explained(error: BaseException | None) -> str:
    """What is wrong with the database when a statement ended so; "" when the error is the statement's own."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return ""
    return outage_in_words(error) if is_outage(error) else database_problem()
