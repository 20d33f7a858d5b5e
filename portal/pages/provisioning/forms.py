"""The interval of provisioning, and until when it is paused."""

import datetime
import zoneinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models import Interval, Tenant
from sync.models.tenant import PAUSE_REASON_LENGTH
from sync.tenants.queries import LONGEST_PAUSE, check_pause

HOUR, MORNING = datetime.timedelta(hours=1), datetime.time(7)


class ScheduleForm(forms.Form):
    interval = forms.TypedChoiceField(
        label=_("Interval"), choices=Interval.choices, coerce=int, widget=forms.RadioSelect
    )


class PauseForm(forms.Form):
    """`ends_at` in what is cleaned: when the tenant is on again."""

    length = forms.ChoiceField(label=_("Pause"), widget=forms.RadioSelect)
    until = forms.DateTimeField(
        label=_("Time"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(
        label=_("Why"),
        help_text=_("May be left empty. It stands beside the state."),
        max_length=PAUSE_REASON_LENGTH,
        required=False,
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        usual: dict[str, Any] = {"length": "hour"}
        if tenant.paused:
            usual = {"length": "time", "until": tenant.resume_at, "reason": tenant.pause_reason}
        super().__init__(*args, **{"initial": usual, **kwargs})
        self.zone = zoneinfo.ZoneInfo(tenant.time_zone)
        length: Any = self.fields["length"]
        length.choices = [
            ("hour", _("For 1 hour")),
            ("tomorrow", _("Until tomorrow, 07:00 in %(zone)s") % {"zone": tenant.time_zone}),
            ("time", _("Until the time below")),
        ]
        limits = {"zone": timezone.get_current_timezone_name(), "days": LONGEST_PAUSE.days}
        self.fields["until"].help_text = _("In %(zone)s, at most %(days)s days from now.") % limits

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned["until"] and cleaned["length"] != "time":
            self.add_error("length", _("You entered a time: choose “Until the time below”, or empty it."))
            return cleaned
        cleaned["ends_at"] = self._ends_at(cleaned["length"], cleaned["until"])
        if cleaned["ends_at"] is None:
            self.add_error("until", _("Enter a time."))
        elif wrong := check_pause(cleaned["ends_at"], cleaned["reason"]):
            words = {"past": _("This time is over. Enter a later one.")}
            longest = _("A pause has %(days)s days at the most.") % {"days": LONGEST_PAUSE.days}
            self.add_error("until", words.get(wrong, longest))
        return cleaned

    def _ends_at(self, length: str, until: datetime.datetime | None) -> datetime.datetime | None:
        now = timezone.now()
        if length == "hour":
            return now + HOUR
        if length == "tomorrow":
            day = now.astimezone(self.zone).date() + datetime.timedelta(days=1)
            return datetime.datetime.combine(day, MORNING, self.zone)
        return until
