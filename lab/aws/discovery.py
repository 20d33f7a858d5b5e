"""ServiceProviderConfig, Schemas and ResourceTypes, as the Developer Guide prints them (their oddities included)."""

from typing import Any

from lab.aws.validation import CORE_GROUP, CORE_USER, ENTERPRISE, ENTERPRISE_PARTS, LISTS, NAME_PARTS, STRINGS

Json = dict[str, Any]
LIST_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

SERVICE_PROVIDER_CONFIG: Json = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "Authentication scheme using the OAuth Bearer Token Standard",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html",
            "primary": True,
        }
    ],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 1, "maxPayloadSize": 1048576},
    "filter": {"supported": True, "maxResults": 50},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": False},
}


def _attribute(name: str, **facts: Any) -> Json:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": name,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    } | facts


def _complex(name: str, parts: tuple[str, ...], **facts: Any) -> Json:
    return _attribute(name, type="complex", subAttributes=[_attribute(part) for part in parts], **facts)


_USER = [
    *(_attribute(name) for name in STRINGS if name not in ("userName", "displayName", "externalId")),
    _attribute("userName", required=True, uniqueness="server"),
    _attribute("displayName", required=True),
    _attribute("externalId", uniqueness="server", caseExact=True),
    _attribute("active", type="boolean"),
    _complex("name", NAME_PARTS, required=True),
    *(_complex(name, parts, multiValued=True) for name, parts in LISTS.items()),
]
_GROUP = [
    _attribute("displayName", required=True, uniqueness="server"),
    _complex("members", ("value", "type", "$ref"), multiValued=True),
]


def _schema(urn: str, name: str, attributes: list[Json]) -> Json:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": urn,
        "name": name,
        "description": name,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": f"/Schemas/{urn}"},
    }


SCHEMAS = {
    CORE_USER: _schema(CORE_USER, "User", _USER),
    CORE_GROUP: _schema(CORE_GROUP, "Group", _GROUP),
    ENTERPRISE: _schema(ENTERPRISE, "EnterpriseUser", [_attribute(part) for part in ENTERPRISE_PARTS]),
}


def resource_types(base: str) -> list[Json]:
    def kind(name: str, schema: str, extensions: list[Json]) -> Json:
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "description": f"{name} resource type",
            "endpoint": f"/{name}s",
            "schema": schema,
            **({"schemaExtensions": extensions} if extensions else {}),
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }

    # The guide prints required: true for the extension, although users without it are fine.
    return [kind("User", CORE_USER, [{"schema": ENTERPRISE, "required": True}]), kind("Group", CORE_GROUP, [])]


def listed(resources: list[Json]) -> Json:
    return {
        "totalResults": len(resources),
        "itemsPerPage": len(resources),
        "startIndex": 1,
        "schemas": [LIST_RESPONSE],
        "Resources": resources,
    }
