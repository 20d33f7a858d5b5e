"""One group: what is inside it, who comes through it, and where it is assigned."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, Subquery
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


@dataclass(frozen=True, slots=True)
class GroupTree:
    """One group (`root`) and those inside it. `read`: by object id, as they were read; `inside`: the groups directly in
    each; `groups`: all of them; `names`: of those that were read."""

    root: str
    read: Mapping[str, Any]
    inside: Mapping[str, set[str]]
    groups: set[str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, tenant: Tenant, root: str) -> "GroupTree":
        read, inside = groups_read(tenant, [root]), dict[str, set[str]]()
        if any(row.holds_groups for row in read.values()):
            inside = assignment_effects.nested_groups(tenant, [root])
        groups = {root, *(child for children in inside.values() for child in children)}
        if inside:
            read |= groups_read(tenant, groups - {root})
        return cls(root, read, inside, groups, {group_id: str(found) for group_id, found in read.items()})


@page(read=Right.READ)
def group(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    frame = TenantFrame.of(request, tenant)
    configurations, configuration = frame.configurations, frame.configurations.shown
    rules, tree = AssignmentEffects(configuration), GroupTree.of(tenant, object_id)
    row, mirrored = assigned_group(rules.assignments, object_id), tree.read.get(object_id)
    known_or_404(row, mirrored)
    roots = within(rules, object_id)
    context: dict[str, Any] = {
        "tenant": tenant,
        "object_id": object_id,
        "name": (mirrored.display_name if mirrored else "") or str(row),
        "mirrored": mirrored,
        "row": row,
        "nested_groups": len(tree.groups) - 1,
        "within": roots,
        "read_at": frame.newest.as_of.read_at,
        "changed_at": mirrored.changed_at if mirrored else None,
        "written": last_membership_change(tenant, object_id),
        "may_edit": can(request.user, tenant, Right.CONFIGURE) and not (row and row.mirrored),
        **people_of(request, rules, tree, row, included=bool(row or roots)),
    }
    if context["standing"] is not None:
        in_use = configurations.current
        published = row if in_use == configuration else assigned_group(in_use.assignments.all(), object_id)
        context |= verdict_on(frame, context["standing"], published, tree.groups)
    return render_page(request, "assignments/group/detail.html", context, partial="people")


def people_of(
    request: HttpRequest, rules: AssignmentEffects, tree: GroupTree, row: Assignment | None, *, included: bool
) -> dict[str, Any]:
    """Who is in the group as the assignment takes it (`row`), and how it stands itself. `included`: it is assigned, or inside
    one that is."""
    tenant, text = rules.tenant, request.GET.get("q", "")
    groups = tree.groups if row is None or row.nested else {tree.root}
    shown = people_page(tenant, groups, text, request.GET.get("page", ""))
    known = standings.by_object(tenant, [tree.root, *(user.object_id for user in shown.object_list)])
    through = listings(tenant, groups, shown.object_list, tree.names)
    effective = assignment_effects.people_in(tenant, groups).count() if text else shown.paginator.count
    lines, standing = tree_lines(tenant, tree, effective), known.get((ObjectType.GROUP, tree.root))
    return {
        "tree": lines,
        "loops": sum(twig.branch.loop for twig in lines),
        "effective": effective,
        "people": shown,
        "members_shown": [member_of(user, known, through, rules, included=included) for user in shown.object_list],
        "pager": Pager.of(request, shown),
        "text": text,
        "standing": standing,
        "word": tables.word_of_group(row, standing) if row else "",
    }


def verdict_on(frame: TenantFrame, standing: Standing, row: Assignment | None, groups: set[str]) -> dict[str, Any]:
    """How the group stands as the published version has it (`row`). `groups`: itself, and all inside."""
    tenant, object_id = frame.tenant, standing.object_id
    members = people.members_of_group(tenant, object_id, groups if row is None or row.nested else {object_id})
    waits = {standing.word, members.worst.word if members.worst else ""} & {Word.WAITING, Word.GONE}
    what = blocked(tenant, frame.provisioning, frame.newest.asked_at) if waits else None
    return {"members": members, "verdict": people.group_verdict(standing, members, what)}


def groups_read(tenant: Tenant, ids: Collection[str]) -> dict[str, Any]:
    """By object id: each as it was read; `changed_at`: when a reading last found something new about it or its members;
    `holds_groups`: groups are among them."""
    found = Snapshot.objects.filter(pk=OuterRef("changed_snapshot")).values("sealed_at")
    inner = DirectoryMembership.objects.filter(
        tenant=tenant, group_id=OuterRef("object_id"), member_type=DirectoryMembership.GROUP
    )
    rows = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=ids)
    return {row.object_id: row for row in rows.annotate(changed_at=Subquery(found), holds_groups=Exists(inner))}


def assigned_group(rows: Iterable[Assignment], object_id: str) -> Assignment | None:
    return next((row for row in rows if (row.object_type, row.object_id) == (ObjectType.GROUP, object_id)), None)


def known_or_404(row: Assignment | None, mirrored: DirectoryGroup | None) -> None:
    """Raises Http404 when the group is neither assigned nor read."""
    if row is None and mirrored is None:
        raise Http404(_("We have not read a group with this ID."))


def tree_lines(tenant: Tenant, tree: GroupTree, effective: int) -> list[Twig]:
    """`effective`: people of the whole tree, who are all its own where no group is inside."""
    counts = assignment_effects.direct_counts(tenant, tree.groups) if tree.inside else {tree.root: effective}
    return [
        Twig(branch, tree.names.get(branch.group_id, branch.group_id), counts.get(branch.group_id, 0))
        for branch in assignment_effects.tree(tree.root, tree.inside, tree.names)
    ]


def people_page(tenant: Tenant, groups: Collection[str], text: str, number: str) -> Page[DirectoryUser]:
    rows = assignment_effects.people_in(tenant, groups).order_by("display_name", "pk")
    if text := text.strip():
        rows = rows.filter(Q(display_name__icontains=text) | Q(user_principal_name__icontains=text))
    page = Paginator(rows, tables.PAGE).get_page(number)
    page.object_list = list(page.object_list)
    return page


def listings(
    tenant: Tenant, groups: Collection[str], users: Iterable[DirectoryUser], names: Mapping[str, str]
) -> dict[str, list[str]]:
    """By person: names of those of the groups that list them. Of a single group everybody here is."""
    ids = [user.object_id for user in users]
    if len(groups) == 1:
        return {one: [names.get(group_id, group_id) for group_id in groups] for one in ids}
    rows = DirectoryMembership.objects.filter(tenant=tenant, group_id__in=groups, member_id__in=ids)
    found: dict[str, list[str]] = defaultdict(list)
    for member_id, group_id in rows.values_list("member_id", "group_id"):
        found[member_id].append(names.get(group_id, group_id))
    return found


def member_of(
    user: DirectoryUser,
    known: Mapping[tuple[str, str], Standing],
    through: Mapping[str, Collection[str]],
    rules: AssignmentEffects,
    *,
    included: bool,
) -> GroupMember:
    """`included`: the group is assigned, or inside one that is."""
    outside, standing = tables.outside(user, rules), known.get((ObjectType.USER, user.object_id))
    word = tables.word_of(standing, Word.WAITING if included and not outside else Word.NOT_IN_SCOPE)
    listed = ", ".join(sorted(through[user.object_id]))
    return GroupMember(user, listed, word, known=standing is not None, outside=outside)


def within(rules: AssignmentEffects, object_id: str) -> list[tuple[str, str]]:
    """Other assigned groups that this one is inside of, by name."""
    if not rules.rules.nested - {object_id}:
        return []
    roots = rules.above.get(object_id, set()) - {object_id}
    return sorted(((root, rules.groups[root]) for root in roots), key=lambda one: one[1])


def last_membership_change(tenant: Tenant, object_id: str) -> Operation | None:
    """The newest request that added or removed members in AWS."""
    rows = Operation.objects.filter(tenant=tenant, object_id=object_id, object_type="membership")
    return rows.filter(result__in=("added", "removed")).select_related("run").order_by("-pk").first()


@page(read=Right.READ)
def group_leaving(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    """How many would leave AWS if it were unassigned: asked for apart, as it looks at everything else that brings them."""
    rules = AssignmentEffects(TenantFrame.of(request, tenant).configurations.shown)
    row = assigned_group(rules.assignments, object_id)
    if row is None:
        raise Http404(_("This group is not assigned."))
    context = {
        "tenant": tenant,
        "object_id": object_id,
        "name": str(row),
        "leaving": tables.leaving(rules, [("group", object_id)], size=1),
        "may_edit": can(request.user, tenant, Right.CONFIGURE) and not row.mirrored,
    }
    return render_page(request, "assignments/group/leaving.html", context, partial="leaving")


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
