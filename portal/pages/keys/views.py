"""Which stored secrets hang on which key of SEAL_KEYS: what can go from the ring, and what is missing in it."""

from django.http import HttpResponse

from portal.access.pages import site_page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import render_page
from sync.connection import rotation


@site_page(read=Right.OWN)
def keys(request: HttpRequest) -> HttpResponse:
    uses = rotation.key_uses()
    left = any(use.rows for use in uses if not use.seals)
    return render_page(request, "keys/list.html", {"uses": uses, "left": left})
