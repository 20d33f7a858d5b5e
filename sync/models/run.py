"""Runs and their operations. An operation is plan row, log entry and outcome in one."""

import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.models.configuration import Configuration
from sync.models.tenant import Tenant


class Run(models.Model):
    class Kind(models.TextChoices):
        FULL = "full", _("Full")
        CHANGES = "changes", _("Changes only")
        PREVIEW = "preview", _("Preview")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("Schedule")
        PERSON = "person", _("By hand")
        TURNED_ON = "turned_on", _("Turned on")
        COMMAND = "command", _("Command")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        CANCELLING = "cancelling", _("Cancelling")
        COMPLETED = "completed", _("Completed")
        COMPLETED_WITH_ERRORS = "completed_with_errors", _("Completed with errors")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OPEN = (State.QUEUED, State.RUNNING, State.CANCELLING)

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.CharField(max_length=254, blank=True)
    configuration = models.ForeignKey(Configuration, models.SET_NULL, null=True)
    state = models.CharField(max_length=22, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    # Counts every visible change of the run: a page that polls asks only for what is newer.
    sequence = models.PositiveIntegerField(default=0)
    # {"import": {"state": "done", "seconds": 1.2, "facts": {"users": 512}}}; keys and words: sync.phases
    phases = models.JSONField(default=dict)
    # {"created": 12, "failed": 3, ...}, keys as in Result
    counts = models.JSONField(default=dict)
    planned = models.PositiveIntegerField(default=0)
    # {"GET": 3, "POST": 40, "throttled": 0}
    scim_requests = models.JSONField(default=dict)
    # Why the whole run failed: a code of sync.problems and its facts.
    problem = models.CharField(max_length=40, blank=True)
    problem_detail = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="run_number"),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(state__in=["running", "cancelling"]),
                name="one_run_per_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"

    @property
    def open(self) -> bool:
        return self.state in self.OPEN

    @property
    def duration(self) -> datetime.timedelta | None:
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


class Action(models.TextChoices):
    """What is meant to be done."""

    CREATE = "create", _("Create")
    UPDATE = "update", _("Update")
    DISABLE = "disable", _("Disable")
    ENABLE = "enable", _("Enable")
    LINK = "link", _("Link")
    ADD_MEMBER = "add_member", _("Add member")
    REMOVE_MEMBER = "remove_member", _("Remove member")


class Result(models.TextChoices):
    """What came of it. Planned and sent are not words of the log: such rows show as waiting or running."""

    PLANNED = "planned", _("Waiting")
    SENT = "sent", _("Running")
    CREATED = "created", _("Created")
    UPDATED = "updated", _("Updated")
    DISABLED = "disabled", _("Disabled")
    ENABLED = "enabled", _("Enabled")
    LINKED = "linked", _("Linked")
    ADDED = "added", _("Added")
    REMOVED = "removed", _("Removed")
    SKIPPED = "skipped", _("Skipped")
    WILL_RETRY = "will_retry", _("Will retry")
    FAILED = "failed", _("Failed")


class Operation(models.Model):
    """One request (or one decision not to make one) about one person or group."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="operations")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="operations")
    # Order of export: 1 people, 2 managers, 3 groups, 4 memberships, 5 removals.
    stage = models.PositiveSmallIntegerField(default=1)
    object_type = models.CharField(
        max_length=10, choices=[("user", _("Person")), ("group", _("Group")), ("membership", _("Membership"))]
    )
    object_id = models.CharField(max_length=36)
    display_name = models.CharField(max_length=256, blank=True)
    # User principal name of people; empty for groups.
    detail_name = models.CharField(max_length=256, blank=True)
    scim_id = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=13, choices=Action)
    result = models.CharField(max_length=10, choices=Result, default=Result.PLANNED)
    # {"title": {"before": "Clerk", "after": "Chief", "mapping": "title"}}; for memberships {"members": [ids...]}
    changes = models.JSONField(default=dict)
    # Units to write (see sync/scim/resource.py): what becomes Link.written when AWS agrees.
    desired = models.JSONField(default=dict)
    epoch = models.PositiveBigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Code of sync.problems, the attribute it is about, AWS's own words.
    problem = models.CharField(max_length=40, blank=True)
    attribute = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    # {"method", "path", "body"} and {"status", "body"}, as sent and received; the token is never part of it.
    request = models.JSONField(default=dict)
    answer = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["run", "result", "stage"], name="operation_todo"),
            models.Index(fields=["tenant", "-id"], name="operation_newest"),
            models.Index(fields=["tenant", "object_id", "-id"], name="operation_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.display_name}"
