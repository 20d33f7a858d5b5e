"""What sync asks about people, by e-mail address: who can be the second person, and which language somebody reads."""

from django.db.models import Q

from portal.access.rights import can
from portal.access.roles import Right
from portal.models import Role, User
from sync.models import Tenant


def approvers_of(tenant: Tenant) -> list[str]:
    """Whoever was invited and never signed in would keep a request waiting for ever."""
    granted = User.objects.filter(Q(grants__tenant=tenant) | Q(grants__tenant=None), is_active=True)
    found = granted.exclude(last_login=None).distinct().order_by("email")
    return [user.email for user in found if can(user, tenant, Right.APPROVE)]


def may_configure(tenant: Tenant, email: str) -> bool:
    """Whether the person could ask for it today."""
    user = User.objects.filter(email=email, is_active=True).first()
    return user is not None and (can(user, tenant, Right.CONFIGURE) or can(user, tenant, Right.APPROVE))


def owners() -> list[str]:
    found = User.objects.filter(grants__role=Role.OWNER, grants__tenant=None, is_active=True)
    return list(found.order_by("email").values_list("email", flat=True))


def language_of(email: str) -> str:
    """What the person with this address chose under *My settings*; "" for everybody else."""
    return User.objects.filter(email__iexact=email).values_list("language", flat=True).first() or ""
