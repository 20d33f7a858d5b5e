"""Signing in is django-allauth's; what every page wants to know of whoever asks for it is looked up at once."""

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Exists, F, OuterRef

from portal.access import second_factor
from portal.models import Role, User


class Backend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> User | None:
        """With the roles, and whether there is a second factor. A row for each role, one where there is none."""
        has_one = Exists(second_factor.of(OuterRef("pk")))
        asked = User.objects.annotate(has_one=has_one, role=F("grants__role"), role_for=F("grants__tenant"))
        rows = list(asked.filter(pk=user_id))
        if not rows or not self.user_can_authenticate(rows[0]):
            return None
        user: User = rows[0]
        user.has_second_factor = rows[0].has_one
        user.roles = {row.role_for: Role(row.role) for row in rows if row.role}
        return user
