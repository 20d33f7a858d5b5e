"""Limits, leavers, linking and the daily comparison. Ranges are the service's; here are the words."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sync.models import Adoption, NameId, Tenant
from sync.rules.limits import Limits
from sync.tenants.queries import DELETE_AFTER_DAYS, FLAGS, RANGES, check_safety, safety_of

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


class Patterns(forms.CharField):
    """One per line; blank lines are left out."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "ls-mono"})

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines()]
        return [line for line in dict.fromkeys(lines) if line]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class SafetyForm(forms.Form):
    delete_after_days = forms.IntegerField(
        label=_("Delete after (days)"),
        help_text=_("Only people deleted from Entra for good, this long after they were disabled. 0: never."),
        min_value=DELETE_AFTER_DAYS[0],
        max_value=DELETE_AFTER_DAYS[1],
    )
    delete_groups = forms.BooleanField(
        label=_("Delete groups that were deleted from Entra for good"),
        help_text=_("Each deletion waits for a yes: account assignments are lost with the group."),
        required=False,
    )
    free_names = forms.BooleanField(
        label=_("Free the names of leavers"),
        help_text=_("A leaver's user name and e-mail in AWS are renamed when a newcomer needs them."),
        required=False,
    )
    adoption = forms.ChoiceField(
        label=_("Link people and groups that AWS holds already"), choices=Adoption.choices, widget=forms.RadioSelect
    )
    never_touch = Patterns(
        label=_("Never touch"),
        help_text=_(
            "Names in AWS, one per line, to the letter; * for any text. What Lockstep made, what was linked by hand and what "
            "holds our external id is not meant: to keep Lockstep off one of these, list its AWS id."
        ),
        required=False,
    )
    name_id = forms.ChoiceField(label=_("SAML NameID is made of"), choices=NameId.choices, widget=forms.RadioSelect)
    verify_daily = forms.BooleanField(
        label=_("Compare with AWS every day"),
        help_text=_("Reads back what AWS holds and reports what differs."),
        required=False,
    )
    repair = forms.BooleanField(
        label=_("Repair what differs"),
        help_text=_("What somebody changed in AWS by hand is written anew by the next sync."),
        required=False,
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        stored = safety_of(tenant)
        initial = {name: value for name, value in stored.items() if name != "limits"} | stored["limits"]
        super().__init__(*args, **{"initial": initial, **kwargs})
        usual = asdict(Limits())
        for name, (label, help_text) in LIMITS.items():
            low, high = RANGES[name]
            usually = _("Usually %(n)s.") % {"n": usual[name]}
            self.fields[name] = forms.IntegerField(
                label=label, help_text=f"{help_text} {usually}", min_value=low, max_value=high
            )

    @property
    def limits(self) -> list[forms.BoundField]:
        return [self[name] for name in LIMITS]

    def clean(self) -> dict[str, Any]:
        """The service's own check, each reason at its field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            for name, reason in check_safety(self.values()).items():
                self.add_error(name, ValidationError(reason))
        return cleaned

    def values(self) -> dict[str, Any]:
        """The arguments of sync.tenants.services.save_safety."""
        plain = ("delete_after_days", "adoption", "never_touch", "name_id", *FLAGS)
        return {name: self.cleaned_data[name] for name in plain} | {
            "limits": {name: self.cleaned_data[name] for name in LIMITS}
        }
