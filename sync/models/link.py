"""Links: which AWS object belongs to which Entra object, and what was last written there."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.tenant import Tenant


class ObjectType(models.TextChoices):
    USER = "user", _("Person")
    GROUP = "group", _("Group")


class Origin(models.TextChoices):
    """How the link came about."""

    CREATED = "created", _("Created by us")
    RULE = "rule", _("Linked by rule")
    HAND = "hand", _("Linked by hand")


class Keyed(models.Model):
    """Unique values as AWS compares them (sync/rules/unique_keys.py): those last written, and those that the rules want now."""

    object_type = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36)
    scim_id = models.CharField(max_length=100, blank=True)
    held_name = models.CharField(max_length=255, blank=True)
    held_email = models.CharField(max_length=255, blank=True)
    held_external = models.CharField(max_length=255, blank=True)
    wanted_name = models.CharField(max_length=255, blank=True)
    wanted_email = models.CharField(max_length=255, blank=True)
    wanted_external = models.CharField(max_length=255, blank=True)

    class Meta:
        abstract = True


KEYS = tuple(f"{side}_{key}" for side in ("held", "wanted") for key in ("name", "email", "external"))


class Link(Keyed):
    """A row exists from the first attempt on; `scim_id` is empty while AWS does not hold the object.

    `written` holds what AWS took last, by unit (see sync/scim/resource.py): {"userName": "…", "emails": [...]}.
    A unit whose value is null is unknown (an answer got lost): it is written anew.
    """

    # Codes of `match_code` that ask a person whether the AWS object found is this one. "successor": AWS holds it for
    # somebody who is gone.
    PROPOSED = ("exists-unlinked", "left-alone", "successor")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="links")
    written = models.JSONField(default=dict)
    written_at = models.DateTimeField(null=True, blank=True)
    # When AWS was last asked about this one object and held what was written.
    read_at = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    origin = models.CharField(max_length=7, choices=Origin, default=Origin.CREATED)
    linked_at = models.DateTimeField(null=True, blank=True)

    # The newest verdicts, each with its time. Codes: sync.problems.catalogue; empty means ready.
    ready_code = models.CharField(max_length=40, blank=True)
    ready_attribute = models.CharField(max_length=200, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    # linked, matched, unmatched, or why not: a code of sync.problems.catalogue; the AWS object that was found.
    match_code = models.CharField(max_length=40, blank=True)
    match_attribute = models.CharField(max_length=200, blank=True)
    match_scim_id = models.CharField(max_length=100, blank=True)
    match_name = models.CharField(max_length=1024, blank=True)
    match_at = models.DateTimeField(null=True, blank=True)
    # A person said that the AWS object with this id is the one.
    adopt_scim_id = models.CharField(max_length=100, blank=True)
    # Since when AWS holds the person disabled because of us.
    disabled_at = models.DateTimeField(null=True, blank=True)

    # Why the object was left as it is when it was judged last, and since when that is so: a code of
    # sync.problems.catalogue, the attribute and the words to quote; empty once it passes. It is judged again in every run.
    refused_code = models.CharField(max_length=40, blank=True)
    refused_attribute = models.CharField(max_length=200, blank=True)
    refused_words = models.TextField(blank=True)
    refused_since = models.DateTimeField(null=True, blank=True)
    # Who holds the value that the object is refused for, or failed for: in AWS, else in Entra.
    holder_name = models.CharField(max_length=1024, blank=True)
    holder_id = models.CharField(max_length=100, blank=True)
    # What was decided and is not written yet, an Action; codes worth knowing of who passed, with blanks between them.
    pending = models.CharField(max_length=13, blank=True)
    warnings = models.CharField(max_length=200, blank=True)

    # Escrow: the object waits after a failure, while everything else goes on.
    failures = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_attribute = models.CharField(max_length=200, blank=True)
    failure_words = models.TextField(blank=True)
    failure_request_id = models.CharField(max_length=100, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "object_type", "object_id"], name="one_link_per_object"),
            models.UniqueConstraint(
                fields=["tenant", "object_type", "scim_id"],
                condition=~models.Q(scim_id=""),
                name="one_object_per_scim_id",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "retry_at"], name="link_retry"),
            models.Index(fields=["tenant", "refused_code"], condition=~models.Q(refused_code=""), name="link_refused"),
            # Every page asks whether any of them is proposed for linking (sync/approvals/services.py).
            models.Index(fields=["tenant", "match_code"], condition=models.Q(scim_id=""), name="link_without_object"),
            *(models.Index(fields=["tenant", "object_type", key], name=f"link_{key}") for key in KEYS),
            models.Index(
                fields=["tenant", "object_type", "wanted_email"],
                opclasses=["int8_ops", "varchar_ops", "varchar_pattern_ops"],
                name="link_email_beginning",
            ),
        ]

    def __str__(self) -> str:
        return self.wanted_name or self.object_id


class MembershipLink(models.Model):
    """A membership that AWS holds because we wrote it. `certain` is off while an answer is outstanding."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="membership_links")
    group = models.ForeignKey(Link, models.CASCADE, related_name="member_links")
    user = models.ForeignKey(Link, models.CASCADE, related_name="group_links")
    certain = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="one_membership_link")]
