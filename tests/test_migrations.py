"""On SQLite tests make their tables from the models, which takes a third of the time: migrations must end in the same."""

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.both


def test_the_migrations_say_what_the_models_say(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
