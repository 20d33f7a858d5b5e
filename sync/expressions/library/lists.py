"""Attributes with several values, and the roles of an application."""

import json

from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.table import function
from sync.expressions.values import Value, many, whole


@function(
    "Count attribute",
    gettext_noop("How many values the attribute has."),
    "Count([otherMails])",
    "2",
    notes=gettext_noop("0 for null, 1 for a single text."),
    result="count",
)
def count(values: Value) -> Value:
    return len(many(values))


NO_ITEM = gettext_noop("There is no value number %(index)d: the attribute has %(count)d. The first one is number 1.")


@function(
    "Item attribute index",
    gettext_noop("One value of a list, from 1."),
    "Item([otherMails], 1)",
    '"adele@home.example"',
    notes=gettext_noop("Null gives null; a number without a value is an error."),
)
def item(values: Value, index: Value) -> Value:
    found, wanted = many(values), whole(index)
    if values is None:
        return None
    if not 1 <= wanted <= len(found):
        raise Failure(NO_ITEM, index=wanted, count=len(found))
    return found[wanted - 1]


@function(
    "RemoveDuplicates attribute",
    gettext_noop("The list with every value once."),
    'RemoveDuplicates(Split("a,b,a", ","))',
    '["a", "b"]',
    notes=gettext_noop("The first of equal values stays; upper and lower case differ."),
    result="list",
)
def remove_duplicates(values: Value) -> Value:
    return None if values is None else list(dict.fromkeys(many(values)))


# --- Roles ----------------------------------------------------------------------------------------
# An assignment comes as JSON text with id, value and displayName, or as the bare name of the role.

ROLE_TYPE = "WindowsAzureActiveDirectoryRole"


def role(assignment: str) -> dict[str, str]:
    try:
        found = json.loads(assignment)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return {"id": "", "value": assignment, "displayName": assignment}
    facts = {key: str(found.get(key) or "") for key in ("id", "value", "displayName")}
    return facts | {"displayName": facts["displayName"] or facts["value"]}


def roles(values: Value) -> list[dict[str, str]]:
    return sorted((role(one) for one in many(values)), key=lambda one: (one["displayName"], one["id"]))


def written(facts: dict[str, str | bool]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


@function(
    "SingleAppRoleAssignment attribute",
    gettext_noop("The name of the role that the person has in the application."),
    "SingleAppRoleAssignment([appRoleAssignments])",
    '"Admin"',
    notes=gettext_noop(
        "Null gives null. Of several roles the first by name is taken. "
        "AWS has no field for application roles, and runs do not read them: a mapping with [appRoleAssignments] is refused."
    ),
)
def single_app_role_assignment(values: Value) -> Value:
    found = roles(values)
    return found[0]["displayName"] if found else None


@function(
    "AppRoleAssignmentsComplex attribute",
    gettext_noop("All roles of the person in the application, as texts in JSON with id, value and displayName."),
    "AppRoleAssignmentsComplex([appRoleAssignments])",
    r'["{\"id\":\"1\",\"value\":\"admin\",\"displayName\":\"Admin\"}"]',
    notes=gettext_noop(
        "Null gives null. "
        "AWS has no field for application roles, and runs do not read them: a mapping with [appRoleAssignments] is refused."
    ),
    result="list",
)
def app_role_assignments_complex(values: Value) -> Value:
    return [written({**one}) for one in roles(values)] or None


@function(
    "AssertiveAppRoleAssignmentsComplex attribute",
    gettext_noop("All roles of the person in the application, as texts in JSON in the form of a SCIM role."),
    "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])",
    r'["{\"primary\":false,\"type\":\"WindowsAzureActiveDirectoryRole\",\"display\":\"Admin\",\"value\":\"admin\"}"]',
    notes=gettext_noop(
        "Null gives null. "
        "AWS has no field for application roles, and runs do not read them: a mapping with [appRoleAssignments] is refused."
    ),
    result="list",
)
def assertive_app_role_assignments_complex(values: Value) -> Value:
    return [written(scim_role(one)) for one in roles(values)] or None


def scim_role(one: dict[str, str]) -> dict[str, str | bool]:
    return {"primary": False, "type": ROLE_TYPE, "display": one["displayName"], "value": one["value"]}
