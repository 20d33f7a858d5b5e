"""A disk without room: SQLite's own error, and what is said of it."""

import pytest
from django.db import OperationalError, connection, transaction

from sync.models import Delivery, Tenant
from sync.runs.outages import explained, is_outage

pytestmark = pytest.mark.django_db


@pytest.mark.only("sqlite")
def test_a_full_disk_is_an_outage_with_its_own_remedy(tenant: Tenant) -> None:
    """SQLite can be told that there is no more room."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count={cursor.fetchone()[0]}")
        try:
            with pytest.raises(OperationalError) as full, transaction.atomic():
                Delivery.objects.create(tenant=tenant, recipient="a@b.example", subject="s", body="x" * 2**21)
        finally:
            cursor.execute("PRAGMA max_page_count=1073741823")
    assert is_outage(full.value)
    assert explained(full.value) == (
        "The database has no room left: database or disk is full. Make room on its disk; what was being done goes on then."
    )
