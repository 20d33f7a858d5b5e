"""One run per tenant: a lease row with an epoch, on the database's clock.

Whoever claims gets the next epoch; every intent checks it, so that a worker that lost its lease cannot begin a request.
"""

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from sync.models import Tenant


class LeaseLost(Exception):
    """Somebody else runs this tenant now."""


@dataclass(frozen=True, slots=True)
class Lease:
    tenant_id: int
    epoch: int
    seconds: float

    def renew(self) -> None:
        """Raises LeaseLost when a newer epoch exists. A lease that ran out unclaimed may be taken up again."""
        if not Tenant.objects.filter(pk=self.tenant_id, lease_epoch=self.epoch).update(
            lease_expires_at=Now() + datetime.timedelta(seconds=self.seconds)
        ):
            raise LeaseLost(f"Tenant {self.tenant_id}: epoch {self.epoch} is no longer the newest.")

    def release(self) -> None:
        Tenant.objects.filter(pk=self.tenant_id, lease_epoch=self.epoch).update(lease_expires_at=None, lease_owner="")

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renews on a connection of its own while a step waits for the network."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_renewing, args=(stop,), daemon=True, name="lease")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _keep_renewing(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(self.seconds / 4):
                self.renew()
        except LeaseLost:
            # The next intent of the run finds out by itself.
            return
        finally:
            connection.close()


def claim(tenant_id: int, owner: str) -> Lease | None:
    """The lease with the next epoch, or None while somebody else holds it."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    seconds = float(settings.LEASE_SECONDS)
    with transaction.atomic():
        claimed = Tenant.objects.filter(free, pk=tenant_id).update(
            lease_epoch=F("lease_epoch") + 1,
            lease_owner=owner[:100],
            lease_expires_at=Now() + datetime.timedelta(seconds=seconds),
        )
        if not claimed:
            return None
        epoch = Tenant.objects.values_list("lease_epoch", flat=True).get(pk=tenant_id)
    return Lease(tenant_id, epoch, seconds)
