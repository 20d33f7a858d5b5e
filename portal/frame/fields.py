"""Form fields with many values under one name; what is not one is left out."""

from typing import Any

from django import forms

from portal.access.request import whole_number
from sync.directory.live import is_guid


class Numbers(forms.Field):
    """Row ids."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[int]:
        numbers = (whole_number(str(one)) for one in dict.fromkeys(value or []))
        return [one for one in numbers if one is not None]


class ObjectIds(forms.Field):
    """Ids of Entra, in lower case as Graph writes them."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(one).lower() for one in dict.fromkeys(value or []) if is_guid(str(one))]
