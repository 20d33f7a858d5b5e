"""Object ids of the directory: GUIDs (Microsoft Graph, directoryObject: id), and what stands for one in a path."""

import re
import uuid
from urllib.parse import quote

from sync.graph.errors import InvalidId

GUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
HEX_DIGITS = "[0-9a-fA-F]{32}"


def is_guid(text: str) -> bool:
    """In the usual form. `uuid.UUID` alone also takes `urn:`, underscores and digits of other scripts."""
    return re.fullmatch(GUID, text) is not None


def plain_guid(text: str) -> str | None:
    """The usual form, in lower case, of what was copied with braces or without hyphens; None when it is no GUID."""
    bare = text.strip().removeprefix("{").removesuffix("}").replace("-", "")
    return str(uuid.UUID(bare)) if re.fullmatch(HEX_DIGITS, bare) else None


def segment(text: str) -> str:
    """One segment of a path, whatever it holds. Raises InvalidId.

    Dots cannot be quoted: a client takes `.` and `..` for steps in the hierarchy (RFC 3986 section 5.2.4).
    """
    if text in {"", ".", ".."}:
        raise InvalidId(f"“{text}” cannot be an id. Nothing was sent.")
    return quote(text, safe="")
