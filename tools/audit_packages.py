"""Asks a source of advisories about the locked packages, or says in one line that none can be reached.

A mirror without advisories says of everything that nothing is known. So it is asked first about a version of which much is.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "embedded.txt"
SOURCES = ("osv", "pypi")
KNOWN = "django==3.2.0"
NONE = "No source of advisories can be reached: whether anything is known against the locked packages was not asked."


def main() -> int:
    source = next((one for one in SOURCES if knows(one)), None)
    if source is None:
        print(NONE)
        return 0
    asked = ask(source, "--strict", "--require-hashes", "-r", str(LOCK))
    print(f"Asked {source}: {asked.stdout}{asked.stderr}".strip())
    return asked.returncode


def knows(source: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "known.txt"
        named.write_text(KNOWN)
        asked = ask(source, "--no-deps", "--format", "json", "-r", str(named))
    try:
        return any(one.get("vulns") for one in json.loads(asked.stdout)["dependencies"])
    except (ValueError, KeyError):
        return False


def ask(source: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner", "off", "--timeout", "10"]
    return subprocess.run(
        [*command, "--vulnerability-service", source, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
