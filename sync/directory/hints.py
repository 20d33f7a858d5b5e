"""What Graph's change notifications do: the tenant is looked at now, once, however many of them come.

Nothing in them is believed but that. Whoever forges, repeats, delays or floods them causes at most one reading of Entra by a run
that would have come anyway.
"""

import datetime
import hashlib
import hmac
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from sync import queue
from sync.directory.subscriptions import hash_of
from sync.models import GraphSubscription, Tenant

log = structlog.get_logger(__name__)

ID = re.compile("[0-9A-Za-z-]{1,64}")
# Of one request; Graph sends fewer.
MOST = 1000
# So long the same notification is known again. Graph repeats what was not answered for four hours.
KNOWN_SECONDS = 4 * 3600
# So often at most a line of the log says how many were refused.
LINE_SECONDS = 60
REFUSED = "graph-notifications-refused"
Item = Mapping[str, Any]


def take(items: Sequence[object]) -> None:
    """Of one request. What is not ours, not genuine, over or a repetition is left alone."""
    found = [item for item in items[:MOST] if isinstance(item, dict)]
    rows = {row.subscription_id: row for row in _subscriptions(found)}
    genuine: dict[str, list[Item]] = defaultdict(list)
    for item in found:
        if _is_genuine(item, rows):
            genuine[_id(item)].append(item)
    if refused := len(items) - sum(map(len, genuine.values())):
        note_refused(refused)
    for subscription_id, told in genuine.items():
        if _is_new(told):
            _heed(rows[subscription_id], {_text(item, "lifecycleEvent") for item in told})


def note_refused(count: int) -> None:
    """A flood is a line a minute: those since the line before."""
    cache.add(REFUSED, 0, KNOWN_SECONDS)
    refused = cache.incr(REFUSED, count)
    if cache.add(f"{REFUSED}-line", 1, LINE_SECONDS):
        cache.decr(REFUSED, refused)
        log.warning("notifications refused", refused=refused)


def _subscriptions(items: Iterable[Item]) -> QuerySet[GraphSubscription]:
    ids = {_id(item) for item in items} - {""}
    return GraphSubscription.objects.filter(subscription_id__in=ids, tenant__enabled=True)


def _id(item: Item) -> str:
    """ "" for what no subscription is called."""
    value = _text(item, "subscriptionId")
    return value if ID.fullmatch(value) else ""


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _is_genuine(item: Item, rows: Mapping[str, GraphSubscription]) -> bool:
    """By the secret that only Graph and we know, compared in constant time, and not after its end."""
    row = rows.get(_id(item))
    if row is None or not row.active:
        return False
    return hmac.compare_digest(hash_of(_text(item, "clientState")), row.client_state_hash)


def _is_new(told: list[Item]) -> bool:
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return bool(cache.add(f"graph-notification-{digest}", 1, KNOWN_SECONDS))


def _heed(row: GraphSubscription, events: set[str]) -> None:
    """Lifecycle notifications (Graph, "Reduce missing subscriptions and change notifications") are about the subscription;
    of others the event is empty."""
    if events & {"reauthorizationRequired", "subscriptionRemoved"}:
        # Renewing says that we may still read; one that is gone is made anew then.
        GraphSubscription.objects.filter(pk=row.pk).update(renewed_at=None, next_at=timezone.now())
    if events - {"reauthorizationRequired"}:
        _hint(row)


def _hint(row: GraphSubscription) -> None:
    now = timezone.now()
    GraphSubscription.objects.filter(pk=row.pk).update(notified_at=now)
    if GraphSubscription.objects.filter(pk=row.pk, hinted_at=None).update(hinted_at=now):
        queue.send(queue.LOOK, row.tenant_id)


def hinted() -> QuerySet[Tenant]:
    return Tenant.objects.filter(graph_subscriptions__hinted_at__isnull=False, enabled=True).distinct()


def heeded(tenant: Tenant, until: datetime.datetime) -> int:
    """Everything up to this moment is about to be read. How many hints that were."""
    rows = GraphSubscription.objects.filter(tenant=tenant, hinted_at__lte=until)
    return rows.update(hinted_at=None)
