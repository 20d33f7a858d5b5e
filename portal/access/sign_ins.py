"""Signing in and out in the audit log, and what was refused (ASVS 5.0, V16.3.1 and V16.3.2). Receivers and one middleware hook.

Whoever is nobody here is not named: what stands in the field of the name may be a password.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from portal.access.rights import visible_tenants
from portal.models import User
from sync import audit, context
from sync.models import Tenant

# allauth's code of the error while the limit on missed sign-ins is reached.
TOO_MANY = "too_many_login_attempts"
# Seconds for which the same refusal, or the same lock, is one entry.
SAME = 60


@receiver(user_logged_in)
def on_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    given = [record.get("type") or record["method"] for record in get_authentication_records(request, user)]
    audit.record(user.email, "sign_in", user, None, {"with": given})


@receiver(user_logged_out)
def on_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(user.email, "sign_out", user)


@receiver(user_login_failed)
def on_failure(credentials: dict[str, Any], **_: Any) -> None:
    note_failure(account_of(str(credentials.get("email", ""))), "password")


@receiver(authenticator_used)
def on_again(user: User, authenticator: Authenticator, reauthenticated: bool, **_: Any) -> None:
    """A second factor in a session that is open already."""
    if reauthenticated:
        audit.record(user.email, "sign_in.again", user, None, {"with": str(authenticator.type)})


def note_failure(user: User | None, factor: str) -> None:
    audit.record(user.email if user else "", "sign_in.fail", user, None, {"with": factor})


def note_failed_passkey(user: User | None, error: ValidationError) -> None:
    """It was wrong, or not looked at since there were too many."""
    if error.code == TOO_MANY:
        note_lock(user.email if user else "")
    else:
        note_failure(user, str(Authenticator.Type.WEBAUTHN))


def note_refused_token() -> None:
    """None of ours, ended or revoked; what was sent is not kept. Again and again is one entry."""
    if _first("token"):
        audit.record("", "sign_in.fail", None, None, {"with": "token"})


def note_lock(email: str) -> None:
    """Too many failures: the next tries are not looked at. One entry for all of them."""
    user = account_of(email)
    if _first(f"lock:{user.pk if user else ''}"):
        audit.record(user.email if user else "", "sign_in.lock", user)


def account_of(email: str) -> User | None:
    return User.objects.filter(email__iexact=email.strip()[:254]).first()


def note_refusal(request: HttpRequest, response: HttpResponse) -> None:
    """What somebody who signed in was not allowed to do, or another's tenant; pressing again and again is one entry."""
    user, page = request.user, request.resolver_match
    if response.status_code not in (403, 404, 429) or not isinstance(user, User):
        return
    tenant = Tenant.objects.filter(slug=page.kwargs.get("slug")).first() if page else None
    if response.status_code == 404 and (tenant is None or visible_tenants(user).filter(pk=tenant.pk).exists()):
        return
    name = page.url_name if page else ""
    if _first(f"refusal:{user.pk}:{tenant.pk if tenant else ''}:{name}:{request.method}:{response.status_code}"):
        facts = {"page": name, "method": request.method, "status": response.status_code}
        audit.record(user.email, "request.refuse", tenant, None, facts)


def _first(what: str) -> bool:
    """Within SAME seconds, from this address."""
    return bool(cache.add(f"audit:{what}:{context.current().get('address', '')}", 1, SAME))
