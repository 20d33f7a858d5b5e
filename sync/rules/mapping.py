"""Source object -> the value of each AWS attribute, with a trace of which rule gave which value.

Pure: no Django, no database. `compile_mappings` once per configuration, then `map_object` per object;
`check_mapping` says before a row is saved what would go wrong. Sentences stand in MESSAGES, for translation.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Literal

from sync import expressions
from sync.expressions import IGNORE, IGNORE_OBJECT, Expression, ExpressionError, Result, Value
from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.values import is_empty, text
from sync.scim.resource import ATTRIBUTES, IN_LIST, LISTS

Kind = Literal["direct", "constant", "expression", "reference", "none"]
Apply = Literal["always", "create"]
WhenEmpty = Literal["clear", "keep"]
ObjectType = Literal["user", "group"]
SourceType = Literal["text", "boolean", "list", "date", "reference"]
# What userPrincipalName stands for when the person is a guest.
GuestName = Literal["invited", "original", "mail"]


@dataclass(frozen=True)
class MappingRow:
    """One row: where the value of an AWS attribute (`target`, a SCIM path) comes from.

    `source` is an attribute name, a constant or an expression, by `kind`; kind none has no source: what AWS holds is
    left alone, and filled with the default whenever it is empty. Else `default` is used when the source is empty, on
    create, and with `default_on_update` always. `matching` is the precedence (1 first) of a matching attribute, or None.
    `when_empty`: what AWS holds is cleared, or kept, once the source becomes empty.
    """

    target: str
    kind: Kind
    source: str
    default: str = ""
    apply: Apply = "always"
    matching: int | None = None
    position: int = 0
    id: int | None = None
    when_empty: WhenEmpty = "clear"
    default_on_update: bool = False


ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"

# The template of a SCIM application in Entra, row by row, names as its portal shows them.
USER_TEMPLATE: tuple[tuple[str, Kind, str, int | None], ...] = (
    ("userPrincipalName", "direct", "userName", 1),
    ('Switch([IsSoftDeleted], , "False", "True", "True", "False")', "expression", "active", None),
    ("displayName", "direct", "displayName", None),
    ("jobTitle", "direct", "title", None),
    ("mail", "direct", 'emails[type eq "work"].value', None),
    ("preferredLanguage", "direct", "preferredLanguage", None),
    ("givenName", "direct", "name.givenName", None),
    ("surname", "direct", "name.familyName", None),
    ('Join(" ", [givenName], [surname])', "expression", "name.formatted", None),
    ("physicalDeliveryOfficeName", "direct", 'addresses[type eq "work"].formatted', None),
    ("streetAddress", "direct", 'addresses[type eq "work"].streetAddress', None),
    ("city", "direct", 'addresses[type eq "work"].locality', None),
    ("state", "direct", 'addresses[type eq "work"].region', None),
    ("postalCode", "direct", 'addresses[type eq "work"].postalCode', None),
    ("country", "direct", 'addresses[type eq "work"].country', None),
    ("telephoneNumber", "direct", 'phoneNumbers[type eq "work"].value', None),
    ("mobile", "direct", 'phoneNumbers[type eq "mobile"].value', None),
    ("facsimileTelephoneNumber", "direct", 'phoneNumbers[type eq "fax"].value', None),
    ("mailNickname", "direct", "externalId", None),
    ("employeeId", "direct", ENTERPRISE + "employeeNumber", None),
    ("department", "direct", ENTERPRISE + "department", None),
    ("manager", "reference", ENTERPRISE + "manager", None),
)
DEFAULT_USER_MAPPINGS = tuple(
    MappingRow(target, kind, source, matching=matching, position=position)
    for position, (source, kind, target, matching) in enumerate(USER_TEMPLATE, start=1)
)
DEFAULT_GROUP_MAPPINGS: tuple[MappingRow, ...] = (
    MappingRow("displayName", "direct", "displayName", matching=1, position=1),
    MappingRow("externalId", "direct", "objectId", position=2),
    MappingRow("members", "reference", "members", position=3),
)
# AWS takes one phone number per person, and wants an identifier that is stable and unique
# (AWS Security Blog and user guide, "Azure AD": delete mobile and fax, externalId from objectId).
NOT_FOR_AWS = ('phoneNumbers[type eq "mobile"].value', 'phoneNumbers[type eq "fax"].value')
SOURCES_FOR_AWS = {"externalId": "objectId"}


def recommended_for_aws(mappings: Iterable[MappingRow]) -> tuple[MappingRow, ...]:
    """The rows with the three edits that AWS needs; edits made by hand elsewhere stay."""
    return tuple(
        replace(row, kind="direct", source=SOURCES_FOR_AWS[row.target]) if row.target in SOURCES_FOR_AWS else row
        for row in mappings
        if row.target not in NOT_FOR_AWS
    )


# --- What AWS takes: read from the one table of its attributes (sync/scim/resource.py) ------------


def offered(target: str) -> bool:
    """List items may have any type; pages offer the one that the template uses."""
    item = IN_LIST.fullmatch(target)
    return item is None or item["kind"] == "work"


TARGETS: dict[str, tuple[str, ...]] = {
    object_type: tuple(target for target in table if offered(target)) for object_type, table in ATTRIBUTES.items()
}
REQUIRED: dict[str, frozenset[str]] = {
    object_type: frozenset(one.path for one in table.values() if one.required)
    for object_type, table in ATTRIBUTES.items()
}
FILTERABLE: dict[str, tuple[str, ...]] = {
    object_type: tuple(one.path for one in table.values() if one.filterable)
    for object_type, table in ATTRIBUTES.items()
}
EVERY_TARGET = [one for table in ATTRIBUTES.values() for one in table.values()]
BOOLEANS = frozenset(one.path for one in EVERY_TARGET if one.kind == "boolean")
REFERENCES = frozenset(one.path for one in EVERY_TARGET if one.kind == "reference")
LENGTHS = {one.path: one.max_length for one in EVERY_TARGET}
LENGTH = max(LENGTHS.values())
# Parts of the items of AWS's lists. Lists take one item: two rows may share a list only where they fill the same item.
PARTS = {
    name: {path.rpartition(".")[2] for path in ATTRIBUTES["user"] if path.startswith(f"{name}[")} for name in LISTS
}
LIST_PATH = re.compile(r'(?P<list>[A-Za-z]+)\[type eq "(?P<type>[A-Za-z]+)"\]\.(?P<part>[A-Za-z]+)')


def required_targets(object_type: str) -> frozenset[str]:
    return REQUIRED[object_type]


def is_target(target: str, object_type: str) -> bool:
    """Whether AWS has the attribute; list items may have any type: `phoneNumbers[type eq "home"].value`."""
    item = LIST_PATH.fullmatch(target)
    if item and object_type == "user":
        return item["part"] in PARTS.get(item["list"], ())
    return target in TARGETS[object_type]


def item_of(target: str) -> tuple[str, str] | None:
    """List and type that a target writes to: ("phoneNumbers", "work"); None for everything else."""
    found = LIST_PATH.fullmatch(target)
    return (found["list"], found["type"]) if found else None


# --- Where values come from -----------------------------------------------------------------------


@dataclass(frozen=True)
class SourceAttribute:
    """An attribute of Entra: `name` as its portal shows it, `path` in Microsoft Graph v1.0 ("": computed)."""

    name: str
    path: str
    label: str
    description: str = ""
    type: SourceType = "text"

    @property
    def selects(self) -> str:
        """The property to name in $select."""
        return re.split(r"[.\[]", self.path)[0] if self.path else "accountEnabled"

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """`employeeOrgData.costCenter` and `businessPhones[0]`, step by step."""
        return tuple(re.findall(r"[^.\[\]]+", self.path))


USER_SOURCES: tuple[SourceAttribute, ...] = (
    SourceAttribute(
        "objectId", "id", gettext_noop("Object ID"), gettext_noop("Never changes and is never used twice.")
    ),
    SourceAttribute(
        "userPrincipalName",
        "userPrincipalName",
        gettext_noop("User principal name"),
        gettext_noop("The sign-in name. For guests: the address they were invited by."),
    ),
    SourceAttribute(
        "originalUserPrincipalName",
        "userPrincipalName",
        gettext_noop("Original user principal name"),
        gettext_noop("As Entra keeps it; for guests with #EXT# and the name of your tenant."),
    ),
    SourceAttribute("displayName", "displayName", gettext_noop("Display name")),
    SourceAttribute("givenName", "givenName", gettext_noop("First name")),
    SourceAttribute("surname", "surname", gettext_noop("Last name")),
    SourceAttribute("mail", "mail", gettext_noop("E-mail address")),
    SourceAttribute(
        "mailNickname",
        "mailNickname",
        gettext_noop("Mail nickname"),
        gettext_noop("Can be missing, can change, and can occur twice."),
    ),
    SourceAttribute("otherMails", "otherMails", gettext_noop("Other e-mail addresses"), type="list"),
    SourceAttribute(
        "proxyAddresses",
        "proxyAddresses",
        gettext_noop("Proxy addresses"),
        gettext_noop("All addresses, as smtp:name@example.com; the main one begins with SMTP:."),
        "list",
    ),
    SourceAttribute("accountEnabled", "accountEnabled", gettext_noop("Account enabled"), type="boolean"),
    SourceAttribute(
        "IsSoftDeleted",
        "",
        gettext_noop("Is to be disabled"),
        gettext_noop("True for whoever is not assigned, is deleted in Entra or may not sign in."),
        "boolean",
    ),
    SourceAttribute("userType", "userType", gettext_noop("User type"), gettext_noop("Member or Guest.")),
    SourceAttribute("jobTitle", "jobTitle", gettext_noop("Job title")),
    SourceAttribute("department", "department", gettext_noop("Department")),
    SourceAttribute("companyName", "companyName", gettext_noop("Company")),
    SourceAttribute("employeeId", "employeeId", gettext_noop("Employee ID")),
    SourceAttribute("employeeType", "employeeType", gettext_noop("Employee type")),
    SourceAttribute("employeeHireDate", "employeeHireDate", gettext_noop("Hire date"), type="date"),
    SourceAttribute("costCenter", "employeeOrgData.costCenter", gettext_noop("Cost center")),
    SourceAttribute("division", "employeeOrgData.division", gettext_noop("Division")),
    SourceAttribute(
        "manager", "manager", gettext_noop("Manager"), gettext_noop("The person reported to."), "reference"
    ),
    SourceAttribute(
        "telephoneNumber", "businessPhones[0]", gettext_noop("Business phone"), gettext_noop("The first one.")
    ),
    SourceAttribute("businessPhones", "businessPhones", gettext_noop("Business phones"), type="list"),
    SourceAttribute("mobile", "mobilePhone", gettext_noop("Mobile phone")),
    SourceAttribute("facsimileTelephoneNumber", "faxNumber", gettext_noop("Fax number")),
    SourceAttribute("physicalDeliveryOfficeName", "officeLocation", gettext_noop("Office")),
    SourceAttribute("streetAddress", "streetAddress", gettext_noop("Street")),
    SourceAttribute("city", "city", gettext_noop("City")),
    SourceAttribute("state", "state", gettext_noop("State or region")),
    SourceAttribute("postalCode", "postalCode", gettext_noop("Postal code")),
    SourceAttribute("country", "country", gettext_noop("Country")),
    SourceAttribute(
        "usageLocation",
        "usageLocation",
        gettext_noop("Usage location"),
        gettext_noop("Two letters, such as DE."),
    ),
    SourceAttribute(
        "preferredLanguage",
        "preferredLanguage",
        gettext_noop("Preferred language"),
        gettext_noop("Such as en-US."),
    ),
    SourceAttribute("createdDateTime", "createdDateTime", gettext_noop("Created"), type="date"),
    SourceAttribute("externalUserState", "externalUserState", gettext_noop("Invitation state of a guest")),
    SourceAttribute(
        "dirSyncEnabled",
        "onPremisesSyncEnabled",
        gettext_noop("Synced from Active Directory"),
        type="boolean",
    ),
    SourceAttribute("immutableId", "onPremisesImmutableId", gettext_noop("Immutable ID")),
    SourceAttribute(
        "onPremisesSamAccountName", "onPremisesSamAccountName", gettext_noop("Active Directory account name")
    ),
    SourceAttribute(
        "onPremisesUserPrincipalName",
        "onPremisesUserPrincipalName",
        gettext_noop("Active Directory user principal name"),
    ),
    SourceAttribute("onPremisesDomainName", "onPremisesDomainName", gettext_noop("Active Directory domain")),
    SourceAttribute(
        "onPremisesDistinguishedName",
        "onPremisesDistinguishedName",
        gettext_noop("Active Directory distinguished name"),
    ),
    SourceAttribute(
        "onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", gettext_noop("Active Directory SID")
    ),
    *(
        SourceAttribute(
            f"extensionAttribute{number}",
            f"onPremisesExtensionAttributes.extensionAttribute{number}",
            gettext_noop("Extension attribute"),
        )
        for number in range(1, 16)
    ),
)
GROUP_SOURCES: tuple[SourceAttribute, ...] = (
    SourceAttribute(
        "objectId", "id", gettext_noop("Object ID"), gettext_noop("Never changes and is never used twice.")
    ),
    SourceAttribute("displayName", "displayName", gettext_noop("Display name")),
    SourceAttribute("description", "description", gettext_noop("Description")),
    SourceAttribute("mail", "mail", gettext_noop("E-mail address")),
    SourceAttribute("mailNickname", "mailNickname", gettext_noop("Mail nickname")),
    SourceAttribute("securityEnabled", "securityEnabled", gettext_noop("Security group"), type="boolean"),
    SourceAttribute("mailEnabled", "mailEnabled", gettext_noop("Mail-enabled"), type="boolean"),
    SourceAttribute("visibility", "visibility", gettext_noop("Visibility")),
    SourceAttribute("classification", "classification", gettext_noop("Classification")),
    SourceAttribute("createdDateTime", "createdDateTime", gettext_noop("Created"), type="date"),
    SourceAttribute(
        "dirSyncEnabled",
        "onPremisesSyncEnabled",
        gettext_noop("Synced from Active Directory"),
        type="boolean",
    ),
    SourceAttribute(
        "onPremisesSamAccountName", "onPremisesSamAccountName", gettext_noop("Active Directory account name")
    ),
    SourceAttribute(
        "onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", gettext_noop("Active Directory SID")
    ),
    SourceAttribute(
        "members", "members", gettext_noop("Members"), gettext_noop("The people in the group."), "reference"
    ),
)
SOURCES: dict[str, tuple[SourceAttribute, ...]] = {"user": USER_SOURCES, "group": GROUP_SOURCES}

# Names of directory extensions; upper and lower case matter in them (Microsoft Graph, extensionProperty).
DIRECTORY_EXTENSION = re.compile(r"extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]+")

ALWAYS_SELECTED = {
    "user": (
        "id",
        "accountEnabled",
        "userPrincipalName",
        "displayName",
        "givenName",
        "surname",
        "mail",
        "userType",
    ),
    "group": ("id", "displayName", "securityEnabled", "mailEnabled", "groupTypes", "isAssignableToRole"),
}


def by_name(sources: Iterable[SourceAttribute]) -> dict[str, SourceAttribute]:
    """Portal names and Graph paths, in lower case; where both exist the portal name wins."""
    listed = list(sources)
    paths = {one.path.lower(): one for one in reversed(listed) if one.path}
    return paths | {one.name.lower(): one for one in reversed(listed)}


NAMED = {object_type: by_name(sources) for object_type, sources in SOURCES.items()}
NAMED_ANYWHERE = NAMED["group"] | NAMED["user"]


def source_attribute(name: str, object_type: str | None = None) -> SourceAttribute | None:
    """The attribute by its portal name or its Graph name; None when there is no such attribute."""
    if DIRECTORY_EXTENSION.fullmatch(name):
        return SourceAttribute(name, name, name)
    return (NAMED[object_type] if object_type else NAMED_ANYWHERE).get(name.lower())


def graph_select(mappings: Iterable[MappingRow], object_type: str = "user", filtered: Iterable[str] = ()) -> list[str]:
    """The $select list: what pages and the engine need, what the rows read, and what is filtered by.

    Unknown names stay out.
    """
    names = [*(name for row in mappings for name in names_read(row)), *filtered]
    attributes = [found for name in names if (found := source_attribute(name, object_type))]
    return list(dict.fromkeys([*ALWAYS_SELECTED[object_type], *(one.selects for one in attributes)]))


def names_read(row: MappingRow) -> Sequence[str]:
    """Attribute names as written in the row; none for a constant or an expression that cannot be read."""
    if row.kind != "expression":
        return () if row.kind == "constant" else (row.source,)
    try:
        return expressions.parse(row.source).attributes
    except ExpressionError:
        return ()


# --- One object -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class MappingProblem:
    """What is wrong with a row or an object's value: MESSAGES[code] with params, at a field of the row."""

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    field: str = ""
    cause: ExpressionError | None = None

    @property
    def sentence(self) -> str:
        """In English; pages translate MESSAGES[code], and cause.template, before they put the params in."""
        return message(self.code, **self.params)

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class CompiledMapping:
    """A row made ready: its expression parsed, its attributes found. `problem` when that failed."""

    row: MappingRow
    inputs: Mapping[str, SourceAttribute] = field(default_factory=dict)
    expression: Expression | None = None
    problem: MappingProblem | None = None

    @property
    def redacted(self) -> bool:
        return self.expression is not None and self.expression.redacted


