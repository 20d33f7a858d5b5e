"""The first Owner, and one's own settings. Signing in and out is django-allauth's."""

from django.contrib import messages
from django.contrib.auth import login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.access import first_run as code
from portal.access.pages import signed_in
from portal.access.request import HttpRequest as SignedInRequest
from portal.frame.render import redirect_to, render_page
from portal.pages.accounts.forms import FirstRunForm, MeForm
from sync import audit

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def closed(request: HttpRequest) -> HttpResponse:
    """Accounts are made by an Owner, never by a visitor."""
    raise Http404


def first_run(request: HttpRequest) -> HttpResponse:
    """Exists only while nobody is Owner; asks for the code that the server's terminal shows."""
    if not code.needed():
        raise Http404
    form = FirstRunForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = code.make_owner(**form.owner())
        login(request, user, backend=BACKEND)
        messages.success(request, _("Welcome. You are the first Owner."))
        return redirect("tenant_new")
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/first_run.html", {"form": form}, status=status)


@signed_in
def me(request: SignedInRequest) -> HttpResponse:
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            audit.record(request.user.email, "user.save_own", request.user, None, dict(form.cleaned_data))
        messages.success(request, _("Saved."))
        return redirect_to(request, "me")
    return render_page(request, "accounts/me.html", {"form": form}, status=422 if form.errors else 200)
