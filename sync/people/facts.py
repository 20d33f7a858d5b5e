"""What is stored about one person, read once for a page or an answer."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from sync.configuration.ruleset import filters_of
from sync.engine.scope import nesting
from sync.models import (
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    Link,
    MembershipLink,
    ObjectType,
    Operation,
    Standing,
    Tenant,
)
from sync.rules.filters import FilterVerdict, judge

# Rows of history that are read with a person; the logs have all.
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that is written to AWS, and whether it lists the person in Entra and in AWS."""

    group_id: str
    name: str
    in_entra: bool
    in_aws: bool


@dataclass(frozen=True, slots=True)
class Blocked:
    """What keeps everything of a tenant from being written, and what mends it; `place`: where, by the page's name."""

    words: str
    fix: str
    place: str


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """`configuration`: what runs use; `path`: names of the groups from the assigned one down to the one that lists the person;
    `groups`: those that list the person in Entra or in AWS, by name; `filters`: those that runs use, as the person passes
    them; `everybody`: nobody has to be assigned; `read_at`: when Entra was read."""

    tenant: Tenant
    configuration: Configuration
    standing: Standing
    user: DirectoryUser | None
    link: Link | None
    path: Sequence[str]
    groups: Sequence[Membership]
    filters: Sequence[FilterVerdict]
    everybody: bool
    history: Sequence[Operation]
    read_at: datetime.datetime | None
    blocked: Blocked | None = None

    @property
    def in_aws(self) -> bool:
        return bool(self.link and self.link.scim_id and self.link.active)


def facts_of(
    standing: Standing,
    configuration: Configuration,
    read_at: datetime.datetime | None = None,
    blocked: Blocked | None = None,
) -> PersonFacts:
    tenant = standing.tenant
    user = DirectoryUser.objects.filter(tenant=tenant, object_id=standing.object_id).first()
    link = Link.objects.filter(tenant=tenant, object_type=ObjectType.USER, object_id=standing.object_id).first()
    path = user.scope_path if user else ()
    groups = _groups(tenant, standing.object_id, path)
    names = {one.group_id: one.name for one in groups}
    return PersonFacts(
        tenant,
        configuration,
        standing,
        user,
        link,
        [names.get(group_id, group_id) for group_id in path],
        [one for one in groups if one.in_entra or one.in_aws],
        judge(filters_of(configuration, "user"), user.properties if user else {}),
        configuration.everybody,
        history(tenant, standing.object_id),
        read_at,
        blocked,
    )


def history(tenant: Tenant, object_id: str) -> list[Operation]:
    """The last of what was done with the person, newest first."""
    rows = Operation.objects.log().filter(tenant=tenant, object_type=ObjectType.USER, object_id=object_id)
    return list(rows.select_related("run").order_by("-pk")[:SHOWN])


def _groups(tenant: Tenant, object_id: str, path: Sequence[str]) -> list[Membership]:
    """Those that list the person, and those on the way to them (`path`), by name."""
    listing = nesting.assigned_groups_listing(tenant, [object_id])
    # Whose links they are stands in the index: without it that has to be read through.
    mine = {"user__tenant": tenant, "user__object_type": ObjectType.USER, "user__object_id": object_id}
    written = MembershipLink.objects.filter(tenant=tenant, **mine).values("group__object_id")
    either = Q(object_id__in=listing) | Q(object_id__in=written) | Q(object_id__in=path)
    rows = DirectoryGroup.objects.filter(either, tenant=tenant).annotate(
        in_entra=Exists(listing.filter(assigned_id=OuterRef("object_id"))),
        in_aws=Exists(written.filter(group__object_id=OuterRef("object_id"))),
    )
    return [
        Membership(row.object_id, str(row), row.in_entra, row.in_aws)
        for row in rows.order_by("display_name", "object_id")
    ]