@dataclass(frozen=True)
class Trace:
    """How one attribute got its value. `inputs`: what was read, by the names in the row, as it came."""

    target: str
    mapping_id: int | None
    source: str
    inputs: Mapping[str, Value]
    value: str | bool | None = None
    problem: MappingProblem | None = None
    from_default: bool = False
    untouched: bool = False
    # What counts as untouched is only the default that was written when the object was created.
    only_default: str | bool | None = None
    # Pages and logs do not show the value.
    redacted: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What a rule sees beside the object. `taken`: whether somebody else in AWS has this value of this target."""

    now: datetime | None = None
    guest_user_name: GuestName = "invited"
    taken: Callable[[str, str], bool] = lambda _target, _value: False


NOTHING_AROUND = Surroundings()


@dataclass(frozen=True)
class Mapped:
    """One object's result. `references` holds Entra object ids; the trace has one entry per row."""

    values: dict[str, str | bool]
    references: dict[str, str]
    trace: tuple[Trace, ...]

    @property
    def problems(self) -> tuple[Trace, ...]:
        return tuple(trace for trace in self.trace if trace.problem)

    @property
    def ignored(self) -> bool:
        """A rule says that nothing of this object is to be written."""
        return any(trace.problem and trace.problem.code == "object-ignored" for trace in self.trace)

    @property
    def untouched(self) -> tuple[Trace, ...]:
        """Targets to leave as they are in AWS; a value there is for whoever has none in AWS."""
        return tuple(trace for trace in self.trace if trace.untouched)


