"""The people who sign in: their accounts, their roles, and that one Owner always stays."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from portal.access import api_tokens
from portal.access.sessions import end_sessions
from portal.models import Role, RoleGrant, User
from sync import audit
from sync.models import Tenant
from sync.notifications.services import mail_owners


class Refused(Exception):
    """Not possible now; the text says why."""


@transaction.atomic
def add_user(
    *, actor: str, email: str, role: Role, tenant: Tenant | None, name: str = "", password: str | None = None
) -> User:
    """A new account. Without a password the person chooses one by a link (`password_link`); with one it has an end."""
    user = User.objects.create_user(email, password, name=name, password_ends_at=first_password_end(password))
    audit.record(actor, "user.add", user, None, {"email": user.email, "name": user.name})
    give_role(actor=actor, user=user, role=role, tenant=tenant)
    return user


@transaction.atomic
def give_role(*, actor: str, user: User, role: Role, tenant: Tenant | None) -> None:
    """For one tenant or, without one, for all; it takes the place of the role that the person has there.

    Raises Refused when nobody would be Owner any more, and for an Owner of one tenant.
    """
    if role is Role.OWNER and tenant is not None:
        raise Refused(_("An Owner is one for all tenants."))
    if tenant is None and role is not Role.OWNER:
        _keep_an_owner(user)
    before = RoleGrant.objects.filter(user=user, tenant=tenant).first()
    if role is Role.OWNER and not is_owner(user):
        _tell_owners(_("%(who)s made %(person)s an Owner."), actor, user)
    if role is not Role.OWNER and tenant is None:
        _tell_of_owner(_("%(who)s took the role of Owner from %(person)s."), actor, user)
    RoleGrant.objects.update_or_create(user=user, tenant=tenant, defaults={"role": role})
    user.forget_roles()
    where = tenant.slug if tenant else None
    was = {"role": before.role if before else None, "tenant": where}
    audit.record(actor, "user.give_role", user, was, {"role": role.value, "tenant": where})


@transaction.atomic
def take_role(*, actor: str, user: User, tenant: Tenant | None) -> bool:
    """With the API tokens that could do nothing without it. False: there was none. Raises Refused when nobody would be Owner any more."""
    grant = RoleGrant.objects.filter(user=user, tenant=tenant).first()
    if grant is None:
        return False
    if grant.role == Role.OWNER:
        _keep_an_owner(user)
        _tell_of_owner(_("%(who)s took the role of Owner from %(person)s."), actor, user)
    grant.delete()
    user.forget_roles()
    audit.record(actor, "user.take_role", user, {"role": grant.role, "tenant": tenant.slug if tenant else None}, {})
    api_tokens.revoke_useless(user=user, actor=actor)
    return True


@transaction.atomic
def deactivate(*, actor: str, user: User) -> None:
    """Roles and second factor stay, for the day of *activate*; API tokens do not. Raises Refused for the last Owner."""
    _keep_an_owner(user)
    _tell_of_owner(_("%(who)s deactivated the account of the Owner %(person)s."), actor, user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user)
    audit.record(actor, "user.deactivate", user, {"active": True}, {"active": False})
    api_tokens.revoke_all(user=user, actor=actor)


@transaction.atomic
def activate(*, actor: str, user: User) -> None:
    user.is_active = True
    user.save(update_fields=["is_active"])
    _tell_of_owner(_("%(who)s activated the account of the Owner %(person)s."), actor, user)
    audit.record(actor, "user.activate", user, {"active": False}, {"active": True})


@transaction.atomic
def remove_user(*, actor: str, user: User) -> None:
    """The account with all that hangs on it, API tokens too; what the person did stays in the audit log. Raises Refused for the last Owner."""
    _keep_an_owner(user)
    _tell_of_owner(_("%(who)s removed the account of the Owner %(person)s."), actor, user)
    end_sessions(user)
    api_tokens.revoke_all(user=user, actor=actor)
    audit.record(actor, "user.remove", user, {"email": user.email, "name": user.name}, None)
    user.delete()


@transaction.atomic
def reset_password(*, actor: str, user: User, password: str | None = None) -> None:
    """The old one stops working at once, and every session and API token with it: whoever had it may have made some. Then as
    for a new account."""
    user.set_password(password)
    user.password_ends_at = first_password_end(password)
    user.save(update_fields=["password", "password_ends_at"])
    end_sessions(user)
    _tell_of_owner(_("%(who)s reset the password of the Owner %(person)s."), actor, user)
    audit.record(actor, "user.reset_password", user, None, {"password": "changed"})
    api_tokens.revoke_all(user=user, actor=actor)


@transaction.atomic
def reset_second_factor(*, actor: str, user: User) -> None:
    """For whoever lost it: the next sign-in sets up another one before any page opens."""
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    _tell_of_owner(_("%(who)s took the second factor of the Owner %(person)s away."), actor, user)
    audit.record(actor, "user.reset_second_factor", user)


@transaction.atomic
def choose_password(*, user: User, password: str, revoke_tokens: bool = False) -> None:
    """By the person: no end. Django ends all sessions that the old password began; API tokens stay unless the person says so."""
    user.set_password(password)
    user.password_ends_at = None
    user.save(update_fields=["password", "password_ends_at"])
    audit.record(user.email, "user.choose_password", user, None, {"password": "changed"})
    if revoke_tokens:
        api_tokens.revoke_all(user=user, actor=user.email)


def password_link(user: User) -> str:
    """Opens the page on which the person chooses a password: once, and for PASSWORD_RESET_TIMEOUT seconds."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return settings.PUBLIC_URL + reverse("choose_password", args=[key, default_token_generator.make_token(user)])


def link_end() -> datetime:
    """Of a link that is made now."""
    return timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


def first_password_end(password: str | None) -> datetime | None:
    return link_end() if password else None


def is_owner(user: User) -> bool:
    return RoleGrant.objects.filter(user=user, role=Role.OWNER, tenant=None).exists()


def _tell_of_owner(sentence: str, actor: str, user: User) -> None:
    """Whoever resets or replaces an Owner could then be the second person of what they ask for themselves: it is done, and
    no Owner misses it, least of all that one."""
    if is_owner(user):
        _tell_owners(sentence, actor, user)


def _tell_owners(sentence: str, actor: str, user: User) -> None:
    said = sentence % {"who": actor, "person": user.email}
    page = settings.PUBLIC_URL + reverse("users")
    mail_owners(said, [said, _("If nobody agreed on this, look at it now: %(page)s") % {"page": page}])


def _keep_an_owner(user: User) -> None:
    """Locks the Owners' grants, so that two Owners cannot remove each other at once."""
    owners = RoleGrant.objects.select_for_update().filter(role=Role.OWNER, tenant=None, user__is_active=True)
    holders = {grant.user_id for grant in owners}
    if holders == {user.pk}:
        raise Refused(_("%(name)s is the last Owner. Make somebody else Owner first.") % {"name": user})
