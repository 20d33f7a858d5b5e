"""The first Owner, one's own settings and password. Signing in and out is django-allauth's."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from portal.access import first_run as code
from portal.access import sessions, users
from portal.access.languages import speak
from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest as SignedInRequest
from portal.frame.render import redirect_to, render_page
from portal.models import User
from portal.pages.accounts.forms import ChangePasswordForm, ChoosePasswordForm, FirstRunForm, MeForm
from sync import audit


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
        login(request, user)
        record_authentication(request, user, "password", email=user.email)
        messages.success(request, _("Welcome. You are the first Owner."))
        return redirect("tenant_new")
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/first_run.html", {"form": form}, status=status)


class ChoosePassword(PasswordResetConfirmView):
    """What the one-time link of an invitation or a reset opens. Django takes the token out of the address at once."""

    template_name = "accounts/choose_password.html"
    form_class: Any = ChoosePasswordForm
    success_url = reverse_lazy("account_login")

    def get_user(self, uidb64: str) -> Any:
        user: Any = super().get_user(uidb64)
        return user if user and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        users.choose_password(user=form.user, password=form.cleaned_data["password"])
        del self.request.session["_password_reset_token"]
        messages.success(self.request, _("Your password is saved. Sign in with it."))
        return redirect(self.get_success_url())

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        good = context["validlink"] and not context["form"].errors
        return super().render_to_response(context, status=200 if good else 422, **kwargs)


@site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
def password(request: SignedInRequest) -> HttpResponse:
    """One's own; a first password is changed here before any other page opens."""
    user = request.user
    form = ChangePasswordForm(user, lambda text: _is_password_of(request, user, text), request.POST or None)
    if request.method == "POST" and form.is_valid():
        revoke = form.cleaned_data.get("revoke_tokens", False)
        users.choose_password(user=user, password=form.cleaned_data["password"], revoke_tokens=revoke)
        update_session_auth_hash(request, user)
        sessions.see(request, user)
        messages.success(request, _("Your password is changed. Everywhere else you were signed out."))
        if user.tokens.exists():
            messages.info(request, _("Your API tokens work as before."))
        return redirect_to(request, get_next_redirect_url(request) or "me")
    return render_page(request, "accounts/password.html", {"form": form}, status=422 if form.errors else 200)


def _is_password_of(request: HttpRequest, user: User, text: str) -> bool:
    """Counted with the missed sign-ins, so that an open session is no way to try passwords."""
    found = get_adapter(request).authenticate(request, email=user.email, password=text)
    return found is not None and found.pk == user.pk


@site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
def me(request: SignedInRequest) -> HttpResponse:
    form = MeForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            audit.record(request.user.email, "user.save_own", request.user, None, dict(form.cleaned_data))
        speak(request)
        messages.success(request, _("Saved."))
        return redirect_to(request, "me")
    return render_page(request, "accounts/me.html", {"form": form}, status=422 if form.errors else 200)
