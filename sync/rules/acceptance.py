"""Whether AWS would take a person or a group, found out before anything is sent. Pure: no Django, no database.

`check_user` and `check_group` look at *desired units* (see sync/scim/resource.py) with what was kept from the last write
already among them; `check_name_id` compares with the name that Entra puts into its sign-in message.
Rules: AWS SCIM Developer Guide (CreateUser, limitations) and Identity Store API model (lengths, patterns, names).
Titles and remedies of the codes stand in sync/problems/catalogue.py.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.expressions.errors import gettext_noop
from sync.rules.rows import MappingRow, ObjectType
from sync.scim.diagnosis import MISSING, acceptable
from sync.scim.resource import (
    ATTRIBUTES,
    ENTERPRISE,
    LISTS,
    NO_BLANKS,
    REDACTED,
    RESERVED_IN,
    RESERVED_NAMES,
    ScimAttribute,
    Units,
    unit_of,
)

Outcome = Literal["refuses", "sign-in-fails", "may-refuse"]
NameIdSource = Literal["userPrincipalName", "mail"]

OUTCOMES: Mapping[Outcome, str] = {
    "refuses": gettext_noop("AWS refuses the whole person or group"),
    "sign-in-fails": gettext_noop("AWS takes the person, but sign-in fails"),
    "may-refuse": gettext_noop("AWS may refuse the whole person or group: the sources disagree"),
}


@dataclass(frozen=True, slots=True)
class AcceptanceRule:
    """One rule. `fix`: an expression that helps, around what the mapping reads now; empty where there is none."""

    code: str
    outcome: Outcome = "refuses"
    applies: tuple[ObjectType, ...] = ("user",)
    fix: str = ""

    @property
    def certain(self) -> bool:
        return self.outcome == "refuses"


BOTH: tuple[ObjectType, ...] = ("user", "group")
# Worst first: page, command and engine show them in this order.
CHECKS: tuple[AcceptanceRule, ...] = (
    AcceptanceRule("missing-given-name", fix='Coalesce({value}, "-")'),
    AcceptanceRule("missing-family-name", fix='Coalesce({value}, "-")'),
    AcceptanceRule("missing-display-name", applies=BOTH, fix="Coalesce({value}, [mailNickname])"),
    AcceptanceRule("missing-user-name", fix="Coalesce({value}, [userPrincipalName])"),
    AcceptanceRule("not-one-mail"),
    AcceptanceRule("too-many-values"),
    AcceptanceRule("bad-characters", applies=BOTH, fix='Replace({value}, " ", , , "", , )'),
    AcceptanceRule("too-long", applies=BOTH, fix="Left({value}, {limit})"),
    AcceptanceRule("empty-value", applies=BOTH),
    AcceptanceRule("reserved-name", applies=BOTH),
    AcceptanceRule("guest-name-id", "sign-in-fails"),
    AcceptanceRule("name-id-empty", "sign-in-fails"),
    AcceptanceRule("name-id-differs", "sign-in-fails"),
    AcceptanceRule("missing-mail", "may-refuse", fix="Coalesce({value}, [userPrincipalName])"),
    AcceptanceRule("maybe-refused-characters", "may-refuse", BOTH),
)
BY_CODE: Mapping[str, AcceptanceRule] = {check.code: check for check in CHECKS}
RANK: Mapping[str, int] = {check.code: rank for rank, check in enumerate(CHECKS)}


@dataclass(frozen=True, slots=True)
class AcceptanceFinding:
    """`attribute`: a target of the mapping, or the name of a list. `value`: as it would be sent; see `visible`."""

    code: str
    attribute: str
    certain: bool
    value: str = ""


def _finding(code: str, attribute: str, value: str = "") -> AcceptanceFinding:
    return AcceptanceFinding(code, attribute, BY_CODE[code].certain, value)


# --- People and groups ----------------------------------------------------------------------------

REQUIRED: Mapping[str, Sequence[str]] = {
    kind: [attribute.path for attribute in attributes.values() if attribute.required]
    for kind, attributes in ATTRIBUTES.items()
}
SHORTEST_LIMIT = min(attribute.max_length for attribute in ATTRIBUTES["user"].values())
# Microsoft's tutorial for this application lists them as refused; the pattern of AWS's model takes them.
DOUBTFUL = re.compile(r"[\t\n\r<>;:%]")
# AWS's own example of CreateUser sends a URL here, so the colon is in no doubt.
URLS = ("profileUrl",)


def check_user(units: Units) -> tuple[AcceptanceFinding, ...]:
    """Worst first; empty when nothing is wrong."""
    found = _check("user", units)
    # The user guide asks everybody for an e-mail; the Developer Guide does not list it as required.
    if "emails" not in units:
        found.append(_finding("missing-mail", "emails"))
    return worst_first(found)


def check_value(kind: ObjectType, target: str, value: str | None) -> tuple[AcceptanceFinding, ...]:
    """One target alone: what AWS would say to this value of it."""
    attribute = ATTRIBUTES[kind].get(target) or ScimAttribute(target)
    if not value:
        return (_finding(MISSING[target], target),) if attribute.required else ()
    found = list(_text(attribute, value))
    if target == RESERVED_IN[kind] and value in RESERVED_NAMES:
        found.append(_finding("reserved-name", target, value))
    return worst_first(found)


def check_group(units: Units) -> tuple[AcceptanceFinding, ...]:
    return worst_first(_check("group", units))


def worst_first(findings: Iterable[AcceptanceFinding]) -> tuple[AcceptanceFinding, ...]:
    return tuple(sorted(findings, key=lambda finding: RANK[finding.code]))


def _check(kind: ObjectType, units: Units) -> list[AcceptanceFinding]:
    found = [_finding(MISSING[path], path) for path in REQUIRED[kind] if not units.get(path)]
    name = units.get(RESERVED_IN[kind])
    if name in RESERVED_NAMES:
        found.append(_finding("reserved-name", RESERVED_IN[kind], name))
    for name in LISTS:
        if name in units:
            found += _list(name, units[name])
    if not _plain(units):
        for attribute, text in _texts(kind, units):
            found += _text(attribute, text)
    return found


def _plain(units: Units) -> bool:
    """A quick look at all texts together, since hardly anybody needs the slow one.

    Printable means: no character of the categories C and Z but the space (Python, str.isprintable).
    """
    texts = [value for value in units.values() if isinstance(value, str)]
    for name in LISTS:
        for element in units.get(name, ()):
            texts += [value for value in element.values() if isinstance(value, str)]
    together = "".join(texts)
    return (
        together.isprintable()
        and not DOUBTFUL.search(together)
        and all(texts)
        and max(map(len, texts), default=0) <= SHORTEST_LIMIT
        and not any(" " in units.get(name, "") for name in NO_BLANKS)
    )


def _texts(kind: ObjectType, units: Units) -> Iterator[tuple[ScimAttribute, str]]:
    for unit, value in units.items():
        if isinstance(value, str):
            yield ATTRIBUTES[kind].get(unit) or ScimAttribute(unit), value
    for name in LISTS:
        for element in units.get(name, ()):
            for part, value in element.items():
                if isinstance(value, str):
                    yield ScimAttribute(f'{name}[type eq "{element.get("type", "work")}"].{part}'), value


def _text(attribute: ScimAttribute, text: str) -> Iterator[AcceptanceFinding]:
    if not text and not attribute.required:
        yield _finding("empty-value", attribute.path)
    # Python and Smithy's @length both count code points.
    if len(text) > attribute.max_length:
        yield _finding("too-long", attribute.path, text)
    if _refused(attribute, text):
        yield _finding("bad-characters", attribute.path, text)
    elif _doubtful(attribute, text):
        yield _finding("maybe-refused-characters", attribute.path, text)


def _refused(attribute: ScimAttribute, text: str) -> set[str]:
    return {char for char in _odd(attribute, text) if not acceptable(attribute, char) and not _unassigned(char)}


def _doubtful(attribute: ScimAttribute, text: str) -> bool:
    listed = attribute.path not in URLS and DOUBTFUL.search(text) is not None
    return listed or any(_unassigned(char) for char in _odd(attribute, text))


def _odd(attribute: ScimAttribute, text: str) -> set[str]:
    """The characters worth a closer look: mostly none."""
    if text.isprintable() and not (" " in text and attribute.path in NO_BLANKS):
        return set()
    return {char for char in text if char == " " or not char.isprintable()}


def _unassigned(char: str) -> bool:
    """Perhaps younger than our Unicode tables and known to AWS's: nobody can say."""
    return unicodedata.category(char) == "Cn"


