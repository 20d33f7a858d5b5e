"""Configuration: which Entra value lands in which AWS attribute, and who is assigned."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync import mapping
from sync.models.link import ObjectType
from sync.models.tenant import Tenant


class Configuration(models.Model):
    """The rules of one tenant. `changed_at` moves with every edit: the next run then looks at everybody again."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="configurations")
    number = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.CharField(max_length=254, blank=True)
    # Everybody in the directory is in scope; assignments then only bring groups.
    everybody = models.BooleanField(_("all people"), default=False)
    # Object id of the enterprise application whose assignments are mirrored; empty: none.
    mirrored_app = models.CharField(max_length=36, blank=True)
    # Moves when scope or matching changes: the next run then starts from a preview.
    scope_changed_at = models.DateTimeField(default=timezone.now)
    # The preview that somebody confirmed, which approves the creates and key changes that it listed.
    confirmed_run = models.ForeignKey("sync.Run", models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="configuration_number")]

    @property
    def confirmed(self) -> bool:
        return self.confirmed_at is not None and self.confirmed_at >= self.scope_changed_at


class AttributeMapping(models.Model):
    class Kind(models.TextChoices):
        DIRECT = "direct", _("Direct")
        CONSTANT = "constant", _("Constant")
        EXPRESSION = "expression", _("Expression")
        REFERENCE = "reference", _("Reference")

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
    source = models.TextField(_("from Entra"), max_length=10_000)
    default = models.CharField(_("default when empty"), max_length=1024, blank=True)
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

    def rule(self) -> mapping.Mapping:
        """The row as the engine's value."""
        return mapping.Mapping(
            target=self.target,
            kind=self.kind,  # type: ignore[arg-type]
            source=self.source,
            default=self.default,
            apply=self.apply,  # type: ignore[arg-type]
            matching=self.matching,
            when_empty=self.when_empty,  # type: ignore[arg-type]
            position=self.position,
            id=self.pk,
        )


class Assignment(models.Model):
    """A person or a group of the directory that is to be in AWS; a group brings its direct members."""

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="assignments")
    object_type = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36)
    # As read when it was assigned; the mirror knows better after the first run.
    display_name = models.CharField(max_length=256, blank=True)
    detail = models.CharField(max_length=256, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=254, blank=True)
    # A group brings the members of the groups inside it too.
    nested = models.BooleanField(_("include nested groups"), default=False)
    # Came from the enterprise application, and goes with it.
    mirrored = models.BooleanField(default=False)

    class Meta:
        ordering = ["display_name"]
        constraints = [
            models.UniqueConstraint(fields=["configuration", "object_type", "object_id"], name="assigned_once")
        ]

    def __str__(self) -> str:
        return self.display_name or self.object_id
