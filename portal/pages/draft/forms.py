"""What a person says when publishing: why, and which checks they have seen."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CommentForm(forms.Form):
    comment = forms.CharField(
        label=_("Why?"),
        help_text=_("Goes into the audit log."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class Codes(forms.MultipleChoiceField):
    """What was ticked on an older page may be no check of this one: that is no error."""

    def valid_value(self, value: object) -> bool:
        return True


class PublishForm(CommentForm):
    """`seen`: codes of the checks that were ticked."""

    seen = Codes(required=False)
