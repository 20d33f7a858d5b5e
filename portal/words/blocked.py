"""What keeps everything of a tenant from being written, in a sentence."""

from django.utils.translation import gettext as _

from portal.words.provisioning import Provisioning
from sync.models import Tenant


def blocked_words(tenant: Tenant, state: Provisioning) -> str:
    """ "" when nothing does."""
    if state.word == "off":
        return _("Provisioning is off.")
    if state.word == "quarantined":
        reason = state.problem.title if state.problem else tenant.quarantine_code
        return _("Provisioning is quarantined: %(reason)s.") % {"reason": reason}
    if state.plan:
        return _("The plan of the next run waits for an approval.")
    if state.shrunken:
        return _("The reading of Entra waits for an approval.")
    return ""
