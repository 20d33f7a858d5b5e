"""What runs did, added up: counters that go on when the runs themselves are forgotten."""

from sync.db.bulk import put_values
from sync.models import Run, Tally


def count_run(run: Run) -> None:
    """Once, when it has ended; its requests are those of its last attempt. The caller holds the tenant's lease."""
    counted = {("runs", run.state): 1} | {("scim_requests", kind): n for kind, n in run.scim_requests.items()}
    found = Tally.objects.filter(tenant=run.tenant_id, name__in={name for name, _kind in counted})
    before = {(name, kind): value for name, kind, value in found.values_list("name", "kind", "value")}
    rows = [(run.tenant_id, *key, number + before.get(key, 0)) for key, number in counted.items()]
    put_values(Tally, ("tenant", "name", "kind", "value"), rows, unique=("tenant", "name", "kind"))
