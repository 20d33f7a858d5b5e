"""Which tenants the list shows; a new one."""

from urllib.parse import urlencode

from django import forms
from django.core.validators import RegexValidator, validate_slug
from django.utils.translation import gettext_lazy as _

from portal.pages.tenants.rows import STATES, TenantRow
from portal.words.time_zones import time_zones
from sync.models import Tenant
from sync.tenants.services import free_slug, name_is_taken


class ListForm(forms.Form):
    """What is not valid counts as not said. `state`: of provisioning."""

    q = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(required=False, choices=[(state, state) for state in STATES])

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("q", "")).strip()

    @property
    def state_chosen(self) -> str:
        return str(self.cleaned_data.get("state", ""))

    def shows(self, row: TenantRow) -> bool:
        names = (row.tenant.name, row.tenant.slug, row.tenant.entra.directory_id)
        wanted = self.text.casefold()
        return self.state_chosen in ("", row.word) and any(wanted in name.casefold() for name in names)

    def link(self, state: str) -> str:
        """To the tenants in that state, or to all again."""
        query = {"stay": "1", "q": self.text, "state": "" if state == self.state_chosen else state}
        return "?" + urlencode({name: value for name, value in query.items() if value})


class TenantForm(forms.Form):
    # In the subject of a mail, too: one line.
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        validators=[RegexValidator(r"[\x00-\x1f\x7f-\x9f]", _("A name has one line."), inverse_match=True)],
        help_text=_("One Entra directory with one Identity Center."),
    )
    slug = forms.CharField(
        label=_("Short name in addresses"),
        max_length=60,
        required=False,
        validators=[validate_slug],
        help_text=_("Lower case letters, digits and hyphens. Empty: made from the name."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name_is_taken(name):
            raise forms.ValidationError(_("A tenant has this name already. Choose another one."))
        return name

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip().lower() or free_slug(self.cleaned_data.get("name", ""))
        if slug == "new" or Tenant.deleted_too.filter(slug=slug).exists():
            raise forms.ValidationError(_("This short name is taken. Choose another one."))
        return slug
