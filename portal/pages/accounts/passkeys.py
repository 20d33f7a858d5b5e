"""Passkeys: the browser and the authenticator do the work, django-allauth checks it."""

from typing import Any

from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms, views
from allauth.mfa.webauthn.internal import auth, flows
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from portal.access.passkey_forms import CredentialField, refused_in_words


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]
    """Every passkey can sign in by itself: there is nothing to choose."""

    name = django_forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("To tell it from others: the device or the place that keeps it."),
    )
    passwordless = None
    credential = CredentialField()

    def clean(self) -> dict[str, Any]:
        with refused_in_words():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class Add(views.AddWebAuthnView):  # type: ignore[misc]
    template_name = "accounts/passkey_add.html"
    form_class = AddForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # Kept by the authenticator (discoverable), so that it needs no e-mail address to sign in.
        context["options"] = auth.begin_registration(self.request.user, True)
        return context


class SignIn(views.LoginWebAuthnView):  # type: ignore[misc]
    """A GET of the script gives what the browser has to sign; the form brings it back."""

    def form_valid(self, form: Any) -> HttpResponse:
        authenticator = form.cleaned_data["credential"]
        login = Login(user=authenticator.user, redirect_url=get_next_redirect_url(self.request))
        answer: HttpResponse = flows.perform_passwordless_login(self.request, authenticator, login)
        return answer


class Again(views.ReauthenticateWebAuthnView):  # type: ignore[misc]
    template_name = "accounts/again_passkey.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return answer


class Remove(views.RemoveWebAuthnView):  # type: ignore[misc]
    template_name = "accounts/passkey_remove.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        authenticator: Authenticator = self.get_object()
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(authenticator):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        answer: HttpResponse = super().form_valid(form)
        return answer
