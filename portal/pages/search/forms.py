"""What is looked for, and from which tenant's page."""

from django import forms


class SearchForm(forms.Form):
    """What is not valid counts as not said."""

    q = forms.CharField(required=False, max_length=100)
    # A tenant's short name: its results come first, and its pages are found.
    here = forms.CharField(required=False, max_length=60)

    @property
    def text(self) -> str:
        return " ".join(str(self.cleaned_data.get("q", "")).split())
