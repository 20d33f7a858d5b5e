"""What a page asks before its view begins: who signed in, the method, the tenant of its address, the right, the draft."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, wraps
from typing import Any

from django.http import HttpRequest as DjangoHttpRequest
from django.http import HttpResponse
from django.urls import URLResolver, get_resolver
from django.views.decorators.http import require_http_methods

from portal.access import unsent
from portal.access.request import HttpRequest
from portal.access.rights import can, require_everywhere, tenant_for
from portal.access.roles import Right
from portal.access.stale_draft import warn_of_another_draft
from portal.access.step_up import StepUp, ask, is_asked
from portal.models import User
from sync.models import Tenant

View = Callable[..., Any]


class Audience(Enum):
    """Who opens a page that asks for no right."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"


Needed = Right | Audience


@dataclass(frozen=True, slots=True)
class Access:
    """What opens a page, and what a POST needs; None: the page takes no such request. Rights are those for its tenant, or
    for all tenants where the page belongs to none (`tenant`).

    `step_up`: it asks again who is there, unless that was shown a moment ago.
    `edits_draft`: a POST edits the draft, and says when the one that its page showed is gone.
    `takes_file`: the body may be as large as a file, when somebody with the right to act sends it.
    """

    read: Needed | None
    act: Needed | None
    tenant: bool = True
    step_up: StepUp | None = None
    edits_draft: bool = False
    takes_file: bool = False

    @property
    def methods(self) -> list[str]:
        return [*(["GET", "HEAD"] if self.read else []), *(["POST"] if self.act else [])]

    def needed_for(self, method: str | None) -> Needed:
        needed = self.act if method == "POST" else self.read
        assert needed is not None, f"{method} is refused before"
        return needed

    def right_for(self, method: str | None) -> Right:
        """On pages of a tenant."""
        needed = self.needed_for(method)
        assert isinstance(needed, Right)
        return needed


def page(
    *,
    read: Right | None = None,
    act: Right | None = None,
    step_up: StepUp | None = None,
    edits_draft: bool = False,
    takes_file: bool = False,
) -> Callable[[View], View]:
    """For views of a tenant's pages: they get the tenant in place of its short name. See Access."""
    access = Access(read, act, step_up=step_up, edits_draft=edits_draft, takes_file=takes_file)

    def guarded(view: View) -> View:
        @wraps(view)
        @require_http_methods(access.methods)
        @signed_in
        def checked(request: HttpRequest, slug: str, **facts: Any) -> Any:
            tenant = tenant_for(request.user, slug, access.right_for(request.method))
            if step_up and is_asked(request, request.user, step_up):
                return ask(request, request.user, step_up)
            if access.edits_draft and request.method == "POST":
                warn_of_another_draft(request, tenant)
            return view(request, tenant, **facts)

        checked.access = access  # type: ignore[attr-defined]
        return checked

    return guarded


def site_page(
    *, read: Needed | None = None, act: Needed | None = None, step_up: StepUp | None = None
) -> Callable[[View], View]:
    """For views of pages that belong to no tenant. See Access."""
    access = Access(read, act, tenant=False, step_up=step_up)

    def guarded(view: View) -> View:
        @wraps(view)
        @require_http_methods(access.methods)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            needed = access.needed_for(request.method)
            return view(request, *args, **kwargs) if needed is Audience.ANYBODY else asked(request, *args, **kwargs)

        @signed_in
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            needed = access.needed_for(request.method)
            if isinstance(needed, Right):
                require_everywhere(request.user, needed)
            if step_up and is_asked(request, request.user, step_up):
                return ask(request, request.user, step_up)
            return view(request, *args, **kwargs)

        checked.access = access  # type: ignore[attr-defined]
        return checked

    return guarded


def access_of(view: View) -> Access | None:
    """Every page has one: tests/portal/test_access.py."""
    access: Access | None = getattr(view, "access", None)
    return access


@cache
def access_table() -> dict[str, Access]:
    """Every page by its name: what menus and templates ask, and what the tests try."""
    return dict(_accesses(get_resolver().url_patterns))


def _accesses(patterns: list[Any]) -> Iterator[tuple[str, Access]]:
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from _accesses(one.url_patterns)
        elif access := access_of(one.callback):
            yield one.name, access


def signed_in(view: View) -> View:
    """Anybody else goes to the sign-in page; an htmx request takes the whole page there."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and request.user.is_active:
            return view(request, *args, **kwargs)
        return ask_to_sign_in(request)

    return checked


def ask_to_sign_in(request: DjangoHttpRequest) -> HttpResponse:
    """A form that came after the session's end waits, if its page needs a right and holds no secret."""
    access = access_of(request.resolver_match.func) if request.resolver_match else None
    may_wait = access is not None and isinstance(access.act, Right) and access.step_up is not StepUp.TO_OPEN
    return unsent.sign_in_first(request, may_wait=may_wait)


def may_send_file(request: DjangoHttpRequest, view: View, facts: Mapping[str, Any]) -> bool:
    """`facts`: what the address names. Asks nothing of a page that takes no file."""
    access = access_of(view)
    if access is None or not access.takes_file or not isinstance(request.user, User) or not request.user.is_active:
        return False
    tenant = Tenant.objects.filter(slug=facts["slug"]).first()
    return tenant is not None and can(request.user, tenant, access.right_for("POST"))
