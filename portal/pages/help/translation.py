"""What is known here of an error that somebody pasted: the people whom it names, and past operations like it."""

import re

from django.db.models import Max, Q, QuerySet

from portal.access.rights import visible_tenants
from portal.models import User
from sync.connection.pasted_errors import PastedError
from sync.models import DirectoryUser, ObjectType, Operation, Standing
from sync.problems.catalogue import PROBLEMS

SHOWN = 10
# Texts have no index: so many of the newest operations are looked through.
LOOKED_THROUGH = 100_000
ADDRESS = re.compile(r"[^\s\"'<>(){}\[\],;:=]{1,64}@[A-Za-z0-9.-]{1,255}")
# AWS's ids may have the identity store's before them.
ID = re.compile(r"(?:[0-9a-f]{10}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def people_in(user: User, text: str) -> QuerySet[Standing]:
    """Whom the text names by address or id, of the tenants that the user sees."""
    addresses = {one.rstrip(".") for one in ADDRESS.findall(text)}
    ids = {one.lower() for one in ID.findall(text)}
    mine = visible_tenants(user)
    named = DirectoryUser.objects.filter(
        tenant__in=mine, user_principal_name__in=[*addresses, *(one.lower() for one in addresses)]
    )
    found = Standing.objects.filter(tenant__in=mine, kind=ObjectType.USER).exclude(object_id="")
    found = found.filter(Q(object_id__in=ids) | Q(scim_id__in=ids) | Q(object_id__in=named.values("object_id")))
    return found.select_related("tenant").order_by("name", "pk")[:SHOWN]


def operations_like(user: User, found: PastedError) -> QuerySet[Operation]:
    """The newest of them first; the request itself, where its id was pasted and is known."""
    mine = _newest(user)
    itself = mine.filter(request_id__in=found.request_ids)
    return (itself if found.request_ids and itself.exists() else mine.filter(_alike(found)))[:SHOWN]


def operations_of(user: User, code: str) -> QuerySet[Operation]:
    return _newest(user).filter(problem=code)[:SHOWN]


def _alike(found: PastedError) -> Q:
    alike = Q(problem=found.code) if found.code in PROBLEMS and found.code != "rejected" else Q(pk=None)
    return (alike | Q(error__icontains=found.said)) if found.said else alike


def _newest(user: User) -> QuerySet[Operation]:
    newest = Operation.objects.aggregate(pk=Max("pk"))["pk"] or 0
    mine = Operation.objects.filter(tenant__in=visible_tenants(user), pk__gt=newest - LOOKED_THROUGH)
    return mine.select_related("tenant", "run").order_by("-pk")
