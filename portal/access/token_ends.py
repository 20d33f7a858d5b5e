"""The end of an API token: its person gets a mail on the days on which the end of a credential is told, none twice."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.rights import visible_tenants
from portal.models import ApiToken
from sync.models import Tenant
from sync.notifications import services as notifications
from sync.problems.languages import language_of, moment


def tell_of_ends(now: datetime) -> None:
    """Called every hour. What has ended is not told any more: whoever used it has noticed."""
    for token in ApiToken.objects.filter(ends_at__gt=now, user__is_active=True).select_related("user", "tenant"):
        days = (token.ends_at.date() - now.date()).days
        step = notifications.step_before_an_end(days)
        if step is not None and step != token.told_days and (tenant := token.tenant or _any_tenant_of(token)):
            _tell(token, tenant, days, step)


def _any_tenant_of(token: ApiToken) -> Tenant | None:
    """Every message belongs to one."""
    return visible_tenants(token.user).order_by("pk").first()


@transaction.atomic
def _tell(token: ApiToken, tenant: Tenant, days: int, step: int) -> None:
    """Of two processes one changes the row."""
    if not ApiToken.objects.filter(pk=token.pk, told_days=token.told_days).update(told_days=step):
        return
    at = token.ends_at.astimezone(ZoneInfo(token.user.time_zone))
    with language_of(token.user.email):
        when = {"when": moment(at), "zone": at.tzname()}
        paragraphs = [
            _("It ends on %(when)s (%(zone)s); what uses it stops working then. Make another one in time:") % when,
            settings.PUBLIC_URL + reverse("tokens"),
        ]
        subject = _subject(token, days)
    notifications.write_to(tenant=tenant, person=token.user.email, subject=subject, paragraphs=paragraphs)


def _subject(token: ApiToken, days: int) -> str:
    words = ngettext("ends in %(n)s day", "ends in %(n)s days", days) % {"n": days} if days else _("ends today")
    return f"[Lockstep] {_('Your API token')} “{token.name}” {words}"
