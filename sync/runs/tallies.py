"""What runs did, added up: counters that go on when the runs themselves are forgotten."""

from django.db.models import F

from sync.models import Run, Tally


def count_run(run: Run) -> None:
    """Once, when it has ended; its requests are those of its last attempt."""
    _add(run.tenant_id, "runs", run.state, 1)
    for kind, number in run.scim_requests.items():
        _add(run.tenant_id, "scim_requests", kind, number)


def _add(tenant_id: int, name: str, kind: str, number: int) -> None:
    tally, _created = Tally.objects.get_or_create(tenant_id=tenant_id, name=name, kind=kind)
    Tally.objects.filter(pk=tally.pk).update(value=F("value") + number)
