"""Who changed whom the configuration brings, or which directory is read, since the last run that followed it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sync.configuration.drafts import editors_of
from sync.configuration.items import MAPPING_FIELDS, facts_of
from sync.models import AuditEntry, Configuration, Run

# What decides whether people and groups go, besides the scope.
ACTIONS = ("user_actions", "group_actions")
# What of a connection says which directory it is.
DIRECTORY = {"cloud", "directory_id"}


def authors_of_new_rules(run: Run, configuration: Configuration | None) -> list[str]:
    """By e-mail address: of the versions that this run is the first to follow, who edited and who published them."""
    if configuration is None or configuration.number is None:
        return []
    found: set[str] = set()
    for older, newer in pairwise(_versions(run, configuration)):
        if _may_remove(older, newer):
            found |= {newer.published_by, *editors_of(newer)}
    return sorted(found - {""})


def authors_of_new_directory(run: Run) -> list[str]:
    """Who has had another directory read since the last run: whom it lacks went by their hand, not by Entra's."""
    followed = _run_before(run)
    if followed is None:
        return []
    saved = AuditEntry.objects.filter(
        tenant=run.tenant_id, verb="connection.entra.save", at__gte=followed.started_at or followed.created_at
    )
    return sorted({one.actor for one in saved if DIRECTORY & (one.after or {}).keys()} - {""})


def _versions(run: Run, current: Configuration) -> Iterator[Configuration]:
    """From the last one that a run followed to the current one."""
    before = _run_before(run)
    followed = before.configuration if before else None
    if followed is None or followed.number is None:
        return
    since = run.tenant.configurations.published().filter(number__gte=followed.number, number__lte=current.number)
    yield from since.order_by("number")


def _run_before(run: Run) -> Run | None:
    """A reading that was not believed removed nobody: the next run is the first one still."""
    earlier = run.tenant.runs.syncs().filter(number__lt=run.number, suspect="").order_by("-number")
    followed = (one for one in earlier.select_related("configuration")[:50] if one.carried_through)
    return next((one for one in followed if one.configuration is not None), None)


def _may_remove(older: Configuration, newer: Configuration) -> bool:
    return (
        older.scope_digest != newer.scope_digest
        or any(getattr(older, name) != getattr(newer, name) for name in ACTIONS)
        or _active_of(older) != _active_of(newer)
    )


def _active_of(configuration: Configuration) -> dict[str, Any] | None:
    """The row that says who is active in AWS: it turns people off within the scope too."""
    row = configuration.mappings.filter(object_type="user", target="active").first()
    return facts_of(row, MAPPING_FIELDS) if row else None
