"""Filters of the provisioning logs. The URL is the saved view: every field is a query parameter."""

import datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models import Action, Result
from sync.models.run import OperationQuerySet
from sync.problems.catalogue import PROBLEMS

SINCE = {"1": _("Last hour"), "24": _("Last 24 hours"), "168": _("Last 7 days"), "720": _("Last 30 days")}
OBJECT_TYPES = [("user", _("Person")), ("group", _("Group")), ("membership", _("Membership"))]
RESULTS = [choice for choice in Result.choices if choice[0] != Result.PLANNED]


class LogFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Name, mail, Entra ID, AWS ID or request ID")}
        ),
    )
    since = forms.ChoiceField(label=_("Time"), choices=[("", _("Any time")), *SINCE.items()], required=False)
    result = forms.ChoiceField(label=_("Result"), choices=[("", _("Any")), *RESULTS], required=False)
    action = forms.ChoiceField(label=_("Action"), choices=[("", _("Any")), *Action.choices], required=False)
    kind = forms.ChoiceField(label=_("Object"), choices=[("", _("Any")), *OBJECT_TYPES], required=False)
    reason = forms.ChoiceField(
        label=_("Reason"), choices=[("", _("Any")), *((code, p.title) for code, p in PROBLEMS.items())], required=False
    )
    run = forms.IntegerField(label=_("Run"), min_value=1, required=False)

    def chosen(self) -> dict[str, object]:
        """Valid filters that were set; a broken value counts as not set, and its field says so."""
        self.is_valid()
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}

    def apply(self, operations: OperationQuerySet) -> OperationQuerySet:
        chosen = self.chosen()
        if text := chosen.get("q"):
            operations = operations.search(str(text))
        if hours := chosen.get("since"):
            operations = operations.filter(created_at__gte=timezone.now() - datetime.timedelta(hours=int(str(hours))))
        fields = {"result": "result", "action": "action", "kind": "object_type", "reason": "problem"}
        fields["run"] = "run__number"
        return operations.filter(**{fields[name]: chosen[name] for name in fields.keys() & chosen.keys()})

    def words(self, name: str) -> str:
        """The chosen value in words, for its chip."""
        value = self.chosen().get(name, "")
        choices = dict(getattr(self.fields[name], "choices", []))
        return str(choices.get(value, value))
