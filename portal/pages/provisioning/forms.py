"""The interval of provisioning."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sync.models import Interval


class ScheduleForm(forms.Form):
    interval = forms.TypedChoiceField(
        label=_("Interval"), choices=Interval.choices, coerce=int, widget=forms.RadioSelect
    )
