"""What AWS's fields are called on pages, in plain words, and why they matter."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.rules.aws_fields import ENTERPRISE

Words = str | Promise

# Target path of a mapping -> label. Names as the AWS console has them where it shows the field.
LABELS: Mapping[str, Words] = {
    "userName": _("User name"),
    "externalId": _("External ID"),
    "displayName": _("Display name"),
    "active": _("Enabled"),
    "name.givenName": _("First name"),
    "name.familyName": _("Last name"),
    "name.middleName": _("Middle name"),
    "name.formatted": _("Full name"),
    "name.honorificPrefix": _("Title before the name"),
    "name.honorificSuffix": _("Title after the name"),
    "nickName": _("Nickname"),
    "profileUrl": _("Profile URL"),
    "title": _("Job title"),
    "userType": _("User type"),
    "preferredLanguage": _("Preferred language"),
    "locale": _("Locale"),
    "timezone": _("Time zone"),
    'emails[type eq "work"].value': _("E-mail address"),
    'phoneNumbers[type eq "work"].value': _("Phone number, work"),
    'phoneNumbers[type eq "mobile"].value': _("Phone number, mobile"),
    'phoneNumbers[type eq "fax"].value': _("Phone number, fax"),
    'addresses[type eq "work"].formatted': _("Address as one text"),
    'addresses[type eq "work"].streetAddress': _("Street"),
    'addresses[type eq "work"].locality': _("City"),
    'addresses[type eq "work"].region': _("State or region"),
    'addresses[type eq "work"].postalCode': _("Postal code"),
    'addresses[type eq "work"].country': _("Country"),
    'roles[type eq "work"].value': _("Role"),
    ENTERPRISE + "employeeNumber": _("Employee number"),
    ENTERPRISE + "department": _("Department"),
    ENTERPRISE + "division": _("Division"),
    ENTERPRISE + "costCenter": _("Cost center"),
    ENTERPRISE + "organization": _("Organization"),
    ENTERPRISE + "manager": _("Manager"),
    "members": _("Members"),
}


def field_label(target: str) -> str:
    return str(LABELS.get(target, ""))


def short_path(target: str) -> str:
    """The path as a table can hold it: `emails[work]`; `department` without the extension's name."""
    if target.startswith(ENTERPRISE):
        return target.removeprefix(ENTERPRISE)
    return target.replace('[type eq "', "[").replace('"].value', "]").replace('"].', "].")
