"""Who may do what: without the right there is no tenant to work on."""

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from portal.access.roles import RIGHTS, Right, lowest_role_with
from portal.models import Role, User
from sync.models import Tenant


def role_of(user: User, tenant: Tenant) -> Role | None:
    """The role for this tenant, else the one for all tenants; an Owner is one everywhere."""
    if user.roles.get(None) is Role.OWNER:
        return Role.OWNER
    return user.roles.get(tenant.pk) or user.roles.get(None)


def rights_of(user: User, tenant: Tenant) -> frozenset[Right]:
    role = role_of(user, tenant)
    return RIGHTS[role] if role else frozenset()


def can(user: User, tenant: Tenant, right: Right) -> bool:
    return right in rights_of(user, tenant)


def visible_tenants(user: User) -> QuerySet[Tenant]:
    return Tenant.objects.all() if None in user.roles else Tenant.objects.filter(pk__in=list(user.roles))


def can_everywhere(user: User, right: Right) -> bool:
    """By the role for all tenants."""
    role = user.roles.get(None)
    return role is not None and right in RIGHTS[role]


def require_everywhere(user: User, right: Right) -> None:
    if not can_everywhere(user, right):
        role = lowest_role_with(right).label
        raise PermissionDenied(_("This needs the %(role)s role for all tenants.") % {"role": role})


def tenant_for(user: User, slug: str, right: Right) -> Tenant:
    """404 when the tenant is unknown or not for this person, 403 with the missing role when the right lacks."""
    tenant = Tenant.objects.select_related("entra", "aws").filter(slug=slug).first()
    rights = rights_of(user, tenant) if tenant else frozenset()
    if tenant is None or Right.READ not in rights:
        raise Http404(_("There is no such tenant, or it is not yours to see."))
    if right not in rights:
        role = lowest_role_with(right).label
        raise PermissionDenied(
            _("You can view %(tenant)s. This needs the %(role)s role.") % {"tenant": tenant.name, "role": role}
        )
    return tenant
