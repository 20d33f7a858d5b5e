"""Tenant: one Entra directory paired with one Identity Center instance; its schedule and its lease."""

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

# How often it is looked what is due (portal/celery.py).
BEAT = datetime.timedelta(seconds=5)
# The part of an interval over which tenants spread, and what makes any number of them lie evenly (Knuth, TAOCP 6.4).
SPREAD, GOLDEN_RATIO = 20, 0.618033988749895
PAUSE_REASON_LENGTH = 200


class Interval(models.IntegerChoices):
    """Minutes between the starts of scheduled runs."""

    MINUTE = 1, _("1 min")
    FIVE = 5, _("5 min")
    FIFTEEN = 15, _("15 min")
    HALF_HOUR = 30, _("30 min")
    HOUR = 60, _("60 min")
    FOUR_HOURS = 240, _("4 h")
    DAY = 1440, _("24 h")


class Adoption(models.TextChoices):
    """Which unlinked AWS objects a run may take over by itself; everything else waits for a person."""

    BY_HAND = "by_hand", _("Never; only by hand")
    SAME_ID = "same_id", _("When AWS holds our external id")
    MATCH = "match", _("When a matching field is equal and AWS holds no other external id")


class NameId(models.TextChoices):
    """What AWS gets as the SAML NameID: the user name must equal it, or sign-in fails."""

    UPN = "userPrincipalName", _("User principal name")
    MAIL = "mail", _("E-mail address")


# What AWS Control Tower makes for itself (its user guide, "IAM Identity Center Groups for AWS Control Tower").
CONTROL_TOWER_GROUPS = (
    "AWSAccountFactory",
    "AWSAuditAccountAdmins",
    "AWSControlTowerAdmins",
    "AWSLogArchiveAdmins",
    "AWSLogArchiveViewers",
    "AWSSecurityAuditPowerUsers",
    "AWSSecurityAuditors",
    "AWSServiceCatalogAdmins",
)


def never_touch_by_default() -> list[str]:
    return list(CONTROL_TOWER_GROUPS)


class Tenants(models.Manager["Tenant"]):
    """Nobody sees a tenant that a worker is deleting (sync/tenants/deletion.py)."""

    def get_queryset(self) -> models.QuerySet["Tenant"]:
        return super().get_queryset().filter(deletion_due_at=None)

    def on_or_paused(self) -> models.QuerySet["Tenant"]:
        """On, or on again by itself."""
        return self.filter(models.Q(enabled=True) | models.Q(resume_at__isnull=False))


class Tenant(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    enabled = models.BooleanField(_("provisioning on"), default=False)
    enabled_changed_at = models.DateTimeField(null=True, blank=True)
    enabled_changed_by = models.CharField(max_length=254, blank=True)
    # A pause is being off until then, when a worker turns it on again by itself; `pause_reason`: in the person's words.
    resume_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=PAUSE_REASON_LENGTH, blank=True)
    # Turned off by `stop_all`; `resume_all` turns it on again.
    stopped_with_all = models.BooleanField(default=False)
    # The database was put back then from a backup: nothing is written to AWS before a comparison (sync/runs/restored.py).
    restored_at = models.DateTimeField(null=True, blank=True)
    interval = models.PositiveIntegerField(_("interval"), choices=Interval, default=Interval.FIFTEEN)
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_number = models.PositiveIntegerField(default=0)

    # Only what differs from the defaults of sync/rules/limits.py.
    limits = models.JSONField(default=dict, blank=True)
    # AWS names (`*` any text) and ids that are never written to: see sync/scim/never_touch.py.
    never_touch = models.JSONField(default=never_touch_by_default, blank=True)
    adoption = models.CharField(_("linking"), max_length=8, choices=Adoption, default=Adoption.SAME_ID)
    name_id = models.CharField(_("SAML NameID"), max_length=20, choices=NameId, default=NameId.UPN)
    # A person purged from Entra is deleted in AWS this long after the disabling. 0: never.
    delete_after_days = models.PositiveIntegerField(_("delete after days"), default=30)
    delete_groups = models.BooleanField(_("delete groups"), default=False)
    # A leaver's user name and e-mail address in AWS are renamed when a successor needs them.
    free_names = models.BooleanField(_("free the names of leavers"), default=False)
    verify_daily = models.BooleanField(_("compare with AWS every day"), default=True)
    repair = models.BooleanField(_("repair what differs"), default=False)
    # Who edited a draft does not publish it alone (sync/configuration/second_person.py).
    two_people = models.BooleanField(_("publishing needs two people"), default=False)

    # What the engine knows (its watermark): the last sealed snapshot, and up to which one people were evaluated.
    users_link = models.TextField(blank=True)
    groups_link = models.TextField(blank=True)
    # The $select that the links track: another set of mapped properties needs a full round (msgraph: delta tracks $select).
    tracked_select = models.JSONField(default=list)
    # When the delta links were given out (they live 7 days), and when everybody was last read.
    links_at = models.DateTimeField(null=True, blank=True)
    full_read_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    # Somebody said that the directory really is that much smaller: the next full round is taken as it is.
    shrink_accepted_at = models.DateTimeField(null=True, blank=True)
    # What that reading had none of at all, groups or memberships: nothing else may be empty in the next one.
    shrink_accepted_empty = models.JSONField(default=list)
    evaluated_snapshot = models.PositiveBigIntegerField(default=0)
    # The configuration's changed_at under which that was: newer rules mean looking at everybody again.
    evaluated_changed_at = models.DateTimeField(null=True, blank=True)
    # When all standings were last derived anew and compared with those stored.
    standings_checked_at = models.DateTimeField(null=True, blank=True)

    # Quarantine: writing rests, with a growing pause between tries, until a try goes well.
    quarantined_at = models.DateTimeField(null=True, blank=True)
    quarantine_code = models.CharField(max_length=40, blank=True)
    quarantine_detail = models.TextField(blank=True)
    quarantine_tries = models.PositiveIntegerField(default=0)

    # The lease: one run per tenant, whoever holds the newest epoch. Times are the database's own.
    lease_epoch = models.PositiveBigIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    # Somebody asked to delete it; a worker is sent (again) then.
    deletion_due_at = models.DateTimeField(null=True, blank=True)

    objects = Tenants()
    deleted_too = models.Manager["Tenant"]()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(enabled=False) | models.Q(resume_at=None), name="paused_is_off")
        ]

    def __str__(self) -> str:
        return self.name

    def never_touched(self) -> list[str]:
        """The never-touch list, and the ids of what somebody left alone."""
        return [*self.never_touch, *self.left_alone.values_list("scim_id", flat=True)]

    @property
    def paused(self) -> bool:
        return self.resume_at is not None

    @property
    def interval_length(self) -> datetime.timedelta:
        return datetime.timedelta(minutes=self.interval)

    def start_after(self, now: datetime.datetime) -> datetime.datetime:
        """Of the next run. An interval is never longer than it says, however the beats fall that look for what is due.

        Each tenant's is shorter by a little of its own: those that became due at once, as after an outage, drift apart.
        """
        own = self.interval_length / SPREAD * (self.pk * GOLDEN_RATIO % 1)
        return now + self.interval_length - BEAT - own
