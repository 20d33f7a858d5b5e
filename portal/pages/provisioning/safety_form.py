"""Limits, leavers, linking and the daily comparison. Ranges are the service's; here are the words."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.words.safety import LIMITS, SETTINGS
from sync.models import Adoption, NameId, Tenant
from sync.rules.limits import Limits
from sync.tenants.queries import DELETE_AFTER_DAYS, FLAGS, RANGES, check_safety, safety_of


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
    adoption = forms.ChoiceField(label=SETTINGS["adoption"], choices=Adoption.choices, widget=forms.RadioSelect)
    never_touch = Patterns(
        label=SETTINGS["never_touch"],
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
    two_people = forms.BooleanField(
        label=SETTINGS["two_people"],
        help_text=_("Whoever edited a draft asks, and somebody else approves it under Approvals."),
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
