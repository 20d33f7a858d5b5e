"""What a person has to do before any page opens. It stands over every address: a page cannot forget to ask."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from portal.access.demo import is_only_the_lab
from portal.access.pages import send_to
from portal.models import User

SIGN_OUT = "account_logout"


class SignInMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Iterable[Any], _kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        if not isinstance(request.user, User):
            return None
        match = request.resolver_match
        page = match.url_name if match else None
        first = first_step(request.user)
        if first is None or page in {first, SIGN_OUT}:
            return None
        return send_to(request, first)


def first_step(user: User) -> str | None:
    """The name of the page that comes before all others; None: all are open."""
    if is_only_the_lab():
        return None
    return "password" if user.password_ends_at else None
