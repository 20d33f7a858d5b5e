"""The documents: every link leads somewhere, every command that they show can be called like that."""

import argparse
import functools
import re
import shlex
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError

from portal.deployment import checks
from sync.keyring import parse_ring
from sync.notifications.queries import KINDS
from tests.world.programs import ROOT, lint
from tools import pictures

pytestmark = pytest.mark.pure
DOCS = sorted((ROOT / "docs").glob("*.md"))
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
TEXTS = {
    path: path.read_text()
    for path in [*DOCS, *DECISIONS, ROOT / "docs/decisions/README.md", *sorted(ROOT.glob("*.md"))]
}
OWN = {name for name, app in get_commands().items() if app in ("portal", "sync")}
# Of run.py itself.
RUN = {"test", "simulate", "chaos", "help"}
# Programs that the documents start and this project has not.
OTHERS = {
    "adduser",
    "apt",
    "az",
    "cat",
    "celery",
    "cp",
    "docker",
    "echo",
    "gunicorn",
    "install",
    "runuser",
}


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[path]):
        if target.startswith("https://"):
            continue
        file, _hash, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_file_that_is_named_is_there(path: Path) -> None:
    named = re.findall(r"`((?:bench|deploy|docs|lab|portal|sync|tests|tools)/[\w./-]+)`", TEXTS[path])
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_stands_on_the_shelf() -> None:
    shelf = (ROOT / "docs" / "README.md").read_text()
    assert [path.name for path in DOCS if path.name != "README.md" and f"({path.name})" not in shelf] == []


def test_every_picture_is_there_in_light_and_in_dark_and_says_what_it_shows() -> None:
    text = (ROOT / "README.md").read_text()
    names = re.findall(r'<img src="docs/pictures/(\w+)-light.png" alt="[^"]{20,}">', text)
    assert names == re.findall(r'srcset="docs/pictures/(\w+)-dark.png"', text)
    assert text.count("docs/pictures/") == 2 * len(names)
    assert sorted(names) == sorted(pictures.PICTURES), "tools/pictures.py"


def test_the_pictures_are_those_that_their_script_takes() -> None:
    taken = {f"{name}-{scheme}.png": pictures.SIZE for name in pictures.PICTURES for scheme in pictures.SCHEMES}
    assert {path.name: size_of(path) for path in pictures.FOLDER.iterdir()} == taken, "tools/pictures.py"


def size_of(picture: Path) -> tuple[int, ...]:
    """Width and height, from the head of a PNG file."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


def test_every_decision_is_listed_under_its_number_and_says_the_same_things() -> None:
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\)$", (ROOT / "docs/decisions/README.md").read_text(), re.MULTILINE)
    assert [name for _number, _title, name in listed] == [path.name for path in DECISIONS]
    for (number, title, _name), path in zip(listed, DECISIONS, strict=True):
        assert TEXTS[path].startswith(f"# {number} · {title}\n")
        assert {"Chosen", "Against", "Why"} <= set(re.findall(r"^\*\*(\w+)\.?\*\*", TEXTS[path], re.MULTILINE)), (
            path.name
        )


@pytest.mark.parametrize(("schema", "files"), [("forms", "[!c]*.yml"), ("config", "config.yml")])
def test_forms_of_issues_are_such_by_their_schema(schema: str, files: str) -> None:
    paths = [str(path) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob(files)]
    code, said = lint("check-jsonschema", "--builtin-schema", f"vendor.github-issue-{schema}", *paths)
    assert code == 0, said


def test_forms_of_issues_ask_for_what_is_needed() -> None:
    forms = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))]
    assert len(forms) == 3
    for form in forms:
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert {"name", "description", "body"} <= form.keys()
        assert len({field["id"] for field in fields}) == len(fields)
        assert all(field["attributes"]["label"] for field in fields)


def shown() -> Iterator[tuple[str, str]]:
    """(page, line) of every block without a language: such a block is for a shell. Continued lines are joined."""
    for path, text in TEXTS.items():
        blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
        for block in (block for language, block in blocks if not language):
            lines = re.sub(r"\\\n\s*", " ", block).splitlines()
            yield from ((path.name, line.strip()) for line in lines if line.strip())


COMMANDS = [pytest.param(line, id=f"{name}: {line}") for name, line in shown()]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_that_is_shown_can_be_called_like_that(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "/opt/lockstep/deploy/systemd/lockstep":
        words = ["manage.py", *words[1:]]
    if words[:2] == ["python3", "run.py"]:
        words = words[1:]
    if words[0] == "docker" and "manage.py" in words:
        words = words[words.index("manage.py") :]
    if words[0] in ("run.py", "manage.py"):
        parses(words[1], words[2 : cut(words)])
    elif words[0] in ("python3", "/usr/bin/python3"):
        assert words[1] in ("-c", "-m") or (ROOT / words[1].removeprefix("/opt/lockstep/")).exists()
    elif words[0] == "systemctl":
        ours = [word for word in words if word.startswith("lockstep-")]
        assert [name for name in ours if not (ROOT / f"deploy/systemd/{name}.service").exists()] == []
    else:
        assert words[0] in OTHERS or words[0].startswith("/opt/lockstep/.venv/bin/")


def cut(words: list[str]) -> int | None:
    """Where the output goes is the shell's business."""
    return words.index(">") if ">" in words else None