def compile_mappings(mappings: Iterable[MappingRow]) -> tuple[CompiledMapping, ...]:
    """Never raises: what is wrong with a row shows in the trace of every object."""
    return tuple(compiled(row) for row in mappings)


def compiled(row: MappingRow) -> CompiledMapping:
    if row.kind in ("constant", "none"):
        return CompiledMapping(row)
    try:
        expression = expressions.parse(row.source) if row.kind == "expression" else None
    except ExpressionError as error:
        return CompiledMapping(row, problem=expression_problem(error))
    names = expression.attributes if expression else (row.source,)
    found = {name: source_attribute(name) for name in names}
    missing = [name for name, attribute in found.items() if attribute is None]
    problem = MappingProblem("unknown-source", {"source": missing[0]}, "source") if missing else None
    return CompiledMapping(row, {name: one for name, one in found.items() if one}, expression, problem)


def map_object(
    compiled: Sequence[CompiledMapping],
    graph_object: Mapping[str, Any],
    *,
    present: bool,
    creating: bool,
    around: Surroundings = NOTHING_AROUND,
) -> Mapped:
    """`graph_object`: properties as Microsoft Graph v1.0 names them; `manager` is an id or {"id": …}.

    `present`: in scope, not deleted and enabled. `creating`: defaults and create-only rows count.
    """
    trace = tuple(trace_of(rule, graph_object, present, creating, around) for rule in compiled)
    values: dict[str, str | bool] = {}
    references: dict[str, str] = {}
    for rule, one in zip(compiled, trace, strict=True):
        if rule.row.kind == "reference" and isinstance(one.value, str):
            references[one.target] = one.value
        elif one.value is not None:
            values[one.target] = one.value
    return Mapped(values, references, trace)


