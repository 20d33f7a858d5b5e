"""The default mappings of Entra's SCIM template, and the edits that AWS needs of them."""

from collections.abc import Iterable
from dataclasses import replace

from sync.rules.aws_fields import (
    ENTERPRISE,
)
from sync.rules.rows import Kind, MappingRow

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
