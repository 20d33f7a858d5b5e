"""Who asks: a token, with the scope that the operation needs. No cookie counts here, so nothing has to be said against forged forms."""

from django.db.models import QuerySet
from django.http import Http404
from django.http import HttpRequest as DjangoHttpRequest
from ninja.security import HttpBearer

from portal.access import api_tokens
from portal.access.quota import CALLS, take
from portal.access.request import HttpRequest
from portal.access.rights import tenant_for, visible_tenants
from portal.access.sign_ins import note_refused_token
from portal.access.throttle import client_address
from portal.frame.problem import Problem
from portal.models import ApiToken, Scope
from sync import audit, context
from sync.models import Tenant


class ApiRequest(HttpRequest):
    """`user`: whom the token acts for. `scope`: what the operation needs, which the token has."""

    auth: ApiToken
    scope: Scope


class Token(HttpBearer):
    """With a scope. Every answer to a token is counted, and every try to act leaves an entry."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: DjangoHttpRequest, token: str) -> ApiToken | None:
        found = api_tokens.token_of(token)
        if found is None:
            note_refused_token()
            return None
        asked = as_person(request, found, self.scope)
        take(asked, CALLS)
        api_tokens.note_use(found, client_address(request))
        if self.scope not in found.scopes:
            challenge = f'Bearer error="insufficient_scope", scope="{self.scope}"'
            raise Problem("insufficient-scope", headers={"WWW-Authenticate": challenge}, scope=self.scope.value)
        if request.method != "GET":
            facts = {"token": found.start, "method": request.method, "path": request.path}
            audit.record(found.user.email, "token.act", found, None, facts)
        return found


def as_person(request: DjangoHttpRequest, token: ApiToken, scope: Scope) -> ApiRequest:
    assert isinstance(request, DjangoHttpRequest)
    request.user = token.user
    request.scope = scope  # type: ignore[attr-defined]
    context.add(actor=token.user.email, via=token.start)
    return request  # type: ignore[return-value]


READ, SYNC, PREVIEW, DECIDE = (Token(scope) for scope in (Scope.READ, Scope.SYNC, Scope.PREVIEW, Scope.DECIDE))


def tenants_of(request: ApiRequest) -> QuerySet[Tenant]:
    """That the token's person sees, and the token is for."""
    found = visible_tenants(request.user).select_related("entra", "aws")
    return found.filter(pk=request.auth.tenant_id) if request.auth.tenant_id else found


def tenant_of(request: ApiRequest, slug: str) -> Tenant:
    """With the right that the operation's scope stands for. Raises Http404 and PermissionDenied as a page does."""
    if request.auth.tenant_id and request.auth.tenant and request.auth.tenant.slug != slug:
        raise Http404
    return tenant_for(request.user, slug, api_tokens.NEEDS[request.scope])
