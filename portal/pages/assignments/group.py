"""One group: what is inside it, who comes through it, and where it is assigned."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Q, Subquery
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame.around import TenantFrame
from portal.frame.paging import Pager
from portal.frame.render import render_page
from portal.pages.assignments import tables
from portal.words.blocked import blocked
from sync.configuration import drafts
from sync.directory import live
from sync.models import (
    Assignment,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    ObjectType,
    Operation,
    Snapshot,
    Standing,
    Tenant,
    Word,
)
from sync.people import queries as people
from sync.preview.queries import assignment_effects
from sync.preview.queries.assignment_effects import AssignmentEffects
from sync.standings import queries as standings


@dataclass(frozen=True, slots=True)
class Twig:
    """A line of the tree as it is shown. `people`: whom the group lists itself."""

    branch: assignment_effects.Branch
    name: str
    people: int


@dataclass(frozen=True, slots=True)
class GroupMember:
    user: DirectoryUser
    through: str
    word: str
    # Whether the person has a page.
    known: bool
    # Why somebody who is in this group is not in scope all the same, in words.
    outside: str = ""


@page(read=Right.READ)
def group(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    configurations = TenantFrame.of(request, tenant).configurations
    configuration = configurations.shown
    rules = AssignmentEffects(configuration)
    inside = assignment_effects.nested_groups(tenant, [object_id])
    groups = {object_id, *(child for children in inside.values() for child in children)}
    mirror = groups_read(tenant, groups)
    row, mirrored = assigned_group(rules.assignments, object_id), mirror.get(object_id)
    known_or_404(row, mirrored)
    names = {group_id: str(found) for group_id, found in mirror.items()}
    included = groups if row is None or row.nested else {object_id}
    snapshot = tables.last_snapshot(tenant)
    standing = standings.standing_of(tenant, ObjectType.GROUP, object_id)
    text, roots = request.GET.get("q", ""), within(rules, object_id)
    shown = people_page(included, text, request.GET.get("page", ""), rules, names, included=bool(row or roots))
    context: dict[str, Any] = {
        "tenant": tenant,
        "object_id": object_id,
        "name": (mirrored.display_name if mirrored else "") or str(row),
        "mirrored": mirrored,
        "row": row,
        "tree": tree_lines(tenant, object_id, inside, names),
        "loops": 0,
        "effective": shown.paginator.count if not text else assignment_effects.people_in(tenant, included).count(),
        "people": shown,
        "pager": Pager.of(request, shown),
        "text": text,
        "nested_groups": len(groups) - 1,
        "within": roots,
        "leaving": tables.leaving(rules, [("group", object_id)], size=1) if row and snapshot else None,
        "standing": standing,
        "word": tables.word_of_group(row, standing) if row else "",
        "read_at": snapshot.sealed_at if snapshot else None,
        "changed_at": mirrored.changed_at if mirrored else None,
        "written": last_membership_change(tenant, object_id),
        "may_edit": can(request.user, tenant, Right.CONFIGURE) and not (row and row.mirrored),
    }
    if standing is not None:
        in_use = configurations.current
        published = row if in_use == configuration else assigned_group(in_use.assignments.all(), object_id)
        context |= verdict_on(request, standing, published, groups)
    context["loops"] = sum(twig.branch.loop for twig in context["tree"])
    return render_page(request, "assignments/group/detail.html", context, partial="people")


def verdict_on(request: HttpRequest, standing: Standing, row: Assignment | None, groups: set[str]) -> dict[str, Any]:
    """How the group stands as the published version has it (`row`). `groups`: itself, and all inside."""
    tenant, object_id = standing.tenant, standing.object_id
    members = people.members_of_group(tenant, object_id, groups if row is None or row.nested else {object_id})
    waits = {standing.word, members.worst.word if members.worst else ""} & {Word.WAITING, Word.GONE}
    provisioning = TenantFrame.of(request, tenant).provisioning
    verdict = people.group_verdict(standing, members, blocked(tenant, provisioning) if waits else None)
    return {"members": members, "verdict": verdict}


def groups_read(tenant: Tenant, ids: Collection[str]) -> dict[str, Any]:
    """By object id: each as it was read, and `changed_at`: when a reading last found something new about it or its members."""
    found = Snapshot.objects.filter(pk=OuterRef("changed_snapshot")).values("sealed_at")
    rows = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=ids).annotate(changed_at=Subquery(found))
    return {row.object_id: row for row in rows}


def assigned_group(rows: Iterable[Assignment], object_id: str) -> Assignment | None:
    return next((row for row in rows if (row.object_type, row.object_id) == (ObjectType.GROUP, object_id)), None)


def known_or_404(row: Assignment | None, mirrored: DirectoryGroup | None) -> None:
    """Raises Http404 when the group is neither assigned nor read."""
    if row is None and mirrored is None:
        raise Http404(_("We have not read a group with this ID."))


def tree_lines(tenant: Tenant, root: str, inside: dict[str, set[str]], names: Mapping[str, str]) -> list[Twig]:
    ids = {root, *(child for children in inside.values() for child in children)}
    counts = assignment_effects.direct_counts(tenant, ids)
    return [
        Twig(branch, names.get(branch.group_id, branch.group_id), counts.get(branch.group_id, 0))
        for branch in assignment_effects.tree(root, inside, names)
    ]


def people_page(
    groups: set[str], text: str, number: str, rules: AssignmentEffects, names: Mapping[str, str], *, included: bool
) -> Page[GroupMember]:
    """`names`: of the groups, where they were read. `included`: the group is assigned, or inside one that is."""
    rows = assignment_effects.people_in(rules.tenant, groups).order_by("display_name", "pk")
    if text := text.strip():
        rows = rows.filter(Q(display_name__icontains=text) | Q(user_principal_name__icontains=text))
    page: Page[Any] = Paginator(rows, tables.PAGE).get_page(number)
    page.object_list = _members(rules, groups, list(page.object_list), names, included)
    return page


def _members(
    rules: AssignmentEffects,
    groups: set[str],
    users: Sequence[DirectoryUser],
    names: Mapping[str, str],
    included: bool,
) -> list[GroupMember]:
    tenant = rules.tenant
    ids = [user.object_id for user in users]
    listing = DirectoryMembership.objects.filter(tenant=tenant, group_id__in=groups, member_id__in=ids)
    through: dict[str, list[str]] = {}
    for member_id, group_id in listing.values_list("member_id", "group_id"):
        through.setdefault(member_id, []).append(names.get(group_id, group_id))
    known = standings.by_object(tenant, ObjectType.USER, ids)
    return [
        _member(user, known.get(user.object_id), through.get(user.object_id, []), tables.outside(user, rules), included)
        for user in users
    ]


def _member(
    user: DirectoryUser, standing: Standing | None, through: Sequence[str], outside: str, included: bool
) -> GroupMember:
    undecided = Word.WAITING if included and not outside else Word.NOT_IN_SCOPE
    word = tables.word_of(standing, undecided)
    return GroupMember(user, ", ".join(sorted(through)), word, known=standing is not None, outside=outside)


def within(rules: AssignmentEffects, object_id: str) -> list[tuple[str, str]]:
    """Other assigned groups that this one is inside of, by name."""
    roots = rules.above.get(object_id, set()) - {object_id}
    return sorted(((root, rules.groups[root]) for root in roots), key=lambda one: one[1])


def last_membership_change(tenant: Tenant, object_id: str) -> Operation | None:
    """The newest request that added or removed members in AWS."""
    rows = Operation.objects.filter(tenant=tenant, object_id=object_id, object_type="membership")
    return rows.filter(result__in=("added", "removed")).select_related("run").order_by("-pk").first()


@page(read=Right.ON_DEMAND)
def group_now(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    """What Entra says about it now: its kind, and the rule of a dynamic one."""
    row = assigned_group(drafts.draft_or_current(tenant).assignments.all(), object_id)
    known_or_404(row, groups_read(tenant, [object_id]).get(object_id))
    context: dict[str, Any] = {"tenant": tenant, "object_id": object_id, "now": None, "gone": False}
    try:
        now = live.group_now(tenant, object_id)
        context |= {"now": now, "kind": live.found_group(now).kind_name} if now else {"gone": True}
    except live.UNREADABLE as error:
        context["wait"] = live.seconds_to_wait(error)
    return render_page(request, "assignments/group/now.html", context, partial="now")
