"""An edit whose page showed a draft that is gone."""

from django.contrib import messages
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest, whole_number
from sync.configuration import drafts
from sync.models import Tenant

# Parts of a tenant's site whose forms edit the draft; mappings ask back themselves.
EDITING = ("scope", "assignments", "groups")
ONLY_LOOK = ("scope_counts",)


def edits_the_draft(request: HttpRequest) -> bool:
    """By the address: /t/<slug>/<part>/…"""
    if request.resolver_match and request.resolver_match.url_name in ONLY_LOOK:
        return False
    return request.path.split("/")[3:4] in [[part] for part in EDITING]


def tell_of_another_draft(request: HttpRequest, tenant: Tenant) -> None:
    """An edit is safe although the draft that its page showed is gone: it lands in a new one, and the page says so."""
    seen = whole_number(request.POST.get("draft", ""))
    gone = None if seen is None else drafts.gone_since(tenant, seen)
    if gone is None:
        return
    if gone.version is None:
        messages.warning(
            request, _("The draft was discarded while you were editing. Your changes are safe, in a new draft.")
        )
        return
    facts = {"who": gone.version.published_by or _("Somebody"), "n": gone.version.number}
    said = _("%(who)s published version %(n)s while you were editing. Your changes are safe, in a new draft. ")
    messages.warning(request, said % facts + _("Compare and carry on."))
