"""An edit whose page showed a draft that is gone."""

from django.contrib import messages
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest, whole_number
from sync.configuration import drafts
from sync.models import Tenant


def warn_of_another_draft(request: HttpRequest, tenant: Tenant) -> None:
    """The edit is safe: it lands in a new draft, and the page says so."""
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
    message = _("%(who)s published version %(n)s while you were editing. Your changes are safe, in a new draft. ")
    messages.warning(request, message % facts + _("Compare and carry on."))
