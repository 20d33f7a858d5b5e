"""Pages for what went wrong: what happened, what is still safe, what to do; a reference, no stack."""

import sys

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.access.request import is_api
from portal.access.rights import visible_tenants
from portal.frame import problem
from portal.frame.around import TenantFrame
from portal.models import User
from sync.runs.outages import explained


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    if is_api(request):
        return problem.of_status(request, status)
    return render(request, "frame/error.html", {"title": title, "text": text}, status=status)


def _page_inside(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Within the frame, for whoever is signed in: where the person was, and every way on from there."""
    user = getattr(request, "user", None)
    if is_api(request) or not isinstance(user, User) or not user.is_active:
        return _page(request, status, title, text)
    facts = request.resolver_match.kwargs if request.resolver_match else {}
    tenant = visible_tenants(user).filter(slug=facts.get("slug")).first()
    frame = {"frame": TenantFrame(request, tenant)} if tenant else {}
    context = {"title": title, "text": text, "tenant": tenant, **frame}
    return render(request, "frame/error_inside.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        400,
        _("This request cannot be read"),
        _(
            "It holds a character that cannot be stored, too many fields, or a part that is broken. "
            "Nothing was saved. Go back, type it again and send less at once."
        ),
    )


def too_large(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        413,
        _("This is too large"),
        _("A form may have 1 MB, and a configuration file 5 MB. Nothing was saved. Go back and send less at once."),
    )


def length_required(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        411,
        _("The size of this request is not known"),
        _(
            "It came without a Content-Length, which browsers always send. Nothing was saved. "
            "A proxy in between has to wait for the whole request before it passes it on."
        ),
    )


def too_often(request: HttpRequest, wait: int) -> HttpResponse:
    response = _page(
        request,
        429,
        _("This was asked too often"),
        _("Wait %(n)s seconds, then try again. Nothing was changed.") % {"n": wait},
    )
    response["Retry-After"] = str(wait)
    return response


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = str(exception) or _("You can view this. Changing it needs another role.")
    return _page_inside(request, 403, _("You cannot do this"), f"{text} {_owners(request)}".strip())


def _owners(request: HttpRequest) -> str:
    """Whom to ask, for people with a role: an account without any learns no names."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not visible_tenants(user).exists():
        return ""
    owners = User.objects.filter(grants__role="owner", is_active=True).distinct()[:5]
    return _("Owners: %(names)s.") % {"names": ", ".join(str(owner) for owner in owners)}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page_inside(
        request,
        404,
        _("There is nothing here"),
        _("The address may be old or mistyped, or it belongs to a tenant that is not yours to see."),
    )


def not_allowed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """In place of Django's answer without a body; RFC 9110 section 15.5.6 asks for Allow."""
    found = _page_inside(
        request,
        405,
        _("This address cannot be opened"),
        _("It belongs to a button or a form. Nothing was changed. Go on from the page that has the button."),
    )
    found["Allow"] = response["Allow"]
    return found


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        _("This form is too old"),
        _("You were signed out, or the page was open for too long. Nothing was saved. Go back, reload and try again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    if explained(sys.exc_info()[1]):
        return _no_database(request)
    return _page(
        request,
        500,
        _("This page did not work"),
        _("The error is ours and was written to the log. Syncs go on running. Try again in a minute."),
    )


def _no_database(request: HttpRequest) -> HttpResponse:
    """Who is signed in stands in the database: nobody, for this page."""
    request.user = AnonymousUser()
    response = _page(
        request,
        503,
        _("The database does not answer"),
        _(
            "It is away for a moment, or is being brought to a new version. Syncs go on by themselves afterwards. Try again in "
            "a minute; if you sent something, look first whether it was saved."
        ),
    )
    response["Retry-After"] = "60"
    return response
