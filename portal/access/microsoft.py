"""Who signs in with Microsoft is whom here: by directory and object id, never by an address, which others may get."""

from collections.abc import Iterable

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from portal.access.users import Refused, give_role, take_role
from portal.deployment.microsoft import RoleHere
from portal.models import Role, RoleGrant, User
from sync import audit
from sync.connection.web_sign_in import Person
from sync.models import Tenant

ACTOR = "Microsoft sign-in"


@transaction.atomic
def user_of(person: Person) -> User | None:
    """The account, with the roles that Entra gives it now; None where it gives none. Raises Refused in words."""
    user = User.objects.filter(microsoft_key=person.key).first()
    if user and not user.roles_from_microsoft:
        # An account that its person has connected keeps the roles that Owners gave it.
        return user
    wanted = roles_for(person)
    if user is None and wanted:
        user = _new_account(person)
    if user:
        _settle(user, wanted)
    return user if wanted else None


def roles_for(person: Person) -> dict[Tenant | None, Role]:
    """Of several for one place the one that may most counts."""
    found: dict[Tenant | None, Role] = {}
    for facts in _mapped(person.roles | person.groups):
        tenant = Tenant.objects.filter(slug=facts["tenant"]).first() if facts["tenant"] else None
        if facts["tenant"] and tenant is None:
            continue
        role = Role(facts["role"])
        if tenant not in found or _order(role) > _order(found[tenant]):
            found[tenant] = role
    return found


def _mapped(values: Iterable[str]) -> list[RoleHere]:
    roles = settings.MICROSOFT_SIGN_IN["roles"] if settings.MICROSOFT_SIGN_IN else {}
    return [roles[value] for value in sorted(values) if value in roles]


def _order(role: Role) -> int:
    return list(Role).index(role)


def _new_account(person: Person) -> User:
    try:
        validate_email(person.address)
    except ValidationError as error:
        raise Refused(_("Microsoft gave no address for this account.")) from error
    if User.objects.filter(email__iexact=person.address).exists():
        raise Refused(
            _(
                "An account with the address %(email)s exists already. Sign in to it, then connect it to Microsoft there."
            )
            % {"email": person.address}
        )
    user = User.objects.create_user(
        person.address, None, name=person.name[:200], microsoft_key=person.key, roles_from_microsoft=True
    )
    audit.record(ACTOR, "user.add", user, None, {"email": user.email, "microsoft": person.key})
    return user


def _settle(user: User, wanted: dict[Tenant | None, Role]) -> None:
    held = {grant.tenant: Role(grant.role) for grant in RoleGrant.objects.filter(user=user).select_related("tenant")}
    for tenant, role in wanted.items():
        if held.get(tenant) != role:
            give_role(actor=ACTOR, user=user, role=role, tenant=tenant)
    for tenant in held.keys() - wanted.keys():
        take_role(actor=ACTOR, user=user, tenant=tenant)


@transaction.atomic
def connect(user: User, person: Person) -> None:
    """The person signed in to both. Raises Refused when somebody else has that one."""
    if User.objects.filter(microsoft_key=person.key).exclude(pk=user.pk).exists():
        raise Refused(_("Another account here is connected to that Microsoft account."))
    user.microsoft_key = person.key
    user.save(update_fields=["microsoft_key"])
    audit.record(user.email, "user.connect_microsoft", user, None, {"microsoft": person.key})
