"""A sign-in whose second step is still to come: good only as long as what its first step went by."""

from typing import Any

from allauth.account.internal.stagekit import LOGIN_SESSION_KEY, clear_login
from django.http import HttpRequest

from portal.access import second_factor
from portal.models import User

WENT_BY = "half_done"


def note(request: HttpRequest, user: User) -> None:
    request.session[WENT_BY] = _facts(user)


def forget_stale(request: HttpRequest) -> None:
    """The password is another one since, the account was deactivated, or there is no second factor any more to ask for."""
    if LOGIN_SESSION_KEY not in request.session:
        return
    noted = request.session.get(WENT_BY, {})
    user = User.objects.filter(pk=noted.get("user")).first()
    if user is None or noted != _facts(user):
        clear_login(request)


def _facts(user: User) -> dict[str, Any]:
    return {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "active": user.is_active,
        "second_factor": second_factor.has_one(user),
    }
