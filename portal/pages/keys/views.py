"""Which stored secrets hang on which key of SEAL_KEYS: what can go from the ring, and what is missing in it."""

from django.http import HttpResponse, HttpResponseNotAllowed

from portal.access.pages import signed_in
from portal.access.request import HttpRequest
from portal.access.rights import require_owner
from portal.frame.render import render_page
from sync.connection import rotation


@signed_in
def keys(request: HttpRequest) -> HttpResponse:
    require_owner(request)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    uses = rotation.key_uses()
    left = any(use.rows for use in uses if not use.seals)
    return render_page(request, "keys/list.html", {"uses": uses, "left": left})
