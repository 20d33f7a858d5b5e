"""The checks of an impact preview in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync.models import Run
from sync.preview.queries.previews import people_changed
from sync.problems.languages import grouped

Words = str | Promise
WAIT = _("Over your limit of %(limit)s: they wait under Approvals")
CONFIRMED = _("Over your limit of %(limit)s: publishing says yes to them")


@dataclass(frozen=True, slots=True)
class CheckWords:
    """`some`: the title by how many were found, `none`: when nothing was; `note` below it, `good`: when all is well."""

    some: Callable[[int], Words]
    note: Words
    none: Words = ""
    good: Words = ""


CHECKS: Mapping[str, CheckWords] = {
    "removals": CheckWords(
        lambda n: _("Removals %(n)s"),
        WAIT,
        none=_("No removals"),
        good=_("Below your limit of %(limit)s"),
    ),
    "leavers": CheckWords(
        lambda n: ngettext("%(n)s person keeps access after leaving", "%(n)s people keep access after leaving", n),
        _("Select Disable leavers under Mappings"),
        none=_("Whoever leaves is disabled"),
        good=_("However they leave"),
    ),
    "shared": CheckWords(
        lambda n: ngettext("%(n)s person would share a value", "%(n)s people would share a value", n),
        _("User name, e-mail address or external ID"),
        none=_("No shared user names"),
        good=_("%(checked)s people checked"),
    ),
    "emptied": CheckWords(
        lambda n: ngettext("%(n)s required field would be empty", "%(n)s required fields would be empty", n),
        _("AWS would refuse the person"),
        none=_("The draft empties no required field"),
        good=_("Of people whom AWS would take without it"),
    ),
    "arriving": CheckWords(
        lambda n: ngettext("%(n)s person comes whom AWS would refuse", "%(n)s people come whom AWS would refuse", n),
        _("A field is empty in Entra, or somebody else has the value"),
    ),
    "expressions": CheckWords(
        lambda n: ngettext("%(n)s expression stops", "%(n)s expressions stop", n),
        _("A mapping of the draft cannot be worked out"),
    ),
    "over-creates": CheckWords(
        lambda n: ngettext("%(n)s person would be created", "%(n)s people would be created", n),
        CONFIRMED,
    ),
    "over-keys": CheckWords(
        lambda n: ngettext("%(n)s unique value would change", "%(n)s unique values would change", n),
        CONFIRMED,
    ),
    "over-members": CheckWords(
        lambda n: ngettext("%(n)s membership would go", "%(n)s memberships would go", n),
        WAIT,
    ),
    "over-groups": CheckWords(
        lambda n: ngettext("%(n)s group would be deleted", "%(n)s groups would be deleted", n),
        _("Each waits under Approvals"),
    ),
    "guests": CheckWords(
        lambda n: ngettext("%(n)s guest would be created", "%(n)s guests would be created", n),
        _("Guests are people from other organisations"),
    ),
    "defaults": CheckWords(
        lambda n: ngettext("%(n)s person gets a default value", "%(n)s people get a default value", n),
        _("A field is empty in Entra, and its mapping has a default"),
        good=_("A field is empty in Entra, and its mapping has a default"),
    ),
    "reading": CheckWords(
        lambda n: _("Entra was not read as it should be"),
        _("Who would lose access cannot be told. Preview again."),
        none=_("Entra was not read as it should be"),
    ),
}


def check_line(check: Mapping[str, Any], preview: Run) -> dict[str, str]:
    words = CHECKS[check["code"]]
    numbers = {
        "n": check["n"],
        "limit": check["limit"],
        "checked": people_changed(preview) + preview.impact["people"]["stay"],
    }
    facts = {name: grouped(number) for name, number in numbers.items()}
    title = words.some(check["n"]) if check["n"] else words.none
    note = words.good if check["level"] == "good" else words.note
    return {"code": check["code"], "level": check["level"], "title": str(title) % facts, "note": str(note) % facts}
