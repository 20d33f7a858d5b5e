"""The interval of provisioning, and who is notified."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.models import Interval


class ScheduleForm(forms.Form):
    interval = forms.TypedChoiceField(
        label=_("Interval"), choices=Interval.choices, coerce=int, widget=forms.RadioSelect
    )
    notification_email = forms.EmailField(
        label=_("Notification address"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    notify_on_failure = forms.BooleanField(label=_("Send an e-mail when a failure occurs"), required=False)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("notify_on_failure") and not cleaned.get("notification_email") and not self.errors:
            self.add_error("notification_email", _("Enter the address that is to get the e-mails, or clear the box."))
        return cleaned
