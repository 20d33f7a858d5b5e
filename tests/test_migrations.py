"""On SQLite tests make their tables from the models, which takes a third of the time: migrations must end in the same."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sync.migrations import __path__ as migrations
from tests.world.programs import ROOT, clean_environment

SQUASHED = "0001_squashed_0040_left_differences"
LAST = "0040_left_differences"
BY_STEPS = f"from portal.deployment.backup.whole import migrate_to; migrate_to({{'sync': '{LAST}'}})"


@pytest.mark.both
def test_the_migrations_say_what_the_models_say(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.nightly
@pytest.mark.process
def test_tables_are_the_same_whether_made_at_once_or_by_forty_steps(tmp_path: Path) -> None:
    """And whoever took the steps, as every database of 1.0 did, has nothing left to do."""
    at_once, by_steps = tmp_path / "at-once", tmp_path / "by-steps"
    manage(at_once, "migrate")
    manage(by_steps, "shell", "-c", BY_STEPS)
    manage(by_steps, "migrate")
    manage(by_steps, "migrate", "--check")
    assert shape(by_steps) == shape(at_once)


def manage(state: Path, *words: str) -> None:
    state.mkdir(exist_ok=True)
    environment = clean_environment(STATE_DIR=str(state), SECRET_KEY="k" * 60, SEAL_KEYS="test:" + "A" * 43 + "=")
    subprocess.run([sys.executable, "manage.py", *words, "--verbosity", "0"], cwd=ROOT, env=environment, check=True)


def shape(state: Path) -> set[Any]:
    """Columns (in any order), what they refer to, indexes, and constraints by name."""
    with closing(sqlite3.connect(state / "lockstep.sqlite3")) as database:
        made = database.execute("SELECT type, tbl_name, name, sql FROM sqlite_master").fetchall()
        tables = [table for kind, table, _name, _sql in made if kind == "table"]
        columns = {(table, *row[1:]) for table in tables for row in pragma(database, "table_xinfo", table)}
        references = {(table, *row[2:]) for table in tables for row in pragma(database, "foreign_key_list", table)}
    others = {(kind, table, name, sql) for kind, table, name, sql in made if kind != "table" and sql}
    named = {(table, name) for _, table, _, sql in made for name in re.findall(r'CONSTRAINT "(\w+)"', sql or "")}
    return columns | references | others | named


def pragma(database: sqlite3.Connection, name: str, table: str) -> list[Any]:
    return database.execute(f"SELECT * FROM pragma_{name}(?)", (table,)).fetchall()


def test_the_squashed_migration_stands_for_every_one_before_it() -> None:
    squashed = import_module(f"sync.migrations.{SQUASHED}").Migration
    names = {path.stem for path in Path(migrations[0]).glob("0*.py")} - {SQUASHED}
    assert {name for _app, name in squashed.replaces} == {name for name in names if name <= LAST}
