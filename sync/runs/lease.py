"""One run per tenant: a lease row with an epoch, on the database's clock.

Whoever claims gets the next epoch; every intent checks it, so that a worker that lost its lease cannot begin a request.
"""

import contextlib
import datetime
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from sync.models import Demand, Run, Tenant
from sync.runs.outcomes import RunStopped

# How often a run looks whether it is to stop, or is asked for somebody on demand.
LOOK_SECONDS = 1.0


class Cancelled(RunStopped):
    """An admin asked the run to stop; what is written stays."""

    state, code = Run.State.CANCELLED, ""


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
        """While the database is away a lease cannot be given back: it runs out."""
        with contextlib.suppress(OperationalError, InterfaceError):
            self._release()

    def _release(self) -> None:
        Tenant.objects.filter(pk=self.tenant_id, lease_epoch=self.epoch).update(lease_expires_at=None, lease_owner="")


class Watch:
    """Keeps the lease alive on a connection of its own, and hears what is asked of the run meanwhile.

    The run's own thread calls `safe_point` between two actions. `sleep`, `clock` and `random` are for clients, from any
    thread; a simulation has its own.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)
    random: Callable[[], float] = staticmethod(random.random)

    def __init__(self, lease: Lease, run_id: int, serve: Callable[[], None] | None = None) -> None:
        self.lease = lease
        self.run_id = run_id
        self.serve = serve
        self._ended = threading.Event()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._keep_watch, daemon=True, name="lease")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._stop.set()
        self._thread.join()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def check(self) -> None:
        """Raises Cancelled or LeaseLost."""
        if self._error is not None:
            raise self._error

    def safe_point(self) -> bool:
        """Raises Cancelled or LeaseLost; serves what was asked on demand since the last one, and says whether it did."""
        self.check()
        if self.serve is None or not self._asked.is_set():
            return False
        self._asked.clear()
        self.serve()
        return True

    def sleep(self, seconds: float) -> None:
        """Ends early, with the reason, when the run is to stop."""
        if self._stop.wait(seconds):
            self.check()

    def _keep_watch(self) -> None:
        try:
            while not self._ended.wait(min(LOOK_SECONDS, self.lease.seconds / 4)):
                self._look_again()
        except (Cancelled, LeaseLost) as error:
            self._error = error
            self._stop.set()
            self._keep_renewing()
        finally:
            connection.close()

    def _look_again(self) -> None:
        """A database that is away for a moment is asked again; the lease runs out if that lasts."""
        try:
            self._look()
        except (OperationalError, InterfaceError):
            connection.close()

    def _look(self) -> None:
        self.lease.renew()
        if Run.objects.filter(pk=self.run_id, state=Run.State.CANCELLING).exists():
            raise Cancelled
        if Demand.objects.filter(tenant_id=self.lease.tenant_id, state=Demand.State.WAITING).exists():
            self._asked.set()

    def _keep_renewing(self) -> None:
        """A run that was told to stop still has results to commit."""
        while isinstance(self._error, Cancelled) and not self._ended.wait(self.lease.seconds / 4):
            try:
                self.lease.renew()
            except (OperationalError, InterfaceError):
                connection.close()
            except LeaseLost as error:
                self._error = error


def claim(tenant_id: int) -> Lease | None:
    """The lease with the next epoch, or None while somebody else holds it."""
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=Now())
    seconds = float(settings.LEASE_SECONDS)
    with transaction.atomic():
        claimed = Tenant.objects.filter(free, pk=tenant_id).update(
            lease_epoch=F("lease_epoch") + 1,
            lease_owner=f"{socket.gethostname()}:{os.getpid()}"[:100],
            lease_expires_at=Now() + datetime.timedelta(seconds=seconds),
        )
        if not claimed:
            return None
        epoch = Tenant.objects.values_list("lease_epoch", flat=True).get(pk=tenant_id)
    return Lease(tenant_id, epoch, seconds)


class Busy(Exception):
    """A run of the tenant is in progress."""


@contextlib.contextmanager
def at_rest(tenant_id: int) -> Iterator[None]:
    """Under the tenant's lease: no run reads or moves meanwhile what somebody decides on. Raises Busy."""
    lease = claim(tenant_id)
    if lease is None:
        raise Busy
    try:
        yield
    finally:
        lease.release()
