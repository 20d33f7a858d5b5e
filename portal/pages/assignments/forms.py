"""Forms of assignments: the search with what is ticked and chosen, the pasted list, ticked rows of the tables."""

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.frame.picker import References

PASTED = 400_000


class PasteForm(forms.Form):
    """`picked`: which of several candidates a line means."""

    pasted = forms.CharField(
        label=_("One object ID, user principal name, mail address or group name per line"),
        help_text=_("Up to 5,000 lines. Empty lines and repeated ones do not matter."),
        max_length=PASTED,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": _("Paste at least one line.")},
    )
    picked = References(required=False)


class TickedForm(forms.Form):
    ticked = References(required=False)

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Object type and object id."""
        pairs = (one.partition(":") for one in self.cleaned_data.get("ticked", []))
        return [(object_type, object_id) for object_type, _colon, object_id in pairs]
