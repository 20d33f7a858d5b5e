"""An entry as a line of JSON: what is shipped, exported, and compared with the table afterwards."""

import json
from typing import Any

from sync.audit import chain
from sync.models import AuditEntry


def line_of(entry: AuditEntry) -> dict[str, Any]:
    """All that is signed, with signature and place."""
    return chain.content(entry) | {"mac": entry.mac, "position": entry.position, "chain_hash": entry.chain_hash}


def to_text(entry: AuditEntry) -> str:
    """One line, in ASCII: U+2028 too ends a line for some readers."""
    return json.dumps(line_of(entry)) + "\n"
