"""Tenant: one Entra directory paired with one Identity Center instance; its schedule and its lease."""

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class Interval(models.IntegerChoices):
    """Minutes between the starts of scheduled runs."""

    MINUTE = 1, _("1 min")
    FIVE = 5, _("5 min")
    FIFTEEN = 15, _("15 min")
    HALF_HOUR = 30, _("30 min")
    HOUR = 60, _("60 min")
    FOUR_HOURS = 240, _("4 h")
    DAY = 1440, _("24 h")


class Tenant(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    enabled = models.BooleanField(_("provisioning on"), default=False)
    enabled_changed_at = models.DateTimeField(null=True, blank=True)
    enabled_changed_by = models.CharField(max_length=254, blank=True)
    interval = models.PositiveIntegerField(_("interval"), choices=Interval, default=Interval.FIFTEEN)
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_number = models.PositiveIntegerField(default=0)

    notification_email = models.EmailField(_("notification address"), blank=True)
    notify_on_failure = models.BooleanField(_("send an e-mail when a failure occurs"), default=False)

    # What the engine knows (its watermark): the last sealed snapshot, and up to which one people were evaluated.
    users_link = models.TextField(blank=True)
    groups_link = models.TextField(blank=True)
    # The $select that the links track: another set of mapped properties needs a full round (msgraph: delta tracks $select).
    tracked_select = models.JSONField(default=list)
    evaluated_snapshot = models.PositiveBigIntegerField(default=0)
    # The configuration's changed_at under which that was: newer rules mean looking at everybody again.
    evaluated_changed_at = models.DateTimeField(null=True, blank=True)

    # The lease: one run per tenant, whoever holds the newest epoch. Times are the database's own.
    lease_epoch = models.PositiveBigIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def interval_length(self) -> datetime.timedelta:
        return datetime.timedelta(minutes=self.interval)
