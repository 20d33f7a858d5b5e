"""`manage.py expression 'EXPR' --input JSON`, or `--vectors FILE`: the mapping language without a tenant."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync import expressions
from sync.expressions import ExpressionError
from sync.expressions.vectors import differences, outcome

FIELDS = {"id", "expr", "expected"}


class Command(BaseCommand):
    help = "Prints what an expression gives as JSON, or checks a file of cases. Exit code 1 when something is wrong."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("expression", nargs="?", help="such as 'Join(\" \", [givenName], [surname])'")
        parser.add_argument("--input", default="{}", help="the attributes, as a JSON object")
        parser.add_argument("--now", help="what Now() gives, as 2026-11-23T18:17:02Z")
        parser.add_argument("--vectors", type=Path, help="a JSON list of cases: id, expr, input, expected, clock")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["expression"]) == bool(options["vectors"]):
            raise CommandError("Give an expression, or --vectors with a file.")
        if options["vectors"]:
            self.check_file(options["vectors"])
        else:
            self.stdout.write(worked_out(options["expression"], options["input"], options["now"]))
            self.check_conditions(options["expression"])

    def check_conditions(self, source: str) -> None:
        """A mapping is not saved with a condition that comes out the same for everybody."""
        if wrong := expressions.check(source):
            self.stderr.write("\n".join(map(str, wrong)))
            raise SystemExit(1)

    def check_file(self, file: Path) -> None:
        vectors = vectors_in(file)
        failed = list(differences(vectors))
        for one in failed:
            self.stdout.write(
                f"{one.id}: {one.expression}\n  expected {value_as_json(one.expected)}\n  got      {value_as_json(one.got)}"
            )
        self.stdout.write(f"{len(vectors) - len(failed)} passed, {len(failed)} failed")
        if failed:
            raise SystemExit(1)


def value_as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def worked_out(source: str, given: str, now: str | None) -> str:
    attributes = parsed(given, "--input")
    if not isinstance(attributes, dict):
        raise CommandError('--input is not a JSON object, such as {"givenName": "Adele"}.')
    try:
        return value_as_json(outcome(expressions.parse(source), attributes, checked(now)))
    except ExpressionError as error:
        raise CommandError(str(error)) from error


def checked(now: str | None) -> str | None:
    try:
        return datetime.fromisoformat(now).isoformat() if now else None
    except ValueError as error:
        raise CommandError(f"--now is not a moment: {error}") from error


def vectors_in(file: Path) -> list[dict[str, Any]]:
    try:
        content = parsed(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    if not isinstance(content, list) or not all(isinstance(one, dict) and one.keys() >= FIELDS for one in content):
        raise CommandError(f"{file} is not a list of objects with {', '.join(sorted(FIELDS))}.")
    return content


def parsed(content: str, where: str) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise CommandError(f"{where} is not JSON: {error}") from error