def _list(name: str, elements: Sequence[Mapping[str, Any]]) -> Iterator[AcceptanceFinding]:
    if len(elements) == 1 and (name != "emails" or elements[0].get("primary") is True):
        return
    shown = ", ".join(_shown(element) for element in elements)
    if len(elements) > 1:
        yield _finding("too-many-values", name, shown)
    else:
        yield _finding("not-one-mail" if name == "emails" else "empty-value", name, shown)


def _shown(element: Mapping[str, Any]) -> str:
    return str(element.get("value") or element.get("formatted") or element.get("type", ""))


# --- Sign-in --------------------------------------------------------------------------------------


def check_name_id(user_name: str, properties: Mapping[str, Any], source: NameIdSource) -> tuple[AcceptanceFinding, ...]:
    """AWS signs in whoever's userName equals the SAML NameID, letter case included (user guide, troubleshooting).

    `properties`: of Microsoft Graph. `source`: the attribute that the application's NameID claim is made of.
    """
    if not user_name:
        return ()
    name_id = properties.get(source) or ""
    if not name_id:
        return (_finding("name-id-empty", "userName"),)
    # Entra sends a guest's name of the home tenant or this one, by how the guest signs in (Microsoft, External ID:
    # claims mapping): neither can be known here. AWS's guide suggests mail for guests.
    if source == "userPrincipalName" and "#EXT#" in name_id:
        return (_finding("guest-name-id", "userName", name_id),)
    return (_finding("name-id-differs", "userName", name_id),) if name_id != user_name else ()


