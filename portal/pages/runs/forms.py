"""Filters of the sync history; the URL is the saved view."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.models import Run
from sync.models.run import RunQuerySet

RANGES = {"1": _("24 hours"), "7": _("7 days"), "30": _("30 days"), "90": _("90 days")}
DEFAULT_DAYS = 7


class HistoryForm(forms.Form):
    days = forms.ChoiceField(label=_("Range"), choices=RANGES.items(), required=False)
    state = forms.ChoiceField(label=_("State"), choices=[("", _("Any")), *Run.State.choices], required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Any")), *Run.Kind.choices], required=False)
    trigger = forms.ChoiceField(label=_("Trigger"), choices=[("", _("Any")), *Run.Trigger.choices], required=False)

    def chosen_days(self) -> int:
        self.is_valid()
        return int(self._chosen().get("days") or DEFAULT_DAYS)

    def filtered(self, runs: RunQuerySet) -> RunQuerySet:
        chosen = {name: value for name, value in self._chosen().items() if value and name != "days"}
        return runs.filter(**chosen)

    def _chosen(self) -> dict[str, str]:
        return getattr(self, "cleaned_data", {})
