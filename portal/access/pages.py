"""What a view asks before it begins."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest as DjangoHttpRequest
from django.http import HttpResponse
from django.shortcuts import resolve_url

from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.models import User
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
