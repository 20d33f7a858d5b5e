"""When which credential ends, of all tenants that somebody may see."""

from django.http import HttpResponse
from django.utils import timezone

from portal.access.pages import Audience, site_page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest
from portal.access.rights import visible_tenants
from portal.frame.render import render_page
from portal.pages.credentials.calendar_file import calendar
from sync import audit
from sync.connection.endings import CredentialEnd, credential_ends


@site_page(read=Audience.SIGNED_IN)
def credentials(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    rows = [{"end": end, "days": end.days_left(today)} for end in _ends(request)]
    return render_page(request, "credentials/list.html", {"rows": rows})


@site_page(read=Audience.SIGNED_IN)
def credentials_file(request: HttpRequest) -> HttpResponse:
    """RFC 5545, for a calendar to take in."""
    begin_export(request)
    audit.record(request.user.email, "credentials.export", None)
    response = HttpResponse(calendar(_ends(request), timezone.now()), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="lockstep-credentials.ics"'
    return response


def _ends(request: HttpRequest) -> list[CredentialEnd]:
    tenants = visible_tenants(request.user).select_related("entra", "aws").prefetch_related("second_credentials")
    return credential_ends(tenants.distinct())
