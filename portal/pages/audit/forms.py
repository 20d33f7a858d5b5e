"""Filters of the audit log. The URL is the saved view: every field is a query parameter."""

import datetime

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.words.audit import ACTIONS, REFUSED
from sync.models import AuditEntry

SINCE = {"1": _("Last hour"), "24": _("Last 24 hours"), "168": _("Last 7 days"), "720": _("Last 30 days")}
SEARCHED = ("actor", "object_name", "object_id", "address", "request_id")
# Choices that stand for more than one action.
KINDS = {"refused": (_("Failures and refusals"), REFUSED)}


class AuditFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Person, object, address or reference")}),
    )
    since = forms.ChoiceField(label=_("Time"), choices=[("", _("Any time")), *SINCE.items()], required=False)
    actor = forms.CharField(label=_("Person"), required=False, max_length=254)
    action = forms.ChoiceField(
        label=_("Action"),
        choices=[("", _("Any")), *((kind, words) for kind, (words, _verbs) in KINDS.items()), *ACTIONS.items()],
        required=False,
    )
    address = forms.CharField(label=_("From"), required=False, max_length=200)

    def chosen(self) -> dict[str, str]:
        """Valid filters that were set; a broken value counts as not set, and its field says so."""
        self.is_valid()
        return {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}

    def apply(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        chosen = self.chosen()
        if text := chosen.get("q"):
            found = Q()
            for name in SEARCHED:
                found |= Q(**{f"{name}__icontains": text})
            entries = entries.filter(found)
        if hours := chosen.get("since"):
            entries = entries.filter(at__gte=timezone.now() - datetime.timedelta(hours=int(hours)))
        if action := chosen.get("action"):
            entries = entries.filter(verb__in=KINDS[action][1] if action in KINDS else [action])
        exact = {name: chosen[name] for name in ("actor", "address") if name in chosen}
        return entries.filter(**{f"{name}__iexact": value for name, value in exact.items()})

    def words(self, name: str) -> str:
        """The chosen value in words, for its chip."""
        value = self.chosen().get(name, "")
        return str(dict(getattr(self.fields[name], "choices", [])).get(value, value))
