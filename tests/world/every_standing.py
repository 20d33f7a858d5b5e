"""One company that holds every standing, in a number of its own each."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from sync.models import DirectoryGroup, DirectoryUser, Hold, Link, Run, Snapshot, Tenant
from sync.notifications.incidents import after_run
from sync.readiness.services import check_now
from sync.standings.services import refresh_all
from tests.world.mirrored import found, held, linked, mirrored_group, mirrored_person, new_comparison
from tests.world.notified import mail_to
from tests.world.runs import new_run

# How many stand at each word, and how many of them are in scope.
PEOPLE = {
    "only_in_aws": 2,
    "held": 3,
    "gone": 2,
    "conflict": 2,
    "not_ready": 4,
    "failed": 3,
    "differs": 2,
    "waiting": 2,
    "disabled": 3,
    "not_in_scope": 5,
    "in_aws": 6,
}
GROUPS = {
    "only_in_aws": 1,
    "held": 1,
    "gone": 1,
    "conflict": 1,
    "not_ready": 1,
    "failed": 1,
    "differs": 1,
    "waiting": 1,
    "disabled": 1,
    "not_in_scope": 2,
    "in_aws": 3,
}
OUTSIDE = ("only_in_aws", "held", "disabled", "not_in_scope")
Row = DirectoryUser | DirectoryGroup

CONFLICT = {"refused_code": "two-matches", "refused_attribute": "userName", "holder_name": "ann", "holder_id": "u-1"}
FAILED = {"failures": 2, "failure_code": "rejected", "failure_words": "No.", "failure_request_id": "r-1"}


def in_scope(counts: dict[str, int]) -> int:
    return sum(n for word, n in counts.items() if word not in OUTSIDE)


def somebody(tenant: Tenant, **facts: Any) -> DirectoryUser:
    """AWS takes them, unless the facts say otherwise."""
    person = mirrored_person(tenant, **facts)
    login = person.user_principal_name
    values = {"userPrincipalName": login, "displayName": person.display_name, "givenName": "A", "surname": "B"}
    person.properties = {"id": person.object_id, "mail": login, "mailNickname": login, "accountEnabled": True} | values
    person.save()
    return person


def some_group(tenant: Tenant, **facts: Any) -> DirectoryGroup:
    group = mirrored_group(tenant, **facts)
    group.properties = {"id": group.object_id, "displayName": group.display_name}
    group.save()
    return group


Make = Callable[..., Row]


def stand(tenant: Tenant, make: Make, word: str, comparison: Run) -> None:
    """One more of this word, as the facts have it."""
    row = make(tenant, in_scope=word not in OUTSIDE)
    match word:
        case "held":
            linked(row)
            held(row)
        case "gone":
            found(comparison, "missing", linked(row))
        case "conflict":
            linked(row, "", **CONFLICT)
        case "not_ready" if isinstance(row, DirectoryUser):
            DirectoryUser.objects.filter(pk=row.pk).update(properties=row.properties | {"surname": None})
        case "not_ready":
            linked(row, "", refused_code="too-long", refused_attribute="displayName")
        case "failed":
            linked(row, **FAILED)
        case "differs":
            found(comparison, "differs", linked(row), facts={"title": {"written": "A", "held": "B"}})
        case "disabled":
            linked(row, active=False)
        case "in_aws":
            linked(row)


@pytest.fixture
def every_standing(ready: Tenant) -> Tenant:
    now = timezone.now()
    Tenant.objects.update(enabled=True, enabled_changed_at=now)
    ready.refresh_from_db()
    mail_to(ready)
    Snapshot.objects.create(tenant=ready, full=True, sealed_at=now)
    comparison = new_comparison(ready)
    for make, counts, kind in ((somebody, PEOPLE, "user"), (some_group, GROUPS, "group")):
        for word, n in counts.items():
            for number in range(n):
                if word == "only_in_aws":
                    found(comparison, word, object_type=kind, scim_id=f"{kind}-{number}", name=f"Root {number}")
                else:
                    stand(ready, make, word, comparison)  # type: ignore[arg-type]
    noted = Link.objects.filter(object_type="user").exclude(scim_id="").order_by("-pk")[:1]
    Link.objects.filter(pk__in=noted.values("pk")).update(refused_code="create-off")
    refresh_all(ready)
    check_now(ready)
    run = new_run(
        ready, 2, kind="changes", state="waiting_for_approval", started_at=now, finished_at=now, counts={"held": 4}
    )
    Hold.objects.update(run=run)
    after_run(run)
    return ready
