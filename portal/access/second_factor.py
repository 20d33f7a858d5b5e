"""The second factor: who needs one, who has one, and whether this session gave it."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.db.models import OuterRef, QuerySet
from django.dispatch import receiver
from django.http import HttpRequest

from portal.models import Role, RoleGrant, User
from sync import audit

# Recovery codes stand in for one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_needed_by(user: User) -> bool:
    """By every role that may do more than read."""
    return RoleGrant.objects.filter(user=user).exclude(role=Role.VIEWER).exists()


def of(user: User | OuterRef) -> "QuerySet[Authenticator]":
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=FACTORS)
    return found


def has_one(user: User) -> bool:
    """At this moment; of whoever asks for a page `has_second_factor` is at hand."""
    return of(user).exists()


def was_given(request: HttpRequest, user: User) -> bool:
    """In this session, to us while there is one, or to Microsoft. `user`: whoever asks for the page."""
    given = [record for record in get_authentication_records(request, user) if record["method"] == "mfa"]
    return any(record.get("type") == "microsoft" for record in given) or (bool(given) and user.has_second_factor)


@receiver(authenticator_added)
def on_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """Setting it up has shown that the person holds it."""
    if authenticator.type in FACTORS:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    audit.record(user.email, "user.second_factor_add", user, None, {"type": authenticator.type})


@receiver(authenticator_removed)
def on_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(user.email, "user.second_factor_remove", user, {"type": authenticator.type}, {})


@receiver(authenticator_reset)
def on_reset(user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(user.email, "user.second_factor_renew", user, None, {"type": authenticator.type})
