"""What the pages of users show of each."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal.access.roles import RIGHTS, Right
from portal.models import Role, RoleGrant, SignedIn, User
from sync.models import Tenant


@dataclass
class UserRow:
    """`factors`: passkeys and app in words; "" where there is none. `seen_at`: in a session that is kept."""

    user: User
    grants: list[RoleGrant] = field(default_factory=list)
    factors: str = ""
    needs_factor: bool = False
    seen_at: datetime | None = None

    @property
    def invited(self) -> bool:
        return self.user.last_login is None


def rows_of(users: Iterable[User]) -> list[UserRow]:
    rows = {user.pk: UserRow(user) for user in users}
    for grant in RoleGrant.objects.filter(user__in=rows).select_related("tenant").order_by("tenant__name"):
        rows[grant.user_id].grants.append(grant)
        rows[grant.user_id].needs_factor |= grant.role != Role.VIEWER
    kinds: dict[int, Counter[str]] = defaultdict(Counter)
    for user_id, kind in Authenticator.objects.filter(user__in=rows).values_list("user_id", "type"):
        kinds[user_id][kind] += 1
    for user_id, row in rows.items():
        row.factors = _in_words(kinds[user_id])
    for seen in SignedIn.objects.filter(user__in=rows).order_by("seen_at"):
        rows[seen.user_id].seen_at = seen.seen_at
    return list(rows.values())


def _in_words(kinds: Counter[str]) -> str:
    passkeys = kinds[Authenticator.Type.WEBAUTHN]
    words = [_("Passkey") if passkeys == 1 else _("%(n)s passkeys") % {"n": passkeys}] if passkeys else []
    return ", ".join([*words, *([_("App code")] if kinds[Authenticator.Type.TOTP] else [])])


@dataclass(frozen=True)
class RightRow:
    label: str | Promise
    held: list[bool]


def rights_table() -> tuple[list[str | Promise], list[RightRow], list[int]]:
    """Roles, what each may, and how many people have it somewhere."""
    rows = [RightRow(right.label, [right in RIGHTS[role] for role in Role]) for right in Right]
    active = RoleGrant.objects.filter(user__is_active=True).values_list("role", "user_id").distinct()
    holders = Counter(role for role, _user in active)
    return [role.label for role in Role], rows, [holders[role] for role in Role]


@dataclass(frozen=True)
class EntraRole:
    """`value`: of an app role, or a group's id. `where`: a tenant, "" for all. One that is not there brings nothing."""

    value: str
    label: str | Promise
    where: str
    known: bool


def roles_from_entra() -> list[EntraRole]:
    """As MICROSOFT_SIGN_IN says; none where nobody signs in with Microsoft."""
    found = settings.MICROSOFT_SIGN_IN["roles"] if settings.MICROSOFT_SIGN_IN else {}
    names = dict(Tenant.objects.values_list("slug", "name")) if found else {}
    return [
        EntraRole(value, Role(facts["role"]).label, names.get(slug, slug), not slug or slug in names)
        for value, facts in found.items()
        for slug in [facts["tenant"] or ""]
    ]
