"""The application's provisioning job and its schema (Graph, synchronizationJob and synchronizationSchema).

The mappings are those that Microsoft's tutorial lists for AWS IAM Identity Center, with two edits that admins make: a
default for a missing last name and a constant locale. What the tutorial does not say is the template's.
"""

from typing import Any

Json = dict[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
SOURCE, TARGET = "Azure Active Directory", "AWS IAM Identity Center"

USER_MAPPINGS: tuple[tuple[str, str], ...] = (
    ("userName", "userPrincipalName"),
    ("displayName", "displayName"),
    ("title", "jobTitle"),
    ('emails[type eq "work"].value', "mail"),
    ("preferredLanguage", "preferredLanguage"),
    ("name.givenName", "givenName"),
    ('addresses[type eq "work"].formatted', "physicalDeliveryOfficeName"),
    ('addresses[type eq "work"].streetAddress', "streetAddress"),
    ('addresses[type eq "work"].locality', "city"),
    ('addresses[type eq "work"].region', "state"),
    ('addresses[type eq "work"].postalCode', "postalCode"),
    ('addresses[type eq "work"].country', "country"),
    ('phoneNumbers[type eq "work"].value', "telephoneNumber"),
    ("externalId", "objectId"),
    (f"{ENTERPRISE}:employeeNumber", "employeeId"),
    (f"{ENTERPRISE}:department", "department"),
    (f"{ENTERPRISE}:manager", "manager"),
)
GROUP_MAPPINGS = (("displayName", "displayName"), ("externalId", "objectId"), ("members", "members"))


def job_id(directory_id: str, service_principal_id: str) -> str:
    return f"aWSSingleSignon.{directory_id.replace('-', '')}.{service_principal_id}"


def job(directory_id: str, service_principal_id: str) -> Json:
    return {
        "id": job_id(directory_id, service_principal_id),
        "templateId": "aWSSingleSignon",
        "schedule": {"expiration": None, "interval": "PT40M", "state": "Active"},
        "synchronizationJobSettings": [{"name": "QuarantineTooManyDeletesThreshold", "value": "500"}],
    }


def schema(directory_id: str, service_principal_id: str) -> Json:
    rule = {
        "id": service_principal_id,
        "name": "USER_OUTBOUND_USER",
        "priority": 1,
        "editable": True,
        "sourceDirectoryName": SOURCE,
        "targetDirectoryName": TARGET,
        "groupFilter": None,
        "containerFilter": None,
        "metadata": [],
        "objectMappings": [_user_mapping(), _group_mapping()],
    }
    return {
        "id": job_id(directory_id, service_principal_id),
        "version": "Date:2026-11-20T09:12:44.1930000Z, Quantity:3, Unique:0a4f",
        "synchronizationRules": [rule],
        "directories": [
            _directory_definition(SOURCE, ("User", "Group")),
            _directory_definition(TARGET, (ENTERPRISE, GROUP)),
        ],
    }


def _user_mapping() -> Json:
    attributes = [
        _attribute_mapping(target, _attribute_source(name), name == "userPrincipalName")
        for target, name in USER_MAPPINGS
    ]
    active = [_attribute_source("IsSoftDeleted"), *map(_constant_source, ("False", "True", "True", "False"))]
    attributes += [
        _attribute_mapping(
            "active", _function_source('Switch([IsSoftDeleted], , "False", "True", "True", "False")', active)
        ),
        _attribute_mapping(
            "name.familyName",
            _function_source('Coalesce([surname], "-")', [_attribute_source("surname"), _constant_source("-")]),
        ),
        _attribute_mapping(
            "name.formatted", _function_source('Join(" ", [givenName], [surname])', [_constant_source(" "), *_names()])
        ),
        _attribute_mapping("locale", _constant_source("en-US")) | {"flowType": "ObjectAddOnly"},
    ]
    return _object_mapping("Provision Microsoft Entra ID Users", "User", ENTERPRISE, attributes)


def _names() -> list[Json]:
    return [_attribute_source("givenName"), _attribute_source("surname")]


def _group_mapping() -> Json:
    attributes = [
        _attribute_mapping(target, _attribute_source(name), target == "displayName") for target, name in GROUP_MAPPINGS
    ]
    return _object_mapping("Provision Microsoft Entra ID Groups", "Group", GROUP, attributes)


def _object_mapping(name: str, source: str, target: str, attributes: list[Json]) -> Json:
    return {
        "name": name,
        "enabled": True,
        "flowTypes": "Add, Update, Delete",
        "sourceObjectName": source,
        "targetObjectName": target,
        "scope": None,
        "metadata": [],
        "attributeMappings": attributes,
    }


def _attribute_mapping(target: str, source: Json, matching: bool = False) -> Json:
    return {
        "targetAttributeName": target,
        "source": source,
        "defaultValue": None,
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "Always",
        "matchingPriority": int(matching),
    }


def _attribute_source(name: str) -> Json:
    return {"type": "Attribute", "name": name, "expression": f"[{name}]", "parameters": []}


def _constant_source(value: str) -> Json:
    return {"type": "Constant", "name": value, "expression": f'"{value}"', "parameters": []}


def _function_source(expression: str, arguments: list[Json]) -> Json:
    """The first parameter is called source, the others are numbered."""
    keys = ["source", *map(str, range(len(arguments) - 1))]
    parameters = [{"key": key, "value": value} for key, value in zip(keys, arguments, strict=True)]
    name = expression.partition("(")[0]
    return {"type": "Function", "name": name, "expression": expression, "parameters": parameters}


def _directory_definition(name: str, objects: tuple[str, ...]) -> Json:
    shown = [{"name": one, "attributes": [], "metadata": [], "supportedApis": []} for one in objects]
    return {"id": name, "name": name, "readOnly": False, "version": "1", "objects": shown}
