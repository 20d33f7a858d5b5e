"""What cannot be taken back asks for a name to be typed."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def ask_for(field: forms.Field, name: str) -> None:
    field.label = _("Type %(name)s to confirm") % {"name": name}


def require(typed: str, name: str) -> None:
    """In whatever letter case. Raises ValidationError."""
    if typed.casefold() != name.casefold():
        raise ValidationError(_("Type %(name)s to confirm.") % {"name": name})
