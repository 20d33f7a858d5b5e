"""The container image without a container: its Dockerfile's steps in a folder, by a user without rights."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from tests.world.programs import ROOT, Program, clean_environment

NOBODY = 65534
INSTALL = "pip install"


def instructions(text: str) -> list[tuple[str, str]]:
    """(FROM, python:…), (RUN, …): continued lines joined, comments left out."""
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines if line and line[0] != "#"]


def context() -> list[Path]:
    """What .dockerignore lets through of the files that git has, as paths below the project."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    return [Path(name) for name in tracked.splitlines() if not ignored(name, rules) and (ROOT / name).exists()]


def ignored(name: str, rules: list[str]) -> bool:
    """The last rule that matches the path, or a folder above it, decides (Docker's documentation, ".dockerignore")."""
    paths = [Path(name), *Path(name).parents[:-1]]
    found = False
    for rule in rules:
        pattern, anywhere = rule.lstrip("!").removeprefix("**/"), "**/" in rule
        if any(fnmatch.fnmatchcase(path.name if anywhere else str(path), pattern) for path in paths):
            found = not rule.startswith("!")
    return found


def base_python() -> str:
    """One of this version that any user may start: pyenv's stands in somebody's home."""
    own, systems = os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}"
    return systems if Path(systems).exists() else own


@dataclass
class Image:
    """`folder` is its root. Packages come from the environment of these tests, not from pip."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)

    def build(self) -> None:
        for name in ("app", "opt", "tmp"):
            (self.folder / name).mkdir()
        if os.getuid() == 0:
            for name in ("app", "opt", "tmp"):
                os.chown(self.folder / name, NOBODY, NOBODY)
        for name, rest in instructions((ROOT / "Dockerfile").read_text()):
            if name == "ENV":
                self.environment |= dict(self.here(item).split("=", 1) for item in rest.split())
            elif name == "RUN" and INSTALL in rest:
                self.run(self.here(rest.partition(" && ")[0]))
                self.lend_packages()
            elif name == "RUN":
                self.run(self.here(rest))
            elif name == "COPY" and rest == ". .":
                self.copy_context()
            elif name == "CMD":
                self.command = json.loads(rest)
        for path in [self.folder / "app", *(self.folder / "app").rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)

    def here(self, text: str) -> str:
        text = re.sub(r"(?<![\w/])/(app|tmp|opt)\b", rf"{self.folder}/\1", text)
        return re.sub("^python (?=-m venv)", f"{base_python()} ", text)

    def lend_packages(self) -> None:
        ours = Path(sys.executable).parent
        venv = self.folder / "opt" / "venv"
        (site,) = venv.glob("lib/python*/site-packages")
        (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
        for script in ("celery", "gunicorn"):
            lines = (ours / script).read_text().splitlines()
            (venv / "bin" / script).write_text("\n".join([f"#!{venv}/bin/python", *lines[1:]]))
            (venv / "bin" / script).chmod(0o755)

    def copy_context(self) -> None:
        for path in context():
            (self.folder / "app" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, self.folder / "app" / path)
        (self.folder / "app").chmod(0o777)

    def run(self, command: str, **environment: str) -> None:
        done = subprocess.run(
            [*as_nobody(), "sh", "-ec", command],
            cwd=self.folder / "app",
            env=self.variables(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, command: list[str], **environment: str) -> Program:
        return Program([*as_nobody(), *command], self.variables(**environment), self.folder / "app")

    def variables(self, **extra: str) -> dict[str, str]:
        path = f"{self.folder}/opt/venv/bin:{os.environ['PATH']}"
        return clean_environment() | self.environment | {"PATH": path, "HOME": "/nonexistent"} | extra


def as_nobody() -> list[str]:
    """setpriv(1): the user of the image has a number and no name."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
