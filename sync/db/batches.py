"""Rows in portions, so that memory does not grow with the directory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet

BATCH = 1000

T = TypeVar("T")


def batches(rows: QuerySet[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """By primary key: rows that change on the way are neither lost nor seen twice."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1].pk


def delete_in_slices(rows: QuerySet[Any], size: int) -> Iterator[int]:
    """Oldest first, each slice in a transaction of its own, and how many it took: of `rows` themselves, not of what hangs
    on them."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:size]):
        with transaction.atomic():
            rows.model._base_manager.filter(pk__in=keys).delete()
        yield len(keys)


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while part := tuple(islice(rest, size)):
        yield part
