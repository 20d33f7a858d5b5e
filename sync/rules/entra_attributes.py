"""Entra's attributes that a mapping or a filter may read (Microsoft Graph v1.0, user and group)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sync.expressions.errors import gettext_noop

SourceType = Literal["text", "boolean", "list", "date", "reference"]


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
