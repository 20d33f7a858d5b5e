"""The words of a hold: what is held, what approving it does, what keeping does."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.approvals.queries import HoldCause
from sync.models import Hold
from sync.problems.catalogue import SCOPE_REASONS, scope_words
from sync.problems.languages import grouped

Kind = Hold.Kind
Counted = Callable[[int], str]

# Heading of the page; label of the button; the text under the two figures.
HEADINGS: Mapping[str, Counted] = {
    Kind.PEOPLE: lambda n: ngettext("%(n)s removal is held", "%(n)s removals are held", n),
    Kind.MEMBERS: lambda n: ngettext("%(n)s member is held", "%(n)s members are held", n),
    Kind.GROUPS: lambda n: ngettext("%(n)s group deletion is held", "%(n)s group deletions are held", n),
    Kind.CREATES: lambda n: ngettext("%(n)s creation is held", "%(n)s creations are held", n),
    Kind.KEYS: lambda n: ngettext("%(n)s changed name is held", "%(n)s changed names are held", n),
}
WOULD: Mapping[str, Counted] = {
    Kind.PEOPLE: lambda n: ngettext("would remove %(n)s person", "would remove %(n)s people", n),
    Kind.MEMBERS: lambda n: ngettext("would remove %(n)s member", "would remove %(n)s members", n),
    Kind.GROUPS: lambda n: ngettext("would delete %(n)s group", "would delete %(n)s groups", n),
    Kind.CREATES: lambda n: ngettext("would create %(n)s object", "would create %(n)s objects", n),
    Kind.KEYS: lambda n: ngettext("would change the name of %(n)s", "would change the names of %(n)s", n),
}


def hold_heading(hold: Hold, count: int) -> str:
    return HEADINGS[hold.kind](count) % {"n": grouped(count)}


def hold_would(hold: Hold) -> str:
    """`would remove 48 people; your limit is 10`, and what the last week adds to it."""
    facts = hold.facts
    planned, limit = facts.get("planned", 0), facts.get("limit", 0)
    would = WOULD[hold.kind](planned) % {"n": grouped(planned)}
    text = _("%(would)s; your limit is %(limit)s") % {"would": would, "limit": grouped(limit)}
    if hold.kind == Kind.GROUPS:
        text = _("%(would)s; every deletion of a group waits for a yes") % {"would": would}
    if (week := facts.get("week", planned)) > planned:
        text += _(" (%(n)s with those of the last 7 days)") % {"n": grouped(week)}
    return text


def hold_foresight(kind: str, facts: Mapping[str, int]) -> str:
    """What a plan would add to Approvals."""
    planned, limit = facts.get("planned", 0), facts.get("limit", 0)
    words = {"would": WOULD[kind](planned) % {"n": grouped(planned)}, "limit": grouped(limit)}
    return _("It %(would)s, over your limit of %(limit)s: that waits under Approvals.") % words


def hold_words(hold: Hold) -> dict[str, str]:
    """`action` is the label of the button around a number, `lose` and `stay` under the figures, `kept` in a row."""
    return {
        Kind.PEOPLE: {
            "action": _("Remove"),
            "lose": _("lose access"),
            "stay": _("stay, kept by you"),
            "kept": _("Stays in AWS"),
            "keep": _("Keep all in AWS"),
        },
        Kind.MEMBERS: {
            "action": _("Remove"),
            "lose": _("leave their group"),
            "stay": _("stay, kept by you"),
            "kept": _("Stays in the group"),
            "keep": _("Keep all in their groups"),
        },
        Kind.GROUPS: {
            "action": _("Delete"),
            "lose": _("are deleted"),
            "stay": _("stay, kept by you"),
            "kept": _("Stays in AWS"),
            "keep": _("Keep all in AWS"),
        },
        Kind.CREATES: {
            "action": _("Create"),
            "lose": _("are created"),
            "stay": _("stay out"),
            "kept": _("Stays out"),
            "keep": _("Keep all out"),
        },
        Kind.KEYS: {
            "action": _("Change"),
            "lose": _("are changed"),
            "stay": _("keep their names"),
            "kept": _("Keeps its name"),
            "keep": _("Keep all names"),
        },
    }[Kind(hold.kind)]


def cause_title(cause: HoldCause) -> str:
    """What these changes have in common, as a heading."""
    if cause.group:
        return _("No longer in %(group)s") % {"group": cause.group}
    if cause.object_type == "group":
        return _("Groups")
    if cause.kind in (Kind.CREATES, Kind.KEYS):
        return _("People")
    return scope_words(cause.code, cause.filters) if cause.code in SCOPE_REASONS else _("No longer in scope")


CAUSE_ICONS = {"deleted": "user-x", "create": "user-plus", "delete": "user-x", "update": "user-edit"}


def cause_icon(cause: HoldCause) -> str:
    return CAUSE_ICONS.get(cause.code) or CAUSE_ICONS.get(cause.action, "user-minus")
