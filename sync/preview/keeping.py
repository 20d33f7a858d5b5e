"""Keeping one person whom the draft would take out of scope: an edit of the draft that really keeps them."""

from django.db import transaction
from django.utils.translation import gettext as _

from sync.configuration import assignments, drafts
from sync.configuration.filters import save_filter
from sync.configuration.ruleset import Rules
from sync.directory.live import Found
from sync.engine.scope import nesting
from sync.engine.scope.deciding import Deciding
from sync.models import Configuration, DirectoryUser, Tenant
from sync.rules.scope import Reason, Scope

# What an edit of the draft can change; everything else is decided in Entra, or by a switch for all.
HELPS = (Reason.NOT_ASSIGNED, Reason.OUTSIDE_FILTER)


class CannotKeep(Exception):
    """`reason`: a code of sync.rules.scope that no exception of one person overrules."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def keep(*, tenant: Tenant, actor: str, person: DirectoryUser) -> None:
    """Assigns the person; where a filter is in the way, adds one that lets this person pass. Raises CannotKeep."""
    draft = drafts.locked_draft(tenant, actor)
    for help_in in (_assign, _let_pass):
        scope = scope_of(draft, person)
        if scope.in_scope:
            return
        help_in(tenant, actor, person, scope)
    if not (scope := scope_of(draft, person)).in_scope:
        raise CannotKeep(scope.reason)


def scope_of(configuration: Configuration, person: DirectoryUser) -> Scope:
    """By today's mirror."""
    rules = Rules.of(configuration)
    closure = nesting.closure_of(configuration.tenant, rules)
    included = ((group_id, path) for (_assigned, group_id), path in closure.items())
    [scope] = Deciding(configuration.tenant, rules, included).scopes([person])
    return scope


def _assign(tenant: Tenant, actor: str, person: DirectoryUser, scope: Scope) -> None:
    if scope.reason == Reason.NOT_ASSIGNED:
        found = Found("user", person.object_id, str(person), person.user_principal_name, "person")
        assignments.assign_objects(actor=actor, tenant=tenant, chosen=[found])


def _let_pass(tenant: Tenant, actor: str, person: DirectoryUser, scope: Scope) -> None:
    """One filter is enough to pass, so an exception is a filter of its own."""
    if scope.reason != Reason.OUTSIDE_FILTER:
        return
    clause = {
        "attribute": "userPrincipalName",
        "operator": "EQUALS",
        "value": person.user_principal_name,
        "ignore_case": True,
    }
    title = (_("Keep %(name)s") % {"name": person})[:200]
    save_filter(actor=actor, tenant=tenant, object_type="user", title=title, clauses=[clause])
