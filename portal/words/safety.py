"""The words of the safety settings, for their form and for requests that wait for a second person."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from sync.models import Adoption

# Label and help of each limit, in the order of the page.
LIMITS: dict[str, tuple[Any, Any]] = {
    "people_percent": (
        _("People removed, in percent"),
        _("Of the people whom AWS holds because of us; counted over the run, the last day and the last 7 days."),
    ),
    "people_at_most": (_("… but never more than (people)"), _("Whatever the percentage allows.")),
    "people_at_least": (_("… and always allowed (people)"), _("So that a small company can let people go.")),
    "members_percent": (_("Members leaving one group, in percent"), _("Of that group's members in AWS.")),
    "all_members_percent": (_("Members leaving all groups, in percent"), _("Of all memberships in AWS.")),
    "members_at_least": (_("… and always allowed (members)"), _("Also for people and groups created at once.")),
    "creates_percent": (
        _("People and groups created, in percent"),
        _("Of the people in AWS. The first sync and what a preview listed are not counted."),
    ),
    "keys_percent": (
        _("Names and ids changed, in percent"),
        _("User names, e-mail addresses, external ids and group names, of the people in AWS."),
    ),
    "shrink_percent": (
        _("Do not believe a reading that is smaller by, in percent"),
        _("Nobody is removed because of it until somebody accepts it."),
    ),
    "approval_hours": (_("An approval lasts, in hours"), _("What is not done by then waits again.")),
}
# Labels of the other settings that may need a second person.
SETTINGS = {
    "never_touch": _("Never touch"),
    "adoption": _("Link people and groups that AWS holds already"),
    "two_people": _("Publishing needs two people"),
}


def setting_label(name: str) -> str:
    return str(LIMITS[name][0] if name in LIMITS else SETTINGS[name])


def setting_change(name: str, change: Mapping[str, Any]) -> tuple[str, str]:
    """Before and after. Of a list, what goes and what comes."""
    before, after = change["before"], change["after"]
    if isinstance(before, list):
        gone, new = [one for one in before if one not in after], [one for one in after if one not in before]
        return ", ".join(gone) or "–", ", ".join(new) or str(_now("nothing in its place"))
    return setting_value(name, before), setting_value(name, after)


def setting_value(name: str, value: Any) -> str:
    if name == "adoption":
        return str(Adoption(value).label)
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    return str(value)
