"""Waits of escrow by class of failure."""

import datetime

import pytest

from sync.rules import escrow
from sync.scim.errors import Conflict, NotFound, Rejected, ScimError, ServerError, Throttled, Untouchable

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ServerError("x"), "transient"),
        (Throttled("x"), "transient"),
        (Rejected("x"), "rejected"),
        (Conflict("x"), "conflict"),
        (NotFound("x"), "missing"),
        (Untouchable("x"), "untouchable"),
        (Rejected("The quota of 10 users is used up.", method="POST"), "quota"),
        (Rejected("The quota of 10 users is used up.", method="PATCH"), "rejected"),
    ],
)
def test_every_failure_has_its_kind(error: ScimError, kind: str) -> None:
    assert escrow.kind_of(error) == kind


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        ("transient", [5, 15, 60, 240, 1440, 1440]),
        ("rejected", [360, 720, 1440, 1440]),
        ("conflict", [60, 360, 1440, 1440]),
    ],
)
def test_waits_grow_and_then_stay(kind: escrow.Kind, minutes: list[int]) -> None:
    waits = [escrow.wait_after(kind, failures) for failures in range(len(minutes))]
    assert waits == [datetime.timedelta(minutes=one) for one in minutes]
