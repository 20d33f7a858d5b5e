"""Who changed whom the configuration brings, since the last run that followed it."""

from collections.abc import Iterator
from itertools import pairwise

from sync.configuration.drafts import editors_of
from sync.models import Configuration, Run

# What decides whether people and groups go, besides the scope.
ACTIONS = ("user_actions", "group_actions")


def authors_of_new_rules(run: Run, configuration: Configuration | None) -> list[str]:
    """By e-mail address: of the versions that this run is the first to follow, who edited and who published them."""
    if configuration is None or configuration.number is None:
        return []
    found: set[str] = set()
    for older, newer in pairwise(_versions(run, configuration)):
        if _may_remove(older, newer):
            found |= {newer.published_by, *editors_of(newer)}
    return sorted(found - {""})


def _versions(run: Run, current: Configuration) -> Iterator[Configuration]:
    """From the last one that a run followed to the current one."""
    followed = _followed_before(run)
    if followed is None or followed.number is None:
        return
    since = run.tenant.configurations.published().filter(number__gte=followed.number, number__lte=current.number)
    yield from since.order_by("number")


def _followed_before(run: Run) -> Configuration | None:
    """A reading that was not believed removed nobody: the next run is the first one still."""
    earlier = run.tenant.runs.syncs().filter(number__lt=run.number, suspect="").order_by("-number")
    followed = (one for one in earlier.select_related("configuration")[:50] if one.carried_through)
    return next((one.configuration for one in followed if one.configuration is not None), None)


def _may_remove(older: Configuration, newer: Configuration) -> bool:
    return older.scope_digest != newer.scope_digest or any(
        getattr(older, name) != getattr(newer, name) for name in ACTIONS
    )
