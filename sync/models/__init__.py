"""The nouns of the engine, one file per noun group."""

from sync.models.audit import AuditEntry
from sync.models.configuration import Assignment, AttributeMapping, Configuration
from sync.models.connection import AwsConnection, ConnectionTest, EntraConnection, Half
from sync.models.directory import DirectoryGroup, DirectoryMembership, DirectoryUser, Snapshot
from sync.models.incident import Delivery, Incident
from sync.models.link import Link, MembershipLink, ObjectType
from sync.models.run import Action, Operation, Result, Run
from sync.models.tenant import Interval, Tenant

__all__ = [
    "Action",
    "Assignment",
    "AttributeMapping",
    "AuditEntry",
    "AwsConnection",
    "Configuration",
    "ConnectionTest",
    "Delivery",
    "DirectoryGroup",
    "DirectoryMembership",
    "DirectoryUser",
    "EntraConnection",
    "Half",
    "Incident",
    "Interval",
    "Link",
    "MembershipLink",
    "ObjectType",
    "Operation",
    "Result",
    "Run",
    "Snapshot",
    "Tenant",
]