def trace_of(
    rule: CompiledMapping,
    graph_object: Mapping[str, Any],
    present: bool,
    creating: bool,
    around: Surroundings = NOTHING_AROUND,
) -> Trace:
    row = rule.row
    inputs = {name: read(one, graph_object, present, around.guest_user_name) for name, one in rule.inputs.items()}
    trace = partial(Trace, row.target, row.id, row.source, inputs, redacted=rule.redacted)
    if rule.problem or (row.apply == "create" and not creating):
        return trace(problem=rule.problem, untouched=True)
    try:
        found = result(rule, inputs, around)
        if found is IGNORE_OBJECT:
            return trace(problem=MappingProblem("object-ignored", {}, "source"), untouched=True)
        value = None if found is IGNORE else fitting(row, found)
        default = fitting(row, row.default)
    except ExpressionError as error:
        return trace(problem=expression_problem(error), untouched=True)
    except Unfit as error:
        return trace(problem=error.problem, untouched=True)
    if row.kind == "none":
        return trace(value=default, from_default=default is not None, untouched=True)
    if value is not None or found is IGNORE:
        return trace(value=value, untouched=found is IGNORE)
    if default is not None and (creating or row.default_on_update):
        return trace(value=default, from_default=True)
    if row.when_empty == "keep":
        return trace(untouched=not creating)
    # A default was written when the object was created: an update must not take it away again.
    return trace(untouched=default is not None and not creating, only_default=default)


