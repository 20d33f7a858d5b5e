"""How a process ends that cannot start, or that loses its database: in one sentence, for every way in."""

import contextlib
import resource
import sys
from collections.abc import Iterator

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError

log = structlog.get_logger(__name__)

# gunicorn starts a worker that ends in another way again and again (Arbiter.WORKER_BOOT_ERROR).
HALT_GUNICORN = 3


def keep_memory_off_the_disk() -> None:
    """A core file of this process, or of one that it starts, would hold opened secrets."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def failing_in_words(code: int = 1) -> Iterator[None]:
    """Ends the process with `code` and a sentence when settings or the database cannot be used; other errors pass."""
    try:
        yield
    except ImproperlyConfigured as error:
        sentence = str(error)
    except (DatabaseError, InterfaceError) as error:
        # Settings may be what cannot be read: they are not needed before here.
        from sync.runs.outages import explained

        sentence = explained(error)
        if not sentence:
            raise
    else:
        return
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(code)


def require_ready(*, migrated: bool) -> None:
    """Raises ImproperlyConfigured without safe settings and, where `migrated` is asked for, with another version's tables.

    A database that is away is waited for."""
    from portal.deployment.checks import require_safe_settings
    from sync.runs.outages import NEWER, NOT_MIGRATED, database_problem, is_newer

    require_safe_settings()
    problem = database_problem() or (NEWER if is_newer() else "")
    if problem in (NOT_MIGRATED, NEWER) and migrated:
        raise ImproperlyConfigured(problem)
    if problem:
        log.error(problem)
