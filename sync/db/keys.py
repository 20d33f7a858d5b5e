"""Many primary keys in one condition: as one parameter, where `IN` would have one each."""

import json
from collections.abc import Sequence

from django.db import connection
from django.db.models.expressions import RawSQL

LISTED = {"postgresql": "SELECT unnest(%s::bigint[])", "sqlite": "SELECT value FROM json_each(%s)"}


def listed(keys: Sequence[int]) -> RawSQL:
    """For `pk__in`."""
    parameter = json.dumps(keys) if connection.vendor == "sqlite" else list(keys)
    # The statement is one of our own two: keys are its parameter.
    return RawSQL(LISTED[connection.vendor], [parameter])  # noqa: S611
