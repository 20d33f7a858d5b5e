"""The nouns, one file per noun group. May import the rules."""

from sync.models.audit import AuditEntry, AuditHead
from sync.models.change_request import ChangeRequest
from sync.models.channel import Channel
from sync.models.configuration import Assignment, AttributeMapping, Configuration, ScopingFilter
from sync.models.connection import AwsConnection, ConnectionTest, EntraConnection, Half, SecondCredential
from sync.models.delivery import Delivery, DeliveryAttempt
from sync.models.demand import Demand, DemandObject
from sync.models.directory import DirectoryGroup, DirectoryMembership, DirectoryUser, Inclusion, Snapshot
from sync.models.drift import Drift, LeftAlone, LeftDifference
from sync.models.health import Heartbeat, Tally
from sync.models.hold import HeldChange, Hold
from sync.models.incident import Incident, IncidentEvent
from sync.models.link import Link, MembershipLink, ObjectType, Origin
from sync.models.readiness import Finding, ReadinessCheck
from sync.models.rehearsed import Rehearsed
from sync.models.retention import Backup, DatabaseSize, Pruning
from sync.models.run import Action, LoggedName, MissedStart, Operation, Result, Run
from sync.models.standing import Standing, Word
from sync.models.subscription import GraphSubscription
from sync.models.tenant import Adoption, Interval, NameId, Tenant

__all__ = [
    "Action",
    "Adoption",
    "Assignment",
    "AttributeMapping",
    "AuditEntry",
    "AuditHead",
    "AwsConnection",
    "Backup",
    "ChangeRequest",
    "Channel",
    "Configuration",
    "ConnectionTest",
    "DatabaseSize",
    "Delivery",
    "DeliveryAttempt",
    "Demand",
    "DemandObject",
    "DirectoryGroup",
    "DirectoryMembership",
    "DirectoryUser",
    "Drift",
    "EntraConnection",
    "Finding",
    "GraphSubscription",
    "Half",
    "Heartbeat",
    "HeldChange",
    "Hold",
    "Incident",
    "IncidentEvent",
    "Inclusion",
    "Interval",
    "LeftAlone",
    "LeftDifference",
    "Link",
    "LoggedName",
    "MembershipLink",
    "MissedStart",
    "NameId",
    "ObjectType",
    "Operation",
    "Origin",
    "Pruning",
    "ReadinessCheck",
    "Rehearsed",
    "Result",
    "Run",
    "ScopingFilter",
    "SecondCredential",
    "Snapshot",
    "Standing",
    "Tally",
    "Tenant",
    "Word",
]
