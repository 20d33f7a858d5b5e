"""What a delta link stands for, and when it no longer does."""

import datetime
from collections.abc import Sequence

from django.utils import timezone

from sync.graph.client import GraphClient
from sync.models import Tenant

# A delta link lives seven days (Graph, delta query: token duration).
LINKS_LIVE = datetime.timedelta(days=6)

# Changes that a round never told show only when everybody is read again.
FULL_EVERY = datetime.timedelta(hours=24)


def tracked(graph: GraphClient, users_select: Sequence[str], groups_select: Sequence[str]) -> list[str]:
    """What a delta link stands for: the selected properties, and whose directory it is, seen by which app."""
    asker = graph.authenticator
    return [*users_select, "|", *groups_select, "|", graph.cloud.graph, asker.directory_id, asker.client_id]


def parts(select: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """What `tracked` put together: properties of users and of groups, and who asks."""
    if "|" not in select:
        return list(select), [], []
    first, last = select.index("|"), len(select) - 1 - select[::-1].index("|")
    return list(select[:first]), list(select[first + 1 : last]), list(select[last + 1 :])


def covers(known: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether everything that is wanted is known, and the same one asks."""
    (users, groups, asker), (more_users, more_groups, other) = parts(known), parts(wanted)
    return set(more_users) <= set(users) and set(more_groups) <= set(groups) and asker == other


def must_be_full(tenant: Tenant, select: list[str]) -> bool:
    """Without links that hold, before they end, and once a day against what rounds do not tell."""
    if not tenant.users_link or not tenant.groups_link or not covers(tenant.tracked_select, select):
        return True
    if tenant.links_at is None or tenant.full_read_at is None:
        return True
    now = timezone.now()
    return now - tenant.links_at > LINKS_LIVE or now - tenant.full_read_at > FULL_EVERY
