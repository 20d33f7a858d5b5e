"""Configuration: which Entra value lands in which AWS attribute, for whom, and who is assigned.

A draft has no number and is edited; publishing numbers it, and from then on it is never changed.
"""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.link import ObjectType
from sync.models.tenant import Tenant
from sync.rules import filters
from sync.rules.rows import FIELDS, MappingRow


def every_user_action() -> list[str]:
    return ["create", "update", "disable", "delete"]


def every_group_action() -> list[str]:
    return ["create", "update", "delete"]


class ConfigurationQuerySet(models.QuerySet["Configuration"]):
    def current(self) -> "Configuration":
        return self.in_use().get()

    def in_use(self) -> "ConfigurationQuerySet":
        """What runs use: the newest version; the draft, as long as none is published. One row, for conditions."""
        return self.order_by(models.F("number").desc(nulls_last=True))[:1]

    def published(self) -> "ConfigurationQuerySet":
        return self.filter(number__isnull=False)

    def draft(self) -> "Configuration | None":
        return self.filter(number=None).first()


class Configuration(models.Model):
    """The rules of one tenant: a numbered version, or the one draft.

    `changed_at` moves with every edit and with publishing: the next run then looks at everybody again.
    """

    class GuestName(models.TextChoices):
        INVITED = "invited", _("The address that they were invited by")
        ORIGINAL = "original", _("The user principal name with #EXT#, as Entra keeps it")
        MAIL = "mail", _("The e-mail address")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="configurations")
    # Null: the draft. Runs use the newest number; before the first one is published, they use the draft.
    number = models.PositiveIntegerField(null=True, blank=True)
    # The version that a draft began as a copy of.
    based_on = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=254, blank=True)
    comment = models.TextField(_("why"), max_length=1000, blank=True)
    # Who changed what last, by the key of the change (sync/configuration/items.py): {"by": e-mail, "at": ISO 8601}.
    edits = models.JSONField(default=dict)
    # Of a draft: keys of what differs from the version that it began from (sync/configuration/items.py).
    differs = models.JSONField(default=list)
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=254, blank=True)
    # Everybody in the directory is in scope; assignments then only bring groups.
    everybody = models.BooleanField(_("all people"), default=False)
    # Object id of the enterprise application whose assignments are mirrored; empty: none.
    mirrored_app = models.CharField(max_length=36, blank=True)
    leave_out_guests = models.BooleanField(_("leave out guests"), default=False)
    # What userPrincipalName stands for in a mapping when the person is a guest.
    guest_user_name = models.CharField(
        _("user name of guests"), max_length=8, choices=GuestName, default=GuestName.INVITED
    )
    # What may be done to people and groups in AWS ("target object actions" in Entra).
    user_actions = models.JSONField(default=every_user_action)
    group_actions = models.JSONField(default=every_group_action)
    # What decides who comes and who is linked with whom, in short (sync/configuration/items.py); "": not known.
    scope_digest = models.CharField(max_length=64, blank=True)
    # Moves when that changes: the next run then starts from a preview.
    scope_changed_at = models.DateTimeField(default=timezone.now)
    # The preview that somebody confirmed, which approves the creates and key changes that it listed.
    confirmed_run = models.ForeignKey("sync.Run", models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=254, blank=True)

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="configuration_number"),
            models.UniqueConstraint(fields=["tenant"], condition=models.Q(number=None), name="one_draft_per_tenant"),
        ]

    def __str__(self) -> str:
        return str(_("Version %(number)s") % {"number": self.number} if self.number else _("Draft"))

    @property
    def confirmed(self) -> bool:
        return self.confirmed_at is not None and self.confirmed_at >= self.scope_changed_at


class AttributeMapping(models.Model):
    class Kind(models.TextChoices):
        DIRECT = "direct", _("Direct")
        CONSTANT = "constant", _("Constant")
        EXPRESSION = "expression", _("Expression")
        REFERENCE = "reference", _("Reference")
        NONE = "none", _("None")

    class Apply(models.TextChoices):
        ALWAYS = "always", _("Always")
        CREATE = "create", _("Only when created")

    class WhenEmpty(models.TextChoices):
        CLEAR = "clear", _("Clear it in AWS")
        KEEP = "keep", _("Keep what AWS holds")

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="mappings")
    object_type = models.CharField(max_length=5, choices=[("user", _("People")), ("group", _("Groups"))])
    position = models.PositiveIntegerField(default=0)
    target = models.CharField(_("AWS field"), max_length=200)
    kind = models.CharField(_("type"), max_length=10, choices=Kind, default=Kind.DIRECT)
    # The attribute, the constant or the expression, by kind.
    source = models.TextField(_("from Entra"), max_length=10_000, blank=True)
    default = models.CharField(_("default when empty"), max_length=1024, blank=True)
    # The default is used on updates too; Entra uses it only when the object is created.
    default_on_update = models.BooleanField(_("also on updates"), default=False)
    apply = models.CharField(_("when"), max_length=6, choices=Apply, default=Apply.ALWAYS)
    matching = models.PositiveSmallIntegerField(_("match on this field"), null=True, blank=True)
    when_empty = models.CharField(
        _("when the source becomes empty"), max_length=5, choices=WhenEmpty, default=WhenEmpty.CLEAR
    )
    # Rows that came with the template stay, with a warning, even where AWS would refuse their result.
    from_template = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["configuration", "object_type", "target"], name="one_mapping_per_target")
        ]

    def __str__(self) -> str:
        return self.target

    def rule(self) -> MappingRow:
        """The row as the engine's value."""
        return MappingRow(**{name: getattr(self, name) for name in FIELDS}, position=self.position, id=self.pk)


def new_uid() -> str:
    return uuid.uuid4().hex


class ScopingFilter(models.Model):
    """One filter: all its clauses must hold. A person (or group) passes when any filter of the configuration passes."""

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="filters")
    # The same in every copy of the configuration: what a comparison of two versions goes by.
    uid = models.CharField(max_length=32, default=new_uid)
    object_type = models.CharField(max_length=5, choices=ObjectType, default=ObjectType.USER)
    position = models.PositiveIntegerField(default=0)
    title = models.CharField(_("title"), max_length=200)
    # [{"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": false}, …]
    clauses = models.JSONField(default=list)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["configuration", "uid"], name="filter_uid")]

    def __str__(self) -> str:
        return self.title

    def rule(self) -> filters.Filter:
        """The row as the engine's value."""
        return filters.Filter.of(self.title, self.clauses, self.uid)


class Assignment(models.Model):
    """A person or a group of the directory that is to be in AWS; a group brings its direct members."""

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="assignments")
    object_type = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36)
    # As read when it was assigned; the mirror knows better after the first run.
    display_name = models.CharField(max_length=256, blank=True)
    detail = models.CharField(max_length=256, blank=True)
    # No auto_now_add: a copy of the configuration keeps it.
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254, blank=True)
    # A group brings the members of the groups inside it too.
    nested = models.BooleanField(_("include nested groups"), default=False)
    # The group itself goes to AWS too; otherwise it only brings its people.
    send_group = models.BooleanField(_("also send the group itself"), default=True)
    # Came from the enterprise application, and goes with it.
    mirrored = models.BooleanField(default=False)

    class Meta:
        ordering = ["display_name"]
        constraints = [
            models.UniqueConstraint(fields=["configuration", "object_type", "object_id"], name="assigned_once")
        ]

    def __str__(self) -> str:
        return self.display_name or self.object_id
