"""Provisioning on demand: a person, some people or a group, now, with every step kept."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.link import ObjectType
from sync.models.run import Run
from sync.models.tenant import Tenant


class DemandQuerySet(models.QuerySet["Demand"]):
    def of(self, runs: models.QuerySet[Run]) -> "DemandQuerySet":
        return self.filter(run__in=list(runs))

    def cancel(self) -> None:
        """Those that wait will not be carried out."""
        self.filter(state=Demand.State.WAITING).update(
            state=Demand.State.FAILED,
            problem="cancelled",
            finished_at=timezone.now(),
            sequence=models.F("sequence") + 1,
        )


class Demand(models.Model):
    """A row that asks. A run in progress picks it up between two requests, else it gets a run of its own."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    OPEN = (State.WAITING, State.RUNNING)

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="demands")
    requested_by = models.CharField(max_length=254, blank=True)
    dry_run = models.BooleanField(default=True)
    # By the draft's rules in place of those that runs use: it shows, and never writes.
    drafted = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    # The run that carried it out, its own or the one in progress.
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="demands")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Counts every visible change: a page that polls asks only for what is newer.
    sequence = models.PositiveIntegerField(default=0)
    # Why all of it failed: a code of sync.problems.catalogue.
    problem = models.CharField(max_length=40, blank=True)
    problem_detail = models.TextField(blank=True)

    objects = DemandQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(drafted=False) | models.Q(dry_run=True), name="draft_only_shown")
        ]


class DemandObject(models.Model):
    """One person or group of a demand, with its steps."""

    class Step(models.TextChoices):
        """In the order in which they are carried out."""

        IMPORT = "import", _("Read from Entra")
        SCOPE = "scope", _("In scope?")
        READY = "ready", _("Ready?")
        MATCH = "match", _("Match")
        PLAN = "plan", _("Plan")
        WRITE = "write", _("Write")
        READ_BACK = "read_back", _("Read back and compare")

    demand = models.ForeignKey(Demand, models.CASCADE, related_name="objects_asked")
    position = models.PositiveSmallIntegerField(default=0)
    object_type = models.CharField(max_length=5, choices=ObjectType)
    object_id = models.CharField(max_length=36)
    display_name = models.CharField(max_length=256, blank=True)
    # created, updated …, no_change, skipped, failed or planned (dry run): as in Result.
    result = models.CharField(max_length=20, blank=True)
    # [{"step": "scope", "state": "done" | "failed" | "skipped", "facts": {...}, "at": "…"}]; facts: sync/on_demand/steps.py
    steps = models.JSONField(default=list)

    class Meta:
        ordering = ["position", "pk"]
