from django import forms
from django.core.validators import RegexValidator, validate_slug
from django.utils.translation import gettext_lazy as _

from portal.words.time_zones import time_zones
from sync.models import Tenant
from sync.tenants.services import free_slug, name_is_taken


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
