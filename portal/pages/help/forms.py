"""The error translator's form."""

from django import forms
from django.utils.translation import gettext_lazy as _

LONGEST = 20_000


class TranslateForm(forms.Form):
    text = forms.CharField(
        label=_("Error"),
        help_text=_("An answer, a record of CloudTrail, a line of a log, or a sentence. It is not stored."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8, "class": "ls-mono", "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": _("Paste an error.")},
    )
