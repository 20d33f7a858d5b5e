"""Escrow: how long an object waits after its failures before it is tried again unchanged. Pure.

A change of the object in Entra, or of the mapping, is tried at once, whatever stands here.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Literal

from sync.scim.errors import Conflict, NotFound, ScimError, Untouchable
from sync.scim.writing import MembersConflict

Kind = Literal["transient", "busy", "rejected", "conflict", "missing", "quota", "untouchable", "unmatched"]

HOUR = 60
# Minutes after the first, second … failure; the last one repeats.
WAITS: Mapping[Kind, Sequence[int]] = {
    "transient": (5, 15, HOUR, 4 * HOUR, 24 * HOUR),
    # Two requests met: the next run tries again.
    "busy": (0, 5, 15, HOUR),
    "rejected": (6 * HOUR, 12 * HOUR, 24 * HOUR),
    "conflict": (HOUR, 6 * HOUR, 24 * HOUR),
    # The link is forgotten: the next run looks for a match or creates anew.
    "missing": (0, 5, HOUR, 24 * HOUR),
    "quota": (HOUR, 6 * HOUR, 24 * HOUR),
    "untouchable": (24 * HOUR,),
    # Nothing failed: AWS is asked again whether what stood in the way is still there.
    "unmatched": (HOUR,),
}


def kind_of(error: ScimError) -> Kind:
    if is_quota(error):
        return "quota"
    for classes, kind in BY_CLASS:
        if isinstance(error, classes):
            return kind
    return "rejected" if error.permanent else "transient"


BY_CLASS: Sequence[tuple[type[ScimError], Kind]] = (
    (Untouchable, "untouchable"),
    (MembersConflict, "busy"),
    (Conflict, "conflict"),
    (NotFound, "missing"),
)


def is_quota(error: ScimError) -> bool:
    """AWS's quota of users or groups (user guide, quotas): every further create fails, everything else passes."""
    named = error.body.get("scimType") or error.body.get("exception") if isinstance(error.body, dict) else ""
    return error.method == "POST" and ("ServiceQuotaExceeded" in str(named) or "quota" in error.detail.lower())


def wait_after(kind: Kind, failures: int) -> datetime.timedelta:
    """`failures`: how many there were before this one."""
    minutes = WAITS[kind]
    return datetime.timedelta(minutes=minutes[min(failures, len(minutes) - 1)])
