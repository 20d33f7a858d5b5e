"""The mirror of the Entra directory, as read by the last rounds."""

from django.db import models
from django.db.models.fields.json import KT

from sync.db.beginnings import beginning_of
from sync.models.tenant import Tenant


class Snapshot(models.Model):
    """One round of reading Entra. Sealed only when every page arrived: until then it decides nothing."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="snapshots")
    full = models.BooleanField()
    started_at = models.DateTimeField(auto_now_add=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    users = models.PositiveIntegerField(default=0)
    groups = models.PositiveIntegerField(default=0)
    memberships = models.PositiveIntegerField(default=0)
    # Why nobody may be removed because of it: a code of sync.problems.catalogue, and the numbers.
    suspect = models.CharField(max_length=40, blank=True)
    suspect_detail = models.JSONField(default=dict)
    # Where an interrupted round goes on: the next page of each stream, its deltaLink once it is whole.
    select = models.JSONField(default=list)
    users_next = models.TextField(blank=True)
    users_link = models.TextField(blank=True)
    groups_next = models.TextField(blank=True)
    groups_link = models.TextField(blank=True)


class Mirrored(models.Model):
    class Deleted(models.TextChoices):
        NO = ""
        SOFT = "soft"
        PURGED = "purged"

    object_id = models.CharField(max_length=36)
    display_name = models.CharField(max_length=256, blank=True)
    # The Graph properties of the tenant's $select, names as in Microsoft Graph v1.0.
    properties = models.JSONField(default=dict)
    deleted = models.CharField(max_length=6, choices=Deleted, default=Deleted.NO, blank=True)
    # The snapshot that saw it last (a full round's set difference), and the one that changed it last (what to evaluate).
    seen_snapshot = models.PositiveBigIntegerField(default=0)
    changed_snapshot = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True


class DirectoryUser(Mirrored):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="directory_users")
    user_principal_name = models.CharField(max_length=256, blank=True)
    manager_id = models.CharField(max_length=36, blank=True)
    in_scope = models.BooleanField(default=False)
    # Code of sync.rules.scope, and the group that brought the person (its object id), as of the last evaluation.
    scope_reason = models.CharField(max_length=40, blank=True)
    scope_through = models.CharField(max_length=36, blank=True)
    scope_at = models.DateTimeField(null=True, blank=True)
    # The groups on the way from the assigned one down to the one that lists the person (object ids).
    scope_path = models.JSONField(default=list)
    # What is searched by its beginning (sync/db/beginnings.py).
    search_login = beginning_of("user_principal_name")
    search_surname = beginning_of(KT("properties__surname"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "object_id"], name="mirrored_user")]
        indexes = [
            *(
                models.Index(fields=["tenant", key], opclasses=["int8_ops", "varchar_pattern_ops"], name=f"user_{key}")
                for key in ("search_login", "search_surname")
            ),
            models.Index(fields=["tenant", "changed_snapshot"], name="user_changed"),
            # The few whom counts leave out.
            models.Index(fields=["tenant", "object_id"], condition=~models.Q(deleted=""), name="user_deleted"),
            models.Index(fields=["tenant", "manager_id"], name="user_manager"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.user_principal_name or self.object_id


class DirectoryGroup(Mirrored):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="directory_groups")
    # Whether the group itself is to be in AWS, as of the last evaluation.
    in_scope = models.BooleanField(default=False)
    scope_reason = models.CharField(max_length=40, blank=True)
    # Its members could not be read: nobody is removed from it until they are.
    members_unsure = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "object_id"], name="mirrored_group")]

    def __str__(self) -> str:
        return self.display_name or self.object_id


class DirectoryMembership(models.Model):
    """A direct member of a group. Members of other kinds than user are kept too: nesting needs them."""

    # Types of Microsoft Graph's directory objects; others may be members too (device, servicePrincipal, orgContact).
    USER, GROUP = "user", "group"

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="directory_memberships")
    group_id = models.CharField(max_length=36)
    member_id = models.CharField(max_length=36)
    member_type = models.CharField(max_length=20, default="user")
    seen_snapshot = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "group_id", "member_id"], name="mirrored_membership")]
        indexes = [models.Index(fields=["tenant", "member_id"], name="membership_by_member")]


class Inclusion(models.Model):
    """Which groups an assigned group stands for: itself, and those inside it when nested groups are included."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="inclusions")
    assigned_id = models.CharField(max_length=36)
    group_id = models.CharField(max_length=36)
    # Object ids from the assigned group down to this one, both included.
    path = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "assigned_id", "group_id"], name="one_inclusion")]
        indexes = [models.Index(fields=["tenant", "group_id"], name="inclusion_by_group")]
