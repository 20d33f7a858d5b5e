"""The tests on another Python or Django than the locked ones: `run.py test --with python3.13 --django 6.1 [pytest …]`.

In an environment of its own beside `.venv`. Every package has its locked version, without its hash, but the one that is
asked for: so the next version to support is found out before it is locked.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the next version calls deprecated is shown, and fails nothing yet.
WARNINGS = "-W default::DeprecationWarning -W default::PendingDeprecationWarning"
sys.path.insert(0, str(ROOT))

from run import PIP


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py test", description=__doc__, allow_abbrev=False)
    parser.add_argument("--with", dest="python", default=sys.executable, help="a Python: its name or path")
    parser.add_argument("--django", default="", help="a version, such as 6.1: its newest release")
    options, rest = parser.parse_known_args()
    python = shutil.which(options.python)
    if python is None:
        sys.exit(f"There is no {options.python} here.")
    environment = ROOT / f".venv-{Path(options.python).name}-{options.django or 'locked'}"
    make(environment, python, requirements(options.django))
    os.environ["PYTEST_ADDOPTS"] = f"{os.environ.get('PYTEST_ADDOPTS', '')} {WARNINGS}"
    command = [str(environment / "bin" / "python"), str(ROOT / "tools" / "run_tests.py"), *rest]
    os.execv(command[0], command)


def requirements(django: str) -> list[str]:
    """`name==version ; condition`, as pip takes them."""
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    pins = [line.rstrip("\\ ") for line in lines if re.match(r"[a-z0-9]", line)]
    return [f"django=={django}.*" if django and pin.startswith("django==") else pin for pin in pins]


def make(environment: Path, python: str, wanted: list[str]) -> None:
    """Anew only where what is wanted has changed; a pre-release of that Python counts too."""
    stamp, text = environment / "wanted.txt", "\n".join(wanted)
    if stamp.is_file() and stamp.read_text() == text:
        return
    subprocess.run([python, "-m", "venv", "--without-pip", "--clear", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), f"{PIP}/pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--root-user-action", "ignore", "--no-deps", "--only-binary", ":all:"]
    file = environment / "asked.txt"
    file.write_text(text)
    subprocess.run([*pip, "-r", str(file)], check=True)
    file.rename(stamp)


if __name__ == "__main__":
    main()