# --- What to show ---------------------------------------------------------------------------------

GENERIC = "Request is unparsable, syntactically incorrect, or violates schema."
SOLID_PATTERN = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"
BLANK_PATTERN = r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r " + "\u00a0\u3000]+"


def aws_words(finding: AcceptanceFinding) -> str:
    """The text with which AWS refuses this, as its CloudTrail events print it; empty where it does not refuse."""
    if not finding.certain:
        return ""
    value_at = f"Value at '{_aws_path(finding.attribute)}' failed to satisfy constraint: Member must"
    pattern = f"{value_at} satisfy regular expression pattern: {_pattern(finding.attribute)}"
    empty = f"{value_at} have length greater than or equal to 1"
    match finding.code:
        case "too-many-values":
            return f"List attribute {finding.attribute} exceeds allowed limit of 1"
        case "bad-characters":
            return f"1 validation errors detected: {pattern}"
        case "too-long":
            return f"1 validation errors detected: {value_at} have length less than or equal to {_limit(finding)}"
        case (
            "empty-value" | "missing-given-name" | "missing-family-name" | "missing-display-name" | "missing-user-name"
        ):
            return f"2 validation errors detected: {empty}; {pattern}"
    # For a reserved name or an e-mail that is not primary only the general sentence has been seen.
    return GENERIC


def _aws_path(attribute: str) -> str:
    """`urn:…:User.department`, `emails.value`."""
    if attribute.startswith(f"{ENTERPRISE}:"):
        return f"{ENTERPRISE}.{attribute.removeprefix(f'{ENTERPRISE}:')}"
    return re.sub(r"\[[^\]]*\]", "", attribute)


def _pattern(attribute: str) -> str:
    return SOLID_PATTERN if attribute in NO_BLANKS else BLANK_PATTERN


def _limit(finding: AcceptanceFinding) -> int:
    """The same for people and groups wherever both have the attribute."""
    known = ATTRIBUTES["user"].get(finding.attribute) or ScimAttribute(finding.attribute)
    return known.max_length


def proposal(finding: AcceptanceFinding, row: MappingRow) -> str:
    """An expression for the row that writes the attribute; empty when none is known to help."""
    template = BY_CODE[finding.code].fix
    if not _helps(template, finding, row):
        return ""
    source = row.source if row.kind == "expression" else f"[{row.source}]"
    return template.replace("{limit}", str(_limit(finding))).replace("{value}", source)


def proposal_for(code: str, attribute: str, row: MappingRow, value: str = "") -> str:
    """As `proposal`, of what a log entry or a standing names."""
    return proposal(AcceptanceFinding(code, attribute, True, value), row) if code in BY_CODE else ""


def _helps(template: str, finding: AcceptanceFinding, row: MappingRow) -> bool:
    if template.startswith("Coalesce"):
        # It passes over null, as Graph gives, but not over the empty text that an expression may give.
        return row.kind == "direct"
    if template.startswith("Replace"):
        spaces_only = _refused(ScimAttribute(finding.attribute), finding.value) == {" "}
        return spaces_only and row.kind in ("direct", "expression")
    return row.kind in ("direct", "expression")


def visible(text: str) -> str:
    """Control, invisible and unusual blank characters by number: `Zero[U+200B]width`. Safe to store and to print."""
    return "".join(char if char.isprintable() else f"[U+{ord(char):04X}]" for char in text)


def shown(finding: AcceptanceFinding, redacted: Collection[str]) -> str:
    """The value as pages show it; `redacted`: units whose values they must not show."""
    return REDACTED if finding.value and unit_of(finding.attribute) in redacted else visible(finding.value)
