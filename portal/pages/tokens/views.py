"""One's own API tokens: making one, which is shown once, and revoking. Owners see and revoke everybody's."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from portal.access import api_tokens
from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.access.rights import can_everywhere
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.tokens.forms import TokenForm

own = site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN, step_up=StepUp.TO_ACT)


@site_page(read=Audience.SIGNED_IN)
def tokens(request: HttpRequest) -> HttpResponse:
    context = {
        "tokens": api_tokens.visible_to(request.user),
        "all": can_everywhere(request.user, Right.OWN),
        "may_make": bool(api_tokens.offered_to(request.user)),
    }
    return render_page(request, "tokens/list.html", context)


@own
def token_new(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render_page(request, "tokens/new.html", {"form": form}, status=422 if form.errors else 200)
    token, text = api_tokens.make_token(user=request.user, **form.cleaned_data)
    # The text is on this answer alone: the server could not show it again.
    return render_page(request, "tokens/made.html", {"token": token, "text": text})


@own
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(api_tokens.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return render_question(request, "tokens/revoke.html", _("Revoke this token?"), {"token": token})
    api_tokens.revoke_token(token=token, actor=request.user.email)
    messages.success(request, _("%(name)s works no longer.") % {"name": token})
    return redirect_to(request, "tokens")
