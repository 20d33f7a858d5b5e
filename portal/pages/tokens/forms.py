"""What a new token is called, may do and where, and how long it lasts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from portal.access.api_tokens import offered_to
from portal.access.rights import visible_tenants
from portal.models import Scope, User
from sync.models import Tenant

DAYS = (7, 30, 90, 180, 365)


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What uses it, and where: nightly report on build-3.")
    )
    tenant = forms.ModelChoiceField(
        Tenant.objects.none(), label=_("For"), required=False, empty_label=_("All tenants that I see")
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": _("Tick at least one.")}
    )
    days = forms.TypedChoiceField(
        label=_("Ends after"),
        coerce=int,
        initial=90,
        choices=[(n, ngettext_lazy("%(n)s day", "%(n)s days", n) % {"n": n}) for n in DAYS],
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant, scopes = self.fields["tenant"], self.fields["scopes"]
        assert isinstance(tenant, forms.ModelChoiceField)
        assert isinstance(scopes, forms.MultipleChoiceField)
        tenant.queryset = visible_tenants(user).order_by("name")
        scopes.choices = [(scope.value, scope.label) for scope in offered_to(user)]
        scopes.initial = [Scope.READ.value]
