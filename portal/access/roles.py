"""The role table (who may do what): names, rights and their order. Pages, checks and help derive from it."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from portal.models import Role


class Right(TextChoices):
    READ = "read", _("Read everything but secrets, export logs")
    ON_DEMAND = "on_demand", _("Look up people, provision on demand, acknowledge incidents")
    OPERATE = "operate", _("Sync now, cancel, turn on and off, retry, manage notifications")
    CONFIGURE = "configure", _("Connection, mappings, scope, assignments")
    APPROVE = "approve", _("Approve or reject held removals")
    OWN = "own", _("Tenants, users and roles, settings")


# Rights add up downward, except for the Approver, who is beside the line.
_LINE = [Right.READ, Right.ON_DEMAND, Right.OPERATE, Right.CONFIGURE]
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset(_LINE[:1]),
    Role.HELPDESK: frozenset(_LINE[:2]),
    Role.OPERATOR: frozenset(_LINE[:3]),
    Role.CONFIGURATOR: frozenset(_LINE),
    Role.APPROVER: frozenset([Right.READ, Right.APPROVE]),
    Role.OWNER: frozenset(Right),
}


def lowest_role_with(right: Right) -> Role:
    """The first role of the table that has the right: what a refusal names."""
    return next(role for role in Role if right in RIGHTS[role])