def result(rule: CompiledMapping, inputs: Mapping[str, Value], around: Surroundings) -> Result:
    if rule.expression:
        taken = partial(around.taken, rule.row.target)
        return expressions.evaluate(rule.expression, inputs, now=around.now, taken=taken)
    if rule.row.kind == "none":
        return None
    return rule.row.source if rule.row.kind == "constant" else inputs[rule.row.source]


class Unfit(Exception):
    def __init__(self, problem: MappingProblem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def fitting(row: MappingRow, value: Value) -> str | bool | None:
    """As the target takes it; null, "" and [] become None (AWS refuses empty texts). Raises Unfit."""
    if is_empty(value) or row.target == "members":
        return None
    if row.target in BOOLEANS:
        return boolean(row, value)
    try:
        return text(value)
    except Failure as failure:
        raise Unfit(MappingProblem("several-values", {"target": row.target, **failure.params}, "source")) from failure


def boolean(row: MappingRow, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise Unfit(MappingProblem("not-true-or-false", {"target": row.target, "value": str(value)[:80]}, "source"))
    return word == "true"


def read(
    attribute: SourceAttribute, graph_object: Mapping[str, Any], present: bool, guest_user_name: GuestName = "invited"
) -> Value:
    if attribute.name == "IsSoftDeleted":
        return "False" if present else "True"
    found: Any = graph_object
    for step in attribute.steps:
        found = inside(found, step)
    if attribute.name == "userPrincipalName" and isinstance(found, str):
        return guest_name(found, graph_object, guest_user_name) if is_invited(graph_object) else found
    return plain(found)


def is_invited(graph_object: Mapping[str, Any]) -> bool:
    name = graph_object.get("userPrincipalName")
    return graph_object.get("userType") == "Guest" or (isinstance(name, str) and "#EXT#" in name)


def guest_name(name: str, graph_object: Mapping[str, Any], source: GuestName) -> Value:
    """A guest without a mail has no name where the mail is to be the name: nothing else is put in its place."""
    if source == "mail":
        return plain(graph_object.get("mail"))
    return name if source == "original" else guest_address(name)


def inside(container: Any, step: str) -> Any:
    if isinstance(container, dict | Mapping):
        return container.get(step)
    if isinstance(container, list) and step.isdecimal():
        return container[int(step)] if int(step) < len(container) else None
    return None


def plain(found: Any) -> Value:
    """A value of the language from JSON; an object stands for its id."""
    if isinstance(found, dict):
        return plain(found.get("id"))
    if isinstance(found, list):
        return [str(one) for one in found if isinstance(one, str | int | float)]
    return found if isinstance(found, str | bool | int | float) else None


def guest_address(name: str) -> str:
    """`sam_contoso.com#EXT#@acme.onmicrosoft.com` -> `sam@contoso.com`, as Entra does for invited people.

    Domains have no underscore, so the last one stands for the @ (Microsoft, "How provisioning works": B2B).
    """
    before, mark, _tenant = name.partition("#EXT#")
    local, _underscore, domain = before.rpartition("_")
    return f"{local}@{domain}" if mark and local and domain else name


# --- Before a row is saved ------------------------------------------------------------------------

MESSAGES: dict[str, str] = {
    "unknown-target": gettext_noop(
        "AWS has no field “%(target)s” that it accepts. Choose one from the list of AWS fields."
    ),
    "duplicate-target": gettext_noop(
        "“%(target)s” already has a mapping. A field gets its value from one row. Edit that row instead."
    ),
    "one-list-value": gettext_noop(
        "AWS takes a single item in %(list)s, and “%(other)s” already fills it. AWS would refuse the person. "
        "Remove that mapping first, or do without this one."
    ),
    "source-empty": gettext_noop(
        "There is no source, so this field would never get a value. Enter one, or remove the mapping."
    ),
    "source-needed": gettext_noop(
        "“%(target)s” needs a source: AWS requires it, or people are found by it. Choose another type."
    ),
    "unknown-source": gettext_noop(
        "Entra has no attribute “%(source)s” that can be read here. "
        "Choose one from the list of attributes; names of directory extensions begin with extension_."
    ),
    "expression": gettext_noop("Line %(line)d, column %(column)d: %(message)s"),
    "several-values-source": gettext_noop(
        "“%(source)s” can have several values, and AWS takes one. Choose one with an expression: Item([%(source)s], 1)."
    ),
    "reference-needed": gettext_noop(
        "“%(target)s” points to another object. Choose the type Reference and the source %(source)s."
    ),
    "not-a-reference": gettext_noop(
        "“%(target)s” takes a text, but a reference points to another object. Choose another type."
    ),
    "constant-matching": gettext_noop(
        "A constant is the same for everybody, so nobody could be told apart by it. "
        "Match on a field with a direct mapping, or clear the match number."
    ),
    "matching-unfilterable": gettext_noop(
        "AWS cannot be searched by “%(target)s”. It finds objects by %(filterable)s. "
        "Match on one of them, or clear the match number."
    ),
    "random": gettext_noop(
        "%(function)s gives another value each time, so every run would change this field. Choose “Only when created”."
    ),
    "too-long": gettext_noop(
        "The text has %(length)d characters, and AWS takes at most %(limit)d in “%(target)s”. Shorten it."
    ),
    "not-true-or-false": gettext_noop(
        "“%(target)s” takes true or false, but the value is “%(value)s”. Use an expression that gives True or False."
    ),
    "several-values": gettext_noop(
        "“%(target)s” takes one value, but there are %(count)d. Choose one with an expression: Item(…, 1)."
    ),
    "object-ignored": gettext_noop(
        "The expression says IgnoreObjectFlow for this object, so nothing of it is written."
    ),
    "matching-random": gettext_noop(
        "%(function)s gives another value each time, so nobody could be found by it. "
        "Match on another field, or clear the match number."
    ),
    "matching-taken": gettext_noop(
        "“%(other)s” is tried as number %(number)d already. Choose another number, or change the order afterwards."
    ),
    "value-refused": gettext_noop(
        "AWS refuses this value in “%(target)s”: %(value)s, of %(name)s. It has a character that AWS does not take there."
    ),
    "value-too-long": gettext_noop(
        "The value of %(name)s has %(length)d characters, and AWS takes at most %(limit)d in “%(target)s”."
    ),
    "value-doubtful": gettext_noop(
        "AWS may refuse this value: %(value)s, of %(name)s. Microsoft lists such characters as refused, AWS does not."
    ),
    "required-row": gettext_noop(
        "AWS requires this field. Without it AWS refuses everybody who is new. "
        "Change the mapping instead of removing it."
    ),
}


def message(code: str, **params: str | int) -> str:
    return MESSAGES[code] % params


def canonical(row: MappingRow) -> MappingRow:
    """As it is saved: the functions of an expression spelled as the language spells them."""
    if row.kind != "expression" or expressions.check(row.source):
        return row
    return replace(row, source=expressions.format(expressions.parse(row.source)))


def expression_problem(error: ExpressionError) -> MappingProblem:
    facts: dict[str, str | int] = {"line": error.line, "column": error.column, "message": error.message}
    return MappingProblem("expression", facts, "source", error)


def check_mapping(row: MappingRow, others: Iterable[MappingRow], object_type: str = "user") -> list[MappingProblem]:
    """What is wrong with a new or edited row beside the `others`. Not meant for the template's own rows."""
    others = list(others)
    return [
        *target_problems(row, others, object_type),
        *source_problems(row, object_type),
        *matching_problems(row, others, object_type),
        *length_problems(row),
    ]


def target_problems(row: MappingRow, others: Sequence[MappingRow], object_type: str) -> list[MappingProblem]:
    if not is_target(row.target, object_type):
        return [MappingProblem("unknown-target", {"target": row.target}, "target")]
    if any(other.target == row.target for other in others):
        return [MappingProblem("duplicate-target", {"target": row.target}, "target")]
    for other in others:
        if same_list(row.target, other.target):
            name = row.target.partition("[")[0]
            return [MappingProblem("one-list-value", {"list": name, "other": other.target}, "target")]
    return []


def same_list(target: str, other: str) -> bool:
    """Whether both write to the same list, but to different items of it."""
    mine, theirs = item_of(target), item_of(other)
    return mine is not None and theirs is not None and mine[0] == theirs[0] and mine != theirs


def source_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    if row.kind == "none":
        return none_problems(row, object_type)
    if not row.source.strip():
        return [MappingProblem("source-empty", {}, "source")]
    if (row.kind == "reference") != (row.target in REFERENCES):
        return [reference_problem(row)]
    if row.kind == "expression":
        return expression_problems(row, object_type)
    return [] if row.kind == "constant" else attribute_problems(row, object_type)


def none_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    """A field that AWS requires, or that is matched on, needs a source; a default alone is the same for everybody."""
    if row.target in required_targets(object_type) or row.matching is not None or row.target in REFERENCES:
        return [MappingProblem("source-needed", {"target": row.target}, "kind")]
    return []


def reference_problem(row: MappingRow) -> MappingProblem:
    if row.target in REFERENCES:
        source = "members" if row.target == "members" else "manager"
        return MappingProblem("reference-needed", {"target": row.target, "source": source}, "kind")
    return MappingProblem("not-a-reference", {"target": row.target}, "kind")


def attribute_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    attribute = source_attribute(row.source, object_type)
    if attribute is None:
        return [MappingProblem("unknown-source", {"source": row.source}, "source")]
    if attribute.type == "list":
        return [MappingProblem("several-values-source", {"source": row.source}, "source")]
    if (attribute.type == "reference") != (row.kind == "reference"):
        return [reference_problem(row)]
    return []


def expression_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    if wrong := expressions.check(row.source):
        return [expression_problem(error) for error in wrong]
    expression = expressions.parse(row.source)
    unknown = [name for name in expression.attributes if not source_attribute(name, object_type)]
    random = [name for name in expression.functions if not expressions.FUNCTIONS[name.lower()].steady]
    return [
        *(MappingProblem("unknown-source", {"source": name}, "source") for name in unknown),
        *(MappingProblem("random", {"function": name}, "apply") for name in random if row.apply == "always"),
        *(
            MappingProblem("matching-random", {"function": name}, "matching")
            for name in random
            if row.matching is not None
        ),
    ]


def matching_problems(row: MappingRow, others: Sequence[MappingRow], object_type: str) -> list[MappingProblem]:
    if row.matching is None:
        return []
    filterable = FILTERABLE[object_type]
    if row.target not in filterable:
        facts = {"target": row.target, "filterable": ", ".join(filterable)}
        return [MappingProblem("matching-unfilterable", facts, "matching")]
    if row.kind == "constant":
        return [MappingProblem("constant-matching", {}, "matching")]
    same = [other.target for other in others if other.matching == row.matching]
    if not same:
        return []
    return [MappingProblem("matching-taken", {"other": same[0], "number": row.matching}, "matching")]


def length_problems(row: MappingRow) -> list[MappingProblem]:
    limit = LENGTHS.get(row.target, LENGTH)
    texts = {"source": row.source if row.kind == "constant" else "", "default": row.default}
    return [
        MappingProblem("too-long", {"target": row.target, "length": len(value), "limit": limit}, name)
        for name, value in texts.items()
        if len(value) > limit
    ]
