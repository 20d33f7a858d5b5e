"""Days that pass in no time, for the demo: every stored date moves back, so that what depends on them is due."""

import datetime

from django.apps import apps
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Cast

from sync.models import AuditEntry, Run, Tenant
from sync.standings import services as standings

# Longer than the longest wait of the product: a token of AWS lasts a year.
MOST_DAYS = 400
# Whoever holds a lease keeps it: that is about processes, not about the calendar.
NOT_MOVED = ("lease_expires_at",)


class CannotPass(Exception):
    """Why no day passes now, in a sentence."""


@transaction.atomic
def let_days_pass(days: int) -> None:
    """Of all tenants. The audit log stays as it was written. Raises CannotPass."""
    if not 0 < days <= MOST_DAYS:
        raise CannotPass(f"Between 1 and {MOST_DAYS} days can pass at once.")
    if Run.objects.filter(state__in=Run.OPEN).exists():
        raise CannotPass("A run is under way. Wait until it has ended.")
    for model in apps.get_app_config("sync").get_models():
        if model is not AuditEntry:
            _move_back(model, datetime.timedelta(days=days))
    for tenant in Tenant.objects.all():
        standings.refresh_all(tenant)


def _move_back(model: type[models.Model], by: datetime.timedelta) -> None:
    """A DateTimeField is a DateField too. SQLite gives a moment for a date less some days: hence the cast."""
    dates = [field for field in model._meta.concrete_fields if isinstance(field, models.DateField)]
    moved = {
        field.name: F(field.name) - by
        if isinstance(field, models.DateTimeField)
        else Cast(F(field.name) - by, models.DateField())
        for field in dates
        if field.name not in NOT_MOVED
    }
    if moved:
        model._default_manager.update(**moved)
