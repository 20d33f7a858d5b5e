"""Who may do what. A view begins here: without the right there is no tenant to work on."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http import HttpRequest as DjangoHttpRequest
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest, whole_number
from portal.access.roles import RIGHTS, Right, Role, lowest_role_with
from portal.models import RoleGrant, User
from sync.configuration import drafts
from sync.models import Tenant

View = Callable[..., Any]


def signed_in(view: View) -> View:
    """Anybody else goes to the sign-in page; an htmx request takes the whole page there."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and request.user.is_active:
            return view(request, *args, **kwargs)
        if request.htmx:
            return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        return redirect_to_login(request.get_full_path())

    return checked


def role_of(user: User, tenant: Tenant) -> Role | None:
    """The role for this tenant, else the one for all tenants; an Owner is one everywhere."""
    grants = RoleGrant.objects.filter(Q(tenant=tenant) | Q(tenant=None), user=user)
    roles = {grant.tenant_id: Role(grant.role) for grant in grants}
    if roles.get(None) is Role.OWNER:
        return Role.OWNER
    return roles.get(tenant.pk) or roles.get(None)


def rights_of(user: User, tenant: Tenant) -> frozenset[Right]:
    role = role_of(user, tenant)
    return RIGHTS[role] if role else frozenset()


def can(user: User, tenant: Tenant, right: Right) -> bool:
    return right in rights_of(user, tenant)


def visible_tenants(user: User) -> QuerySet[Tenant]:
    if RoleGrant.objects.filter(user=user, tenant=None).exists():
        return Tenant.objects.all()
    return Tenant.objects.filter(grants__user=user)


def is_owner(user: User) -> bool:
    return RoleGrant.objects.filter(user=user, tenant=None, role=Role.OWNER).exists()


def require_owner(request: HttpRequest) -> None:
    if not is_owner(request.user):
        raise PermissionDenied(
            _("You can view this. Changing it needs the %(role)s role.") % {"role": Role.OWNER.label}
        )


def takes_file(right: Right) -> Callable[[View], View]:
    """A page whose body may be as large as a file, sent by whoever has the right in its tenant."""

    def marked(view: View) -> View:
        view.takes_file = right  # type: ignore[attr-defined]
        return view

    return marked


def may_send_file(request: DjangoHttpRequest, view: View, facts: Mapping[str, Any]) -> bool:
    """`facts`: what the address names. Asks nothing of a page that takes no file."""
    right: Right | None = getattr(view, "takes_file", None)
    if right is None or not isinstance(request.user, User) or not request.user.is_active:
        return False
    tenant = Tenant.objects.filter(slug=facts["slug"]).first()
    return tenant is not None and can(request.user, tenant, right)


# Parts of a tenant's site whose forms edit the draft; mappings ask back themselves.
EDITING = ("scope", "assignments", "groups")
ONLY_LOOK = ("scope_counts",)


def edits_the_draft(request: HttpRequest) -> bool:
    """By the address: /t/<slug>/<part>/…"""
    if request.resolver_match and request.resolver_match.url_name in ONLY_LOOK:
        return False
    return request.path.split("/")[3:4] in [[part] for part in EDITING]


def tell_of_another_draft(request: HttpRequest, tenant: Tenant) -> None:
    """An edit is safe although the draft that its page showed is gone: it lands in a new one, and the page says so."""
    seen = whole_number(request.POST.get("draft", ""))
    gone = None if seen is None else drafts.gone_since(tenant, seen)
    if gone is None:
        return
    if gone.version is None:
        messages.warning(
            request, _("The draft was discarded while you were editing. Your changes are safe, in a new draft.")
        )
        return
    facts = {"who": gone.version.published_by or _("Somebody"), "n": gone.version.number}
    said = _("%(who)s published version %(n)s while you were editing. Your changes are safe, in a new draft. ")
    messages.warning(request, said % facts + _("Compare and carry on."))


def tenant_for(request: HttpRequest, slug: str, right: Right) -> Tenant:
    """404 when the tenant is unknown or not for this person, 403 with the missing role when the right lacks."""
    tenant = Tenant.objects.select_related("entra", "aws").filter(slug=slug).first()
    rights = rights_of(request.user, tenant) if tenant else frozenset()
    if tenant is None or Right.READ not in rights:
        raise Http404(_("There is no such tenant, or it is not yours to see."))
    if request.method == "POST" and right in rights and edits_the_draft(request):
        tell_of_another_draft(request, tenant)
    if right not in rights:
        role = lowest_role_with(right).label
        raise PermissionDenied(
            _("You can view %(tenant)s. This needs the %(role)s role.") % {"tenant": tenant.name, "role": role}
        )
    return tenant
