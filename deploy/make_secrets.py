#!/usr/bin/env python3
"""Makes the secrets of an installation, a file each, where nothing is yet. Needs Python and nothing else.

python3 deploy/make_secrets.py                                            for compose.yaml: ./secrets
python3 deploy/make_secrets.py --host 127.0.0.1 /etc/lockstep/secrets     PostgreSQL and Valkey on this machine
"""

import argparse
import base64
import os
import secrets
import sys
from pathlib import Path

# What the broker must do: keep messages over a restart, and refuse new ones rather than throw old ones away.
# Where it keeps them, a packaged server knows by itself; the container is told.
BROKER_CONF = """\
requirepass {password}
appendonly yes
maxmemory-policy noeviction
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes the secrets of an installation, a file each.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("secrets"))
    parser.add_argument("--host", help="of database and broker; without it those of compose.yaml")
    options = parser.parse_args(arguments)
    try:
        # Only its owner gets in: the files are read by another user, inside a container.
        options.folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        print(f"{options.folder} is there already: nothing was made.", file=sys.stderr)
        return 1
    for name, value in new_secrets(options.host).items():
        path = options.folder / name
        path.write_text(value.rstrip("\n") + "\n")
        path.chmod(0o444)
        print(path)
    return 0


def new_secrets(host: str | None) -> dict[str, str]:
    """Passwords of letters and digits: they stand in URLs."""
    database, broker = secrets.token_hex(24), secrets.token_hex(24)
    return {
        "secret_key": secrets.token_urlsafe(50),
        "seal_keys": f"{os.urandom(4).hex()}:{base64.b64encode(os.urandom(32)).decode()}",
        "postgres_password": database,
        "database_url": f"postgresql://lockstep:{database}@{host or 'database'}/lockstep",
        "broker_conf": BROKER_CONF.format(password=broker) + ("" if host else "dir /data\n"),
        "broker_url": f"redis://:{broker}@{host or 'broker'}:6379/0",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
