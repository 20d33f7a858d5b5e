"""What a configuration leaves active in AWS when people leave: told wherever one is saved, imported or shown."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync.configuration.drafts import draft_or_current
from sync.configuration.mappings import save_mapping
from sync.configuration.settings import set_settings
from sync.models import Configuration, DirectoryUser, Tenant
from sync.models.configuration import every_user_action
from sync.rules.leavers import DISABLING, leavers_problem
from sync.rules.mapping import MappingContext
from sync.rules.rows import GuestName, MappingProblem, MappingRow
from sync.rules.wanted import Wanted

# People in scope on whom the mapping is tried; a readiness check and a preview try it on everybody.
TRIED = 200


def leavers_problems(configuration: Configuration) -> list[MappingProblem]:
    """Empty when whoever leaves is disabled."""
    rows = (row.rule() for row in configuration.mappings.filter(object_type="user", target="active"))
    return _problems(configuration, rows, configuration.user_actions, configuration.guest_user_name)


def leavers_problems_with(tenant: Tenant, wanted: Wanted) -> list[MappingProblem]:
    """Under what an import would make of the draft; empty when it says nothing about leavers."""
    now = draft_or_current(tenant)
    if "user" not in wanted.mappings and "user_actions" not in wanted.settings:
        return []
    rows = wanted.mappings.get("user") or [row.rule() for row in now.mappings.filter(object_type="user")]
    actions, guest_user_name = (
        wanted.settings.get(name, getattr(now, name)) for name in ("user_actions", "guest_user_name")
    )
    return _problems(now, rows, actions, guest_user_name)


@transaction.atomic
def disable_leavers(*, actor: str, tenant: Tenant) -> None:
    """Takes `active` from IsSoftDeleted, and lets it be written: whoever leaves is disabled, however they leave."""
    now = draft_or_current(tenant)
    row = now.mappings.filter(object_type="user", target=DISABLING.target).first()
    save_mapping(actor=actor, tenant=tenant, object_type="user", rule=DISABLING, row=row)
    actions = [action for action in every_user_action() if action in {*now.user_actions, "disable"}]
    set_settings(actor=actor, tenant=tenant, user_actions=actions)


def _problems(
    configuration: Configuration, rows: Iterable[MappingRow], actions: Collection[str], guest_user_name: str
) -> list[MappingProblem]:
    name: GuestName = guest_user_name  # type: ignore[assignment]
    people = _in_scope(configuration.tenant_id)
    found = leavers_problem(rows, people, MappingContext(timezone.now(), name))
    off = [] if "disable" in actions else [MappingProblem("disable-off")]
    return [*off, *([found] if found else [])]


def _in_scope(tenant_id: int) -> list[dict[str, Any]]:
    rows = DirectoryUser.objects.filter(tenant_id=tenant_id, in_scope=True).order_by("pk")
    return list(rows.values_list("properties", flat=True)[:TRIED])
