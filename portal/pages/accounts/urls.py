from allauth.account import views as allauth
from django.urls import path

from portal.pages.accounts import views

urlpatterns = [
    path("sign-in/", allauth.LoginView.as_view(), name="account_login"),
    path("sign-out/", allauth.LogoutView.as_view(), name="account_logout"),
    # allauth's templates and views name these; accounts are made by an Owner only.
    path("accounts/signup/", views.closed, name="account_signup"),
    path("accounts/inactive/", allauth.AccountInactiveView.as_view(), name="account_inactive"),
    path("accounts/reset/", views.closed, name="account_reset_password"),
    path("first-run/", views.first_run, name="first_run"),
    path("me/", views.me, name="me"),
]
