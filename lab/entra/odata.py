"""Query parameters of Graph ($select, $top, $filter, $search, $skiptoken) and the links of an answer (OData 4.0)."""

import re
from typing import Any
from urllib.parse import quote, urlencode

from lab.entra.shapes import bad, decode_token, encode_token, unsupported
from lab.http import Request

DEFAULT_TOP = 100
# Properties that have a column of their own, in lower case.
COLUMNS = {"displayName": "name", "userPrincipalName": "upn", "mail": "mail", "id": "id"}
MOST_IN = 15
STARTS = re.compile(r"startswith\((\w+),\s*'((?:[^']|'')*)'\)", re.IGNORECASE)
IN = re.compile(r"(\w+) in \(('(?:[^']|'')*'(?:\s*,\s*'(?:[^']|'')*')*)\)", re.IGNORECASE)
EQUALS = re.compile(r"(\w+) eq (?:'((?:[^']|'')*)'|(true|false))", re.IGNORECASE)
SEARCH = re.compile(r'"(\w+):((?:[^"\\]|\\.)*)"')


class Links:
    """`origin`: Graph's own address; `elsewhere`: another host, for links that lead away. Known when the lab listens."""

    def __init__(self) -> None:
        self.origin = ""
        self.elsewhere = "https://elsewhere.example"

    def context(self, what: str) -> str:
        return f"{self.origin}/v1.0/$metadata#{what}"

    def next(self, path: str, parameters: dict[str, str], position: Any) -> str:
        """The nextLink of a list: the same query, from `position` on."""
        kept = {name: value for name, value in parameters.items() if name != "$skiptoken"}
        query = urlencode({**kept, "$skiptoken": encode_token(position)}, safe="$", quote_via=quote)
        return f"{self.origin}/v1.0/{path}?{query}"


def select(request: Request) -> list[str]:
    return [name for name in request.parameters.get("$select", "").split(",") if name]


def top(parameters: dict[str, str]) -> int:
    text = parameters.get("$top")
    if text is None:
        return DEFAULT_TOP
    if not text.isdigit() or not 1 <= int(text) <= 999:
        raise bad(f"Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive.")
    return int(text)


def skip(parameters: dict[str, str]) -> int:
    """The position after which a page begins."""
    text = parameters.get("$skiptoken")
    return int(decode_token(text)) if text else 0


def starts_with(text: str) -> tuple[str, str] | None:
    """Property and value of a $filter that is one startswith."""
    found = STARTS.fullmatch(text)
    return (found[1], _unquoted(found[2])) if found else None


def condition(parameters: dict[str, str], kind: str, advanced: bool) -> tuple[str, list[Any]]:
    """SQL and its values. `advanced`: the request asks for eventual consistency."""
    if "$search" in parameters:
        if not advanced:
            raise unsupported(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        return _search(parameters["$search"], kind)
    return _filter(parameters["$filter"], kind) if "$filter" in parameters else ("1", [])


def _search(text: str, kind: str) -> tuple[str, list[Any]]:
    """Tokens of the display name begin with the text; other properties begin with it themselves."""
    clauses = SEARCH.findall(text)
    if not clauses:
        raise bad("Syntax error: character '\"' is expected in $search.")
    parts: list[str] = []
    values: list[Any] = []
    for name, raw in clauses:
        value = _like(raw.replace('\\"', '"').replace("\\\\", "\\"))
        if name == "displayName":
            parts.append("name LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\'")
            values += [f"{value}%", f"% {value}%"]
        elif name in COLUMNS and not (kind == "groups" and name == "userPrincipalName"):
            parts.append(f"{COLUMNS[name]} LIKE ? ESCAPE '\\'")
            values.append(f"{value}%")
        else:
            parts.append("lower(json_extract(body, ?)) LIKE ? ESCAPE '\\'")
            values += [f"$.{name}", f"{value}%"]
    return " OR ".join(f"({part})" for part in parts), values


def _like(text: str) -> str:
    return text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _filter(text: str, kind: str) -> tuple[str, list[Any]]:
    """eq and startswith, joined by one of and, or, and `in` alone: what a picker needs."""
    if found := IN.fullmatch(text.strip()):
        return _in(found[1], found[2])
    joined = " AND " if re.search(r"\)\s+and\s+|'\s+and\s+", text) else " OR "
    parts: list[str] = []
    values: list[Any] = []
    for clause in re.split(r"\s+(?:and|or)\s+(?=\w+[ (])", text):
        if found := STARTS.fullmatch(clause.strip()):
            parts.append(f"{_column(found[1])} LIKE ? ESCAPE '\\'")
            values.append(_like(_unquoted(found[2])) + "%")
        elif found := EQUALS.fullmatch(clause.strip()):
            flag = {"true": 1, "false": 0}.get((found[3] or "").lower())
            parts.append(f"{_column(found[1])} = ?")
            values.append(flag if flag is not None else _unquoted(found[2] or "").lower())
        else:
            raise unsupported(f"Unsupported or invalid query filter clause specified for resource '{kind}'.")
    return joined.join(parts), values


def _in(name: str, listed: str) -> tuple[str, list[Any]]:
    values = [_unquoted(value).lower() for value in re.findall(r"'((?:[^']|'')*)'", listed)]
    if len(values) > MOST_IN:
        raise bad(
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {len(values)}. Max allowed: {MOST_IN}."
        )
    return f"{_column(name)} IN ({', '.join('?' * len(values))})", list(values)


def _column(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise bad("Invalid filter clause")
    return COLUMNS.get(name) or f"lower(json_extract(body, '$.{name}'))"


def _unquoted(text: str) -> str:
    """Inside a literal a quote is written twice (OData 4.0 ABNF)."""
    return text.replace("''", "'")
