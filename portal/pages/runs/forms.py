"""Range and filters of the sync history; the URL is the saved view."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models import Run
from sync.models.run import RunQuerySet

RANGES = {"1": _("24 h"), "7": _("7 d"), "30": _("30 d"), "90": _("90 d")}
DEFAULT_DAYS = 7
LONGEST = datetime.timedelta(days=366)
# Up to here a chart has a place for every hour, above for every day.
BY_HOUR = datetime.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Span:
    """What the history looks at; `days`: a choice of RANGES that ends now, "" for two dates."""

    begins: datetime.datetime
    ends: datetime.datetime
    days: str = ""

    @property
    def length(self) -> datetime.timedelta:
        return self.ends - self.begins

    @property
    def before(self) -> "Span":
        """As long, right before it."""
        return Span(self.begins - self.length, self.begins)

    @property
    def by_hour(self) -> bool:
        return self.length <= BY_HOUR


class HistoryForm(forms.Form):
    days = forms.ChoiceField(choices=RANGES.items(), required=False)
    begin = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    state = forms.ChoiceField(label=_("State"), choices=[("", _("State")), *Run.State.choices], required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[("", _("Kind")), *Run.Kind.choices], required=False)
    trigger = forms.ChoiceField(label=_("Trigger"), choices=[("", _("Trigger")), *Run.Trigger.choices], required=False)
    version = forms.IntegerField(
        label=_("Version"), min_value=1, required=False, widget=forms.NumberInput(attrs={"placeholder": _("Version")})
    )
    failures = forms.BooleanField(label=_("Has failures"), required=False)

    def span(self) -> Span:
        """The two dates, both of them inside, or so many days until now. What is not valid counts as not said."""
        chosen = self._chosen()
        begin, end = chosen.get("begin"), chosen.get("end")
        if begin and end and begin <= end and end - begin < LONGEST:
            return Span(midnight(begin), midnight(end + datetime.timedelta(days=1)))
        days, now = chosen.get("days") or str(DEFAULT_DAYS), timezone.now()
        return Span(now - datetime.timedelta(days=int(days)), now, days)

    def filtered(self, runs: RunQuerySet) -> RunQuerySet:
        chosen = self._chosen()
        names = {"state": "state", "kind": "kind", "trigger": "trigger", "version": "configuration__number"}
        runs = runs.filter(**{names[name]: chosen[name] for name in names if chosen.get(name)})
        return runs.exclude(problems={}) if chosen.get("failures") else runs

    def kept(self, *names: str) -> list[tuple[str, str]]:
        """What another form of the page keeps of the address."""
        return [(name, self.data[name]) for name in names if self.data.get(name)]

    @property
    def kept_range(self) -> list[tuple[str, str]]:
        return self.kept("days", "begin", "end")

    @property
    def kept_filters(self) -> list[tuple[str, str]]:
        return self.kept(*(field.name for field in self.filters))

    @property
    def filters(self) -> list[forms.BoundField]:
        return [self[name] for name in ("state", "kind", "trigger", "version", "failures")]

    @property
    def narrowed(self) -> bool:
        return any(self._chosen().get(field.name) for field in self.filters)

    def _chosen(self) -> dict[str, Any]:
        self.is_valid()
        return getattr(self, "cleaned_data", {})


def midnight(day: datetime.date) -> datetime.datetime:
    """Of the reader's zone."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
