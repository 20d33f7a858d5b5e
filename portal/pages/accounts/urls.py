"""Addresses of signing in and of one's own account; django-allauth's views and templates call them by its names."""

from typing import Any

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.totp import views as totp
from django.urls import include, path

from portal.access.pages import Audience, View, site_page
from portal.pages.accounts import microsoft, passkeys, security, views

for_anybody = site_page(read=Audience.ANYBODY, act=Audience.ANYBODY)
for_anybody_to_read = site_page(read=Audience.ANYBODY)
own = site_page(read=Audience.SIGNED_IN, act=Audience.SIGNED_IN)
own_to_read = site_page(read=Audience.SIGNED_IN)


def shown_as(view: Any, template: str) -> View:
    """A view of allauth's in a template of ours."""
    shown: View = view.as_view(template_name=f"accounts/{template}.html")
    return shown


sign_in = [
    path("", for_anybody(allauth.login), name="account_login"),
    path("verify/", for_anybody(shown_as(mfa.AuthenticateView, "second_step")), name="mfa_authenticate"),
    path("passkey/", for_anybody(passkeys.SignIn.as_view()), name="mfa_login_webauthn"),
    path("microsoft/", for_anybody_to_read(microsoft.start), name="microsoft_start"),
    path("microsoft/answer/", for_anybody_to_read(microsoft.answer), name="microsoft_answer"),
    path("unsent/", security.what_was_unsent, name="unsent"),
    path("again/", own(shown_as(allauth.ReauthenticateView, "again_password")), name="account_reauthenticate"),
    path("again/passkey/", own(passkeys.Again.as_view()), name="mfa_reauthenticate_webauthn"),
    path("again/code/", own(shown_as(mfa.ReauthenticateView, "again_code")), name="mfa_reauthenticate"),
]
me = [
    path("", views.me, name="me"),
    path("password/", views.password, name="password"),
    path("security/", security.overview, name="mfa_index"),
    path("session/", security.session, name="session"),
    path("security/sessions/end/", security.sessions_end, name="sessions_end"),
    path("security/sessions/<int:pk>/end/", security.session_end, name="session_end"),
    path("security/passkeys/add/", own(passkeys.Add.as_view()), name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/remove/", own(passkeys.Remove.as_view()), name="mfa_remove_webauthn"),
    path("security/app/", own(shown_as(totp.ActivateTOTPView, "app")), name="mfa_activate_totp"),
    path("security/app/remove/", own(shown_as(totp.DeactivateTOTPView, "app_remove")), name="mfa_deactivate_totp"),
    path("security/codes/", own_to_read(security.Codes.as_view()), name="mfa_view_recovery_codes"),
    path(
        "security/codes/new/",
        own(security.NewCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
]
urlpatterns = [
    path("sign-in/", include(sign_in)),
    path("sign-out/", for_anybody(allauth.logout), name="account_logout"),
    # Accounts are made by an Owner only.
    path("accounts/signup/", for_anybody(views.closed), name="account_signup"),
    path("accounts/reset/", for_anybody(views.closed), name="account_reset_password"),
    path("accounts/inactive/", for_anybody(allauth.account_inactive), name="account_inactive"),
    path("first-run/", for_anybody(views.first_run), name="first_run"),
    path("password/<uidb64>/<token>/", for_anybody(views.ChoosePassword.as_view()), name="choose_password"),
    path("me/", include(me)),
]
