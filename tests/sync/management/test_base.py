"""What all commands about a tenant have in common: the tenant, the actor, the exit codes."""

import importlib
import io
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sync.management import commands
from sync.management.base import EXIT_CODES, TenantCommand
from sync.models import AuditEntry, Run, Tenant
from tests.world.database import empty_audit_log
from tests.world.drafted import with_draft, with_versions

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
CLASSES: dict[str, type[TenantCommand]] = {
    one.name: command
    for one in pkgutil.iter_modules(commands.__path__)
    if issubclass(command := importlib.import_module(f"{commands.__name__}.{one.name}").Command, TenantCommand)
}
ARGUMENTS = {"configuration_import": ["file.json"], "on_demand": ["adele@acme.example"]}


def ended(name: str, *words: str) -> int:
    """The exit code, as a shell would see it."""
    command = CLASSES[name](stdout=io.StringIO(), stderr=io.StringIO())
    with pytest.raises(SystemExit) as end:
        command.run_from_argv(["manage.py", name, *words, "--skip-checks"])
    return int(str(end.value.code))


@pytest.mark.pure
def test_the_documented_exit_codes_are_those_of_the_commands() -> None:
    section = OPERATIONS.read_text().split("## Commands\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d) \| (.+) \|$", section, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == {int(code): text for code, text in EXIT_CODES.items()}


@pytest.mark.pure
@pytest.mark.parametrize("name", CLASSES)
def test_the_help_of_a_command_names_the_exit_codes(name: str) -> None:
    words = " ".join(CLASSES[name]().create_parser("manage.py", name).format_help().split())
    assert all(f"{int(code)} {meaning}" in words for code, meaning in EXIT_CODES.items())


@pytest.mark.django_db
@pytest.mark.parametrize("name", CLASSES)
def test_an_unknown_tenant_is_refused_and_the_known_ones_are_named(tenant: Tenant, name: str) -> None:
    with pytest.raises(CommandError, match=r"There is no tenant 'acne'\. Known: acme\.") as refused:
        call_command(name, "acne", *ARGUMENTS.get(name, []))
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_without_any_tenant_that_is_said(db: None) -> None:
    with pytest.raises(CommandError, match="Known: none yet"):
        call_command("holds", "acme")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("holds acme --nonsense", 2),
        ("holds acne", 2),
        ("approve acme 99 --all", 2),
        ("approve acme --keep Nobody", 2),
        ("adopt acme Nobody", 2),
        ("versions acme --show 9", 2),
        ("scope acme --nested nothing", 2),
        ("configuration_export acme --version 9", 2),
        ("approve acme --all", 1),
        ("draft acme --publish", 1),
        ("test_connection acme", 1),
        ("configuration_import acme /nowhere", 1),
        ("sync acme", 1),
    ],
)
def test_a_shell_can_tell_a_wrong_call_from_a_failure(tenant: Tenant, line: str, code: int) -> None:
    assert ended(*line.split()) == code


@pytest.mark.django_db
@pytest.mark.parametrize("line", ["sync acme", "verify acme", "sync acme --full --confirm"])
def test_busy_is_an_exit_code_of_its_own(tenant: Tenant, line: str) -> None:
    Run.objects.create(tenant=tenant, number=1, kind="preview", trigger="person")
    assert ended(*line.split()) == 4


@pytest.mark.django_db(transaction=True)
def test_the_audit_log_knows_one_actor_for_all_commands(tenant: Tenant, tmp_path: Path) -> None:
    with_versions(tenant)
    with_draft(tenant)
    file = tmp_path / "configuration.json"
    file.write_text('{"settings": {"everybody": true}}')
    empty_audit_log()
    quiet: Any = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    for words in (["sync", "--confirm"], ["verify"], ["draft", "--preview"]):
        with pytest.raises(SystemExit):
            call_command(words[0], "acme", *words[1:], **quiet)
    call_command("configuration_import", "acme", str(file), **quiet)
    call_command("draft", "acme", "--discard", **quiet)
    call_command("scope", "acme", "--assigned-only", **quiet)
    call_command("readiness", "acme", **quiet)
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"run.request", "plan.confirm", "draft.discard", "readiness.check"} <= verbs
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {"command line"}
    assert set(Run.objects.filter(trigger="command").values_list("requested_by", flat=True)) == {"command line"}
