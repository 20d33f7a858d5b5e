"""After a restore the database knows less than AWS holds: nothing is written before a comparison was looked at."""

from sync.models import Run, Tenant
from sync.runs.outcomes import RunStopped

RESTORED = "restored"


class NotCompared(RunStopped):
    code = RESTORED


def waits_for_comparison(tenant: Tenant) -> bool:
    """Somebody has to ask for one: while provisioning is off none comes by itself."""
    if tenant.restored_at is None:
        return False
    return not tenant.runs.compared().filter(suspect="", compared_at__gt=tenant.restored_at).exists()


def require_comparison(run: Run) -> None:
    """Raises NotCompared for what would write."""
    if run.kind in Run.SYNCS and waits_for_comparison(run.tenant):
        raise NotCompared
