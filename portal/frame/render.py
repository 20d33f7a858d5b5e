"""Page or partial: the same view answers both."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

from portal.access.request import HttpRequest
from portal.frame.around import TenantFrame


def wants_partial(request: HttpRequest) -> bool:
    """A history restore is an htmx request too, but wants the whole page."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    partial: str | None = None,
    status: int = 200,
    edited: bool = True,
) -> HttpResponse:
    """`edited`: a POST that answers with a partial has changed the draft, so that the frame's bar comes along."""
    if "tenant" in context:
        context = context | {"frame": TenantFrame.of(request, context["tenant"])}
    name = f"{template}#{partial}" if partial and wants_partial(request) else template
    response = render(request, name, context, status=status)
    if name != template and request.method == "POST" and status == 200 and edited and "tenant" in context:
        # What was edited in place shows in the frame too.
        response.content += render_to_string("frame/_draft_bar.html#oob", context, request).encode()
    patch_vary_headers(response, ["HX-Request"])
    return response


def render_question(
    request: HttpRequest, template: str, question: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page that asks before something is done, or what the dialog of another page shows (partials/confirm.html)."""
    asked = {"question": question, "dialog": wants_partial(request)}
    return render_page(request, template, context | asked, status=status)


def redirect_to(request: HttpRequest, to: str, *args: Any) -> HttpResponse:
    """Under htmx the browser itself must go: a plain 302 would be followed unseen."""
    url = resolve_url(to, *args)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
