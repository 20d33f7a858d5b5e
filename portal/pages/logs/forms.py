"""Filters of the provisioning logs. The URL is the saved view: every field is a query parameter."""

import datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.words.aws_fields import LABELS
from sync.models import Action, Result, Tenant
from sync.models.run import CHANGED, HAS_PROBLEM, OperationQuerySet
from sync.problems.catalogue import PROBLEMS
from sync.scim.resource import unit_of

SINCE = {
    "1": _("Last hour"),
    "24": _("Last 24 hours"),
    "168": _("Last 7 days"),
    "720": _("Last 30 days"),
    "2160": _("Last 90 days"),
}
OBJECT_TYPES = [("user", _("Person")), ("group", _("Group")), ("membership", _("Membership"))]
RESULTS = [choice for choice in Result.choices if choice[0] != Result.PLANNED]
# Units as the log names them (sync/scim/resource.py).
FIELDS = sorted(
    ((unit, unit.rpartition(":")[2]) for unit in {unit_of(target) for target in LABELS}), key=lambda one: one[1]
)


class LogFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Name, mail, Entra ID, AWS ID or request ID")}
        ),
    )
    since = forms.ChoiceField(label=_("Time"), choices=[("", _("Time")), *SINCE.items()], required=False)
    result = forms.ChoiceField(label=_("Result"), choices=[("", _("Result")), *RESULTS], required=False)
    action = forms.ChoiceField(label=_("Action"), choices=[("", _("Action")), *Action.choices], required=False)
    kind = forms.ChoiceField(label=_("Object"), choices=[("", _("Object")), *OBJECT_TYPES], required=False)
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", _("Reason")), *((code, p.title) for code, p in PROBLEMS.items())],
        required=False,
    )
    field = forms.ChoiceField(label=_("Field"), choices=[("", _("Field")), *FIELDS], required=False)
    run = forms.IntegerField(
        label=_("Run"), min_value=1, required=False, widget=forms.NumberInput(attrs={"placeholder": _("Run")})
    )
    version = forms.IntegerField(
        label=_("Version"), min_value=1, required=False, widget=forms.NumberInput(attrs={"placeholder": _("Version")})
    )
    only = forms.BooleanField(
        label=_("Only changes"), required=False, widget=forms.CheckboxInput(attrs={"value": "changes"})
    )

    def chosen(self) -> dict[str, object]:
        """Valid filters that were set; a broken value counts as not set, and its field says so."""
        self.is_valid()
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}

    def apply(self, operations: OperationQuerySet, tenant: Tenant) -> OperationQuerySet:
        chosen = self.chosen()
        if number := chosen.get("run"):
            run = tenant.runs.filter(number=int(str(number))).first()
            operations = operations.during(run) if run else operations.none()
        if text := chosen.get("q"):
            operations = operations.search(str(text))
        if hours := chosen.get("since"):
            operations = operations.since(timezone.now() - datetime.timedelta(hours=int(str(hours))))
        if chosen.get("reason"):
            operations = operations.filter(HAS_PROBLEM)
        if chosen.get("only"):
            operations = operations.filter(result__in=CHANGED)
        fields = {"result": "result", "action": "action", "kind": "object_type", "reason": "problem"}
        fields |= {"version": "run__configuration__number", "field": "changes__has_key"}
        return operations.filter(**{fields[name]: chosen[name] for name in fields.keys() & chosen.keys()})

    def words(self, name: str) -> str:
        """The chosen value in words, for its chip; "" where the label says it all."""
        value = self.chosen().get(name, "")
        choices = dict(getattr(self.fields[name], "choices", []))
        return "" if value is True else str(choices.get(value, value))