def parses(command: str, arguments: list[str]) -> None:
    if command in RUN:
        return
    assert command in get_commands(), command
    try:
        parser_of(command).parse_args(arguments)
    except (CommandError, argparse.ArgumentError, SystemExit) as error:
        pytest.fail(f"{command} {arguments}: {error}")


def test_the_commands_that_make_keys_are_those_that_a_refusal_names_and_make_some() -> None:
    makers = [line for _page, line in shown() if line.startswith("python3 -c")]
    assert makers == [checks.MAKE_SIGNING_KEY, checks.MAKE_SEAL_KEYS]
    signing, ring = (
        subprocess.run([sys.executable, *shlex.split(line)[1:]], capture_output=True, text=True, check=True).stdout
        for line in makers
    )
    assert len(signing.strip()) > 50
    assert len(parse_ring(ring)) == 1


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_options_that_are_named_with_their_command_are_its_own(path: Path) -> None:
    """In the running text and in tables: `sync TENANT [--full]`."""
    wrong = [
        f"{name} {option}"
        for name, rest in re.findall(r"`(?:python3 )?(?:(?:run|manage)\.py )?([a-z_]+) ([^`]+)`", TEXTS[path])
        if name in OWN
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest)
        if option not in options_of(name)
    ]
    assert wrong == []


@functools.cache
def options_of(command: str) -> set[str]:
    if command == "lab":  # It reads its own.
        asked = [sys.executable, "-m", "lab", "--help"]
        said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return set(re.findall(r"--[a-z-]+", said))
    return set(parser_of(command)._option_string_actions)


@functools.cache
def parser_of(command: str) -> argparse.ArgumentParser:
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_commands_that_are_named_exist(path: Path) -> None:
    named = re.findall(r"`(?:python3 )?(?:run|manage)\.py ([a-z_]+)", TEXTS[path])
    assert [name for name in named if name not in RUN and name not in get_commands()] == []


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in sorted(OWN - {"welcome"}) if not re.search(rf"`[^`]*\b{name}\b", text)] == []


def test_the_newest_version_of_the_changelog_is_what_every_page_says() -> None:
    (newest, *_older) = re.findall(
        r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [settings.VERSION, package["version"]] == [newest, newest]
    assert f"Version {newest}, " in (ROOT / "README.md").read_text()


def test_every_kind_of_incident_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = [f"| `{kind.name}` | {kind.label} | {kind.meaning} |" for kind in KINDS]
    assert [row for row in rows if row not in text] == []
