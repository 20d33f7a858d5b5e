"""Lists: so many rows after a cursor, which is the key of the last row that was read."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from ninja import Field, Schema

Row = TypeVar("Row", bound=Model)


class Paging(Schema):
    limit: int = Field(50, ge=1, le=200, description="How many rows at most.")
    cursor: str = Field(
        "",
        pattern="^[0-9]{0,18}$",
        description="`next` of the answer before; rows that came or went meanwhile shift nothing.",
    )


def page_of(rows: QuerySet[Row], paging: Paging, *, newest_first: bool = False) -> tuple[list[Row], str | None]:
    """By primary key. The second one is the next cursor, where more follows."""
    if paging.cursor:
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": int(paging.cursor)})
    found = list(rows.order_by("-pk" if newest_first else "pk")[: paging.limit + 1])
    more = len(found) > paging.limit
    found = found[: paging.limit]
    return found, str(found[-1].pk) if more else None
