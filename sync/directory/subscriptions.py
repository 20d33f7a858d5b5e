"""Change notifications of Microsoft Graph: subscriptions are made, renewed by the day, and ended when nobody needs them.

(Graph, "Set up notifications for changes in resource data", subscription resource type.) What they bring is in hints.py. Without
them, and whenever they fail, the tenant's interval is what it was: nothing depends on them.
"""

import contextlib
import datetime
import hashlib
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sync import queue
from sync.connection.clients import NotEntered, cloud_of, graph_client
from sync.connection.loopback import is_loopback
from sync.connection.sealing import CannotOpen
from sync.directory import live
from sync.graph.answers import Json
from sync.graph.client import GraphClient
from sync.graph.errors import GraphError, NotFound
from sync.models import EntraConnection, GraphSubscription, Tenant

# Where Graph sends them, under PUBLIC_URL.
PATH = "api/graph/notifications"
# Users and groups: 41,760 minutes at most (subscription resource type); some tenants still know the former 4,230.
LONG, SHORT = datetime.timedelta(minutes=41_000), datetime.timedelta(minutes=4_200)
RENEW_EVERY = datetime.timedelta(days=1)
# How soon another address, another app, or a tenant that was turned off is noticed.
LOOK_EVERY = datetime.timedelta(minutes=10)
# After a failure, twice as long each time.
FIRST_WAIT, LONGEST_WAIT = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
# A message about it may get lost.
ASK_AGAIN = datetime.timedelta(minutes=1)
Resource = GraphSubscription.Resource


def address() -> str:
    return f"{settings.PUBLIC_URL}/{PATH}"


def is_open() -> bool:
    """Whether anybody at all can call PUBLIC_URL."""
    parts = urlsplit(settings.PUBLIC_URL)
    return bool(settings.LAB_CONSOLE) if is_loopback(parts.hostname or "") else parts.scheme == "https"


def can_be_reached(entra: EntraConnection) -> bool:
    """Microsoft calls public HTTPS addresses; the rehearsal lab, once it is started with the product, this machine."""
    if not is_open() or not is_loopback(urlsplit(settings.PUBLIC_URL).hostname or ""):
        return is_open()
    try:
        return is_loopback(urlsplit(cloud_of(entra).graph).hostname or "")
    except NotEntered:
        return False


def ask_for_due() -> None:
    """Called every few seconds. A row that is asked for is not due again for a moment."""
    now = timezone.now()
    without = Tenant.objects.filter(enabled=True, graph_subscriptions=None).select_related("entra")
    for tenant in without if is_open() else ():
        if tenant.entra.passed and can_be_reached(tenant.entra):
            rows = [GraphSubscription(tenant=tenant, resource=resource, next_at=now) for resource in Resource]
            GraphSubscription.objects.bulk_create(rows, ignore_conflicts=True)
    due = GraphSubscription.objects.filter(next_at__lte=now)
    for pk in due.values_list("pk", flat=True):
        if due.filter(pk=pk).update(next_at=now + ASK_AGAIN):
            queue.send(queue.KEEP_SUBSCRIPTION, pk)


def keep(pk: int) -> None:
    """Makes it, renews it, ends it, or leaves it: whatever is due."""
    row = GraphSubscription.objects.select_related("tenant").filter(pk=pk).first()
    entra = EntraConnection.objects.filter(tenant=row.tenant_id).first() if row else None
    if row is None or entra is None:
        # Its tenant is being deleted, and the credential is gone already.
        return
    fits = row.active and row.made_for == made_for(entra)
    wanted = row.tenant.enabled and can_be_reached(entra)
    try:
        if not wanted:
            _end(row)
            row.delete()
        elif not fits:
            _end(row)
            _make(row, entra)
        elif row.renewed_at is None or row.renewed_at < timezone.now() - RENEW_EVERY:
            _renew(row)
        else:
            _look_again_later(row)
    except (GraphError, NotEntered, CannotOpen, ValueError) as error:
        _failed(row, str(error))


def made_for(entra: EntraConnection) -> str:
    return " ".join((entra.cloud, entra.directory_id, entra.client_id, address()))


def _make(row: GraphSubscription, entra: EntraConnection) -> None:
    """What changed until now was read by the last run, or is by the next one."""
    secret = secrets.token_urlsafe(32)
    facts = {
        "changeType": "updated,deleted",
        "resource": row.resource,
        "notificationUrl": address(),
        "lifecycleNotificationUrl": address(),
        "clientState": secret,
        "latestSupportedTlsVersion": "v1_2",
    }
    graph = _graph(row)
    answer = _as_long_as_possible(lambda end: graph.create_subscription(facts | end))
    names = {"subscription_id": str(answer.get("id", ""))[:64], "made_for": made_for(entra)}
    _store(row, client_state_hash=hash_of(secret), **names)
    _went_well(row, answer)


def _renew(row: GraphSubscription) -> None:
    graph = _graph(row)
    try:
        answer = _as_long_as_possible(lambda end: graph.renew_subscription(row.subscription_id, end))
    except NotFound:
        # Microsoft has dropped it: the next look, at once, makes another one.
        _store(row, subscription_id="", next_at=timezone.now())
        return
    _went_well(row, answer)


def _end(row: GraphSubscription) -> None:
    """As far as that is possible: one that stays ends by itself, and what it still sends counts for nothing."""
    if row.subscription_id:
        with contextlib.suppress(GraphError, NotEntered, CannotOpen, ValueError):
            _graph(row).delete_subscription(row.subscription_id)
        _store(row, subscription_id="")


def end_all(tenant: Tenant) -> datetime.datetime | None:
    """Before a tenant's credential goes. Until when Microsoft keeps what could not be ended there, and sends what nobody heeds; else
    None. Asks Microsoft: not in a transaction."""
    rows = [row for row in tenant.graph_subscriptions.all() if row.active]
    try:
        graph = live.client_of(tenant) if rows else None
        while graph and rows:
            with contextlib.suppress(NotFound):
                graph.delete_subscription(rows[-1].subscription_id)
            # Made anew where the tenant stays after all.
            _store(rows.pop(), subscription_id="", next_at=timezone.now())
    except (GraphError, NotEntered, CannotOpen, ValueError):
        return max(row.expires_at for row in rows if row.expires_at)
    return None


def _graph(row: GraphSubscription) -> GraphClient:
    return graph_client(row.tenant, max_attempts=2)


def _as_long_as_possible(ask: Callable[[Json], Json]) -> Json:
    try:
        return ask(_end_in(LONG))
    except GraphError as error:
        if error.status != 400 or "validation" in str(error).lower():
            raise
        return ask(_end_in(SHORT))


def _end_in(length: datetime.timedelta) -> Json:
    return {"expirationDateTime": (timezone.now() + length).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _went_well(row: GraphSubscription, answer: Json) -> None:
    now = timezone.now()
    expires_at = parse_datetime(str(answer.get("expirationDateTime", ""))) or now + SHORT
    _store(row, expires_at=expires_at, renewed_at=now, failures=0, error="")
    _look_again_later(row)


def _look_again_later(row: GraphSubscription) -> None:
    _store(row, next_at=timezone.now() + LOOK_EVERY)


def _failed(row: GraphSubscription, words: str) -> None:
    wait = min(FIRST_WAIT * 2 ** min(row.failures, 10), LONGEST_WAIT)
    _store(row, failures=row.failures + 1, error=words[:500], next_at=timezone.now() + wait)


def _store(row: GraphSubscription, **values: Any) -> None:
    """Only what changed here: a notification may be writing to the same row."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
