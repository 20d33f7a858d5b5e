"""What each new connection to the database is told."""

import pytest
from django.db import connections


@pytest.mark.only("postgresql")
@pytest.mark.django_db(transaction=True)
def test_postgresql_compiles_no_question() -> None:
    connection = connections["default"].copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW jit")
            assert cursor.fetchone() == ("off",)
    finally:
        connection.close()
