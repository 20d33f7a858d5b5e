"""Compiles the locked requirements from pyproject.toml, with hashes and without any registry's address. Needs uv."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {"base": [], "embedded": ["embedded"], "dev": ["embedded", "dev"]}
OPTIONS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
HOST = re.compile(r"https?://|--index-url|--find-links")


def main() -> int:
    for group, extras in GROUPS.items():
        target = ROOT / "requirements" / f"{group}.txt"
        named = [word for extra in extras for word in ("--extra", extra)]
        constraint = [] if group == "base" else ["-c", "requirements/base.txt"]
        command = ["uv", "pip", "compile", *OPTIONS, "--no-emit-index-url", *named, *constraint, "pyproject.toml"]
        subprocess.run([*command, "-o", str(target)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        if HOST.search(target.read_text()):
            print(f"{target.name} names a host; a lock must not.", file=sys.stderr)
            return 1
    # In the environment of the new locks: the next `run.py test` makes it.
    print("Now: python3 run.py test --version && .venv/bin/python tools/bill_of_materials.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
