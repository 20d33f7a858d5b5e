"""A script with a token, for tests of the API."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.test import Client

from portal.access.api_tokens import make_token
from portal.models import Scope, User
from sync.models import Tenant

ROOT = "/api/v1"


def token_of(user: User, scopes: Iterable[Scope] = tuple(Scope), tenant: Tenant | None = None) -> str:
    _token, text = make_token(user=user, name="A script", scopes=list(scopes), tenant=tenant, days=30)
    return text


class Script:
    """Knows a token, and nothing of cookies."""

    def __init__(self, token: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else None)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> HttpResponse:
        return self.client.get(f"{ROOT}{path}", query, headers=named(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.client.post(f"{ROOT}{path}", body or {}, content_type="application/json", headers=named(headers))

    def read(self, path: str, **query: Any) -> Any:
        """What a reading brings that succeeds."""
        answer = self.get(path, query)
        assert answer.status_code == 200, answer.content
        return answer.json()  # type: ignore[attr-defined]

    def all_of(self, path: str, **query: Any) -> list[Any]:
        """Page by page."""
        page = self.read(path, **query)
        items = page["items"]
        while page["next"]:
            page = self.read(path, **query, cursor=page["next"])
            items += page["items"]
        return list(items)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def script_of(user: User, *scopes: Scope, tenant: Tenant | None = None) -> Script:
    return Script(token_of(user, scopes or tuple(Scope), tenant))
