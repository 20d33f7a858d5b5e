"""Whom to invite, and which role to give where."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.models import Role, User
from sync.models import Tenant


class RoleForm(forms.Form):
    tenant = forms.ModelChoiceField(
        Tenant.objects.order_by("name"), label=_("For"), required=False, empty_label=_("All tenants")
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("role") == Role.OWNER and cleaned.get("tenant"):
            self.add_error("role", _("An Owner is one for all tenants."))
        return cleaned

    @property
    def role_chosen(self) -> Role:
        return Role(self.cleaned_data["role"])


class InviteForm(RoleForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=200)
    field_order = ("name", "email", "tenant", "role")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Somebody signs in with this address already."))
        return email
