"""Runs and their operations. An operation is plan row, log entry and outcome in one."""

import datetime
from collections.abc import Collection
from functools import reduce
from operator import or_

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sync.models.columns import Changes, Counts, Impact, Phases, UnitChange, Units
from sync.models.configuration import Configuration
from sync.models.tenant import Tenant

# A log line names up to this many fields; above, it counts them.
FIELDS_NAMED = 3


class RunQuerySet(models.QuerySet["Run"]):
    def finished(self) -> "RunQuerySet":
        return self.exclude(state__in=Run.OPEN)

    def queued(self) -> "RunQuerySet":
        """No worker has taken them up. The states said twice are what SQLite knows the index of open runs by."""
        return self.filter(state__in=Run.OPEN).filter(state=Run.State.QUEUED)

    def whole(self) -> "RunQuerySet":
        """Those over the whole directory by the rules in use: nothing on demand, no comparison, no draft's preview."""
        return self.exclude(kind__in=(Run.Kind.ON_DEMAND, Run.Kind.VERIFY)).filter(configuration_digest="")

    def drafted(self) -> "RunQuerySet":
        """Previews of a draft, whatever became of it since."""
        return self.filter(kind=Run.Kind.PREVIEW).exclude(configuration_digest="")

    def compared(self) -> "RunQuerySet":
        """Those that compared with AWS, and carried it through."""
        return self.filter(compared_at__isnull=False)

    def syncs(self) -> "RunQuerySet":
        """Those that write what the rules say: no preview, no comparison, nothing on demand. Rates and medians are theirs."""
        return self.filter(kind__in=Run.SYNCS)

    def since(self, moment: datetime.datetime) -> "RunQuerySet":
        return self.filter(created_at__gte=moment)


class Run(models.Model):
    class Kind(models.TextChoices):
        FULL = "full", _("Full")
        CHANGES = "changes", _("Changes only")
        PREVIEW = "preview", _("Preview")
        ON_DEMAND = "demand", _("On demand")
        VERIFY = "verify", _("Comparison with AWS")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("Schedule")
        PERSON = "person", _("By hand")
        TURNED_ON = "turned_on", _("Turned on")
        COMMAND = "command", _("Command")
        APPROVAL = "approval", _("Approval")
        API = "api", _("API")
        CHANGE = "change", _("Change in Entra")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        CANCELLING = "cancelling", _("Cancelling")
        WAITING = "waiting_for_approval", _("Waiting for approval")
        COMPLETED = "completed", _("Completed")
        COMPLETED_WITH_ERRORS = "completed_with_errors", _("Completed with errors")
        COMPLETED_WITH_DIFFERENCES = "completed_with_differences", _("Completed with differences")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Kept(models.TextChoices):
        """What retention has left of its operations (sync/retention)."""

        ALL = "all"
        ROWS = "rows"
        NOTHING = "nothing"

    OPEN = (State.QUEUED, State.RUNNING, State.CANCELLING)
    DONE = (State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.COMPLETED_WITH_DIFFERENCES)
    SYNCS = (Kind.FULL, Kind.CHANGES)
    # The problem of a run whose whole plan waits; without it a waiting run wrote everything but what is held.
    NOT_CONFIRMED = "not-confirmed"

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.CharField(max_length=254, blank=True)
    # What it followed; of a preview: what it is to follow (null: what runs use by then).
    configuration = models.ForeignKey(Configuration, models.SET_NULL, null=True)
    # Of the draft as its preview saw it (sync/configuration/items.py): it may be edited after it. "": no preview of a draft.
    configuration_digest = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=26, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    # Counts every visible change of the run: a page that polls asks only for what is newer.
    sequence = models.PositiveIntegerField(default=0)
    # {"read": {"state": "done", "seconds": 1.2, "facts": {"people": 512, "groups": 40}}}
    phases: "models.JSONField[Phases, Phases]" = models.JSONField(default=dict)
    # {"created": 12, "failed": 3, "no_change": 480}: by Result and "no_change"; of a comparison by Drift.Kind.
    counts: "models.JSONField[Counts, Counts]" = models.JSONField(default=dict)
    # {"missing-family-name": 2}: how many people and groups each kind of problem concerned, without warnings.
    problems: "models.JSONField[Counts, Counts]" = models.JSONField(default=dict)
    # As standings had it when the run ended: people in scope; of them those in AWS and up to date, and those whom AWS takes.
    people_in_scope = models.PositiveIntegerField(null=True, blank=True)
    people_in_aws = models.PositiveIntegerField(null=True, blank=True)
    people_ready = models.PositiveIntegerField(null=True, blank=True)
    planned = models.PositiveIntegerField(default=0)
    # Of a draft's preview (sync/engine/rehearsal/impact.py).
    impact: "models.JSONField[Impact, Impact]" = models.JSONField(default=dict)
    # SHA-256 over the plan's rows as they were stored (sync/engine/evaluation/plan_store.py).
    plan_hash = models.CharField(max_length=64, blank=True)
    # Whoever asked for it has said yes to the creates and key changes of its plan (`sync --confirm`).
    confirmed = models.BooleanField(default=False)
    # The reading was not sane: nobody was removed. A code of sync.problems.catalogue.
    suspect = models.CharField(max_length=40, blank=True)
    # When it began to read AWS, once its comparison was carried through.
    compared_at = models.DateTimeField(null=True, blank=True)
    # {"GET": 3, "POST": 40, "throttled": 0}
    scim_requests: "models.JSONField[Counts, Counts]" = models.JSONField(default=dict)
    # Why the whole run failed: a code of sync.problems.catalogue and its facts.
    problem = models.CharField(max_length=40, blank=True)
    problem_detail = models.TextField(blank=True)
    # ROWS: without what was sent and answered.
    kept = models.CharField(max_length=7, choices=Kept, default=Kept.ALL)
    # Itself, and those of the same day that changed nothing either and are no rows any more.
    stands_for = models.PositiveIntegerField(default=1)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["tenant", "id"], condition=models.Q(compared_at__isnull=False), name="run_compared"),
            # The log asks for them, to leave them out.
            models.Index(fields=["kind"], condition=models.Q(kind="preview"), name="run_previews"),
            # Asked for every few seconds.
            models.Index(
                fields=["state"], condition=models.Q(state__in=["queued", "running", "cancelling"]), name="run_open"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="run_number"),
            models.UniqueConstraint(
                fields=["tenant"],
                # What is asked on demand is carried out inside the run in progress, by its thread, under its lease.
                condition=models.Q(state__in=["running", "cancelling"]) & ~models.Q(kind="demand"),
                name="one_run_per_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"

    @property
    def open(self) -> bool:
        return self.state in self.OPEN

    @property
    def plan_waits(self) -> bool:
        """Nothing was written: somebody has to confirm the plan first."""
        return self.state == self.State.WAITING and self.problem == self.NOT_CONFIRMED

    @property
    def carried_through(self) -> bool:
        return self.state in self.DONE or (self.state == self.State.WAITING and not self.plan_waits)

    @property
    def whole(self) -> bool:
        """As RunQuerySet.whole() has it."""
        return self.kind not in (self.Kind.ON_DEMAND, self.Kind.VERIFY) and not self.configuration_digest

    @property
    def drafted(self) -> bool:
        """The preview of a draft: it leaves no trace but its plan."""
        return self.kind == self.Kind.PREVIEW and bool(self.configuration_digest)

    @property
    def others(self) -> int:
        """How many of the same day it stands for, beside itself."""
        return self.stands_for - 1

    @property
    def duration(self) -> datetime.timedelta | None:
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


class MissedStart(models.Model):
    """A sync was due and did not start in time."""

    class Reason(models.TextChoices):
        NOBODY = "nobody", _("Nobody was working")
        BUSY = "busy", _("Another run was open")

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="missed_starts")
    expected_at = models.DateTimeField()
    # When one started after all.
    until = models.DateTimeField()
    reason = models.CharField(max_length=6, choices=Reason)
    # What was open, where that is the reason.
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["tenant", "expected_at"], name="missed_by_time")]

    def __str__(self) -> str:
        return f"{self.expected_at}: {self.get_reason_display()}"


class Action(models.TextChoices):
    """What is meant to be done."""

    CREATE = "create", _("Create")
    UPDATE = "update", _("Update")
    DISABLE = "disable", _("Disable")
    ENABLE = "enable", _("Enable")
    DELETE = "delete", _("Delete")
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
    DELETED = "deleted", _("Deleted")
    LINKED = "linked", _("Linked")
    ADDED = "added", _("Added")
    REMOVED = "removed", _("Removed")
    SKIPPED = "skipped", _("Skipped")
    HELD = "held", _("Held")
    WILL_RETRY = "will_retry", _("Will retry")
    FAILED = "failed", _("Failed")


# When it happened, as far as that is known: the order of the log, and an index of its own.
MOMENT = Coalesce("finished_at", "sent_at", "created_at")
NEWEST = (MOMENT.desc(), models.F("id").desc())
# Conditions of indexes: what is looked for there has to name them. Rows that nobody has begun are in no log.
IN_LOG = ~models.Q(result=Result.PLANNED)
HAS_PROBLEM = ~models.Q(problem="")
HAS_SCIM_ID = ~models.Q(scim_id="")
HAS_REQUEST_ID = ~models.Q(request_id="")
# Most rows are updates: of them an index by action would be another one of all.
NO_UPDATE = ~models.Q(action=Action.UPDATE)
# Something became another in AWS.
CHANGED = (
    *(Result.CREATED, Result.UPDATED, Result.DISABLED, Result.ENABLED, Result.DELETED),
    *(Result.LINKED, Result.ADDED, Result.REMOVED),
)


# A second step that went so is no news beside the first.
FOLLOWED = (Result.PLANNED, Result.SENT, Result.UPDATED, Result.SKIPPED)


class OperationQuerySet(models.QuerySet["Operation"]):
    def log(self) -> "OperationQuerySet":
        """What happened or was decided; plan rows that nobody has begun, and previews, are not in the log."""
        return self.filter(IN_LOG).exclude(run__in=Run.objects.filter(kind=Run.Kind.PREVIEW))

    def during(self, run: Run) -> "OperationQuerySet":
        """Of this run and in the log, for a list by time: its rows lie together there, so that nothing has to be sorted.

        An index on the run would be no help, and is kept out of it.
        """
        rows = self.filter(IN_LOG).alias(at=MOMENT, of_run=models.F("run_id") + 0)
        rows = rows.filter(tenant=run.tenant_id, of_run=run.pk, at__gte=run.created_at)
        return rows.filter(at__lte=run.finished_at) if run.finished_at and not run.open else rows

    def last_of_each(self) -> "OperationQuerySet":
        """One of each person in a run: of somebody who was created, the manager that followed. Everything else as it is."""
        same = Operation.objects.filter(run=models.OuterRef("run"), object_id=models.OuterRef("object_id"))
        after = same.filter(object_type="user", pk__gt=models.OuterRef("pk")).exclude(result=Result.PLANNED)
        return self.exclude(models.Q(object_type="user") & models.Exists(after))

    def counting(self) -> "OperationQuerySet":
        """What counts people: whoever was created is not updated too because the manager follows by itself."""
        same = Operation.objects.filter(run=models.OuterRef("run"), object_id=models.OuterRef("object_id"))
        created = same.filter(object_type="user", action=Action.CREATE)
        follows = models.Q(object_type="user", action=Action.UPDATE, result__in=FOLLOWED)
        return self.exclude(follows & models.Exists(created))

    def since(self, moment: datetime.datetime) -> "OperationQuerySet":
        return self.alias(at=MOMENT).filter(at__gte=moment)

    def newest_first(self) -> "OperationQuerySet":
        return self.order_by(MOMENT.desc(), "-pk")

    def oldest_first(self) -> "OperationQuerySet":
        return self.order_by(MOMENT.asc(), "pk")

    def older_than(self, row: "Operation") -> "OperationQuerySet":
        before = models.Q(at__lt=row.moment) | models.Q(pk__lt=row.pk)
        return self.alias(at=MOMENT).filter(before, at__lte=row.moment)

    def newer_than(self, row: "Operation") -> "OperationQuerySet":
        after = models.Q(at__gt=row.moment) | models.Q(pk__gt=row.pk)
        return self.alias(at=MOMENT).filter(after, at__gte=row.moment)

    def search(self, tenant: Tenant, text: str, named: Collection[str] | None) -> "OperationQuerySet":
        """By name, user principal name, Entra id, AWS id or AWS request id. `named`: Entra ids of whoever was ever logged under
        such a name, to look at no others; None: at everybody."""
        within = models.Q(display_name__icontains=text) | models.Q(detail_name__icontains=text)
        ids = [models.Q(object_id=text)]
        ids += [HAS_SCIM_ID & models.Q(scim_id=text), HAS_REQUEST_ID & models.Q(request_id=text)]
        if named is None:
            return self.filter(reduce(or_, ids, within))
        # Each by an index of its own, whatever the database knows of the rows.
        ways = [within & models.Q(object_id__in=named), *ids]
        by_name, *by_id = (Operation.objects.filter(way, tenant=tenant).order_by().values("pk") for way in ways)
        # A union is made whole before its first row is known, and mostly the text is nobody's id.
        is_id = by_id[0].union(*by_id[1:]).exists()
        return self.filter(pk__in=by_name.union(*by_id) if is_id else by_name)


class LoggedNameQuerySet(models.QuerySet["LoggedName"]):
    def within(self, text: str) -> "LoggedNameQuerySet":
        return self.filter(models.Q(display_name__icontains=text) | models.Q(detail_name__icontains=text))


class LoggedName(models.Model):
    """A name under which the log has, or had, a person or group: what is searched in place of every row of it."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", db_index=False)
    object_id = models.CharField(max_length=36)
    # As Operation has them.
    display_name = models.CharField(max_length=256, blank=True)
    detail_name = models.CharField(max_length=256, blank=True)

    objects = LoggedNameQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "object_id", "display_name", "detail_name"], name="one_logged_name"
            )
        ]


class Operation(models.Model):
    """One request (or one decision not to make one) about one person or group."""

    # Indexes of several columns begin with each of the two.
    run = models.ForeignKey(Run, models.CASCADE, related_name="operations", db_index=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="operations", db_index=False)
    # Order of export: 1 people, 2 managers, 3 groups, 4 memberships, 5 removals.
    stage = models.PositiveSmallIntegerField(default=1)
    # Within a stage: a wave begins when the one before it is answered (values that one frees and another takes).
    wave = models.PositiveSmallIntegerField(default=0)
    link = models.ForeignKey("sync.Link", models.SET_NULL, null=True, blank=True, related_name="operations")
    # How many people it concerns: the members of a membership request, else one.
    people = models.PositiveIntegerField(default=1)
    # It changes a unique value (userName, e-mail, externalId, group name) of an object that AWS holds.
    moves_key = models.BooleanField(default=False)
    # Of the unique values that the object is to have, in short: a confirmed plan approves exactly these.
    wanted_keys = models.CharField(max_length=32, blank=True)
    # A person let it pass the limits.
    approved = models.BooleanField(default=False)
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
    # {"title": {"before": "Clerk", "after": "Chief", "mapping": "title"}}, {"members": [ids...]}, or both.
    changes: "models.JSONField[Changes, Changes]" = models.JSONField(default=dict)
    # Of a draft's preview: keys of the changes that bring it (sync/engine/rehearsal/causes.py).
    causes = models.JSONField(default=list)
    # Units to write (see sync/scim/resource.py): what becomes Link.written when AWS agrees.
    desired: "models.JSONField[Units, Units]" = models.JSONField(default=dict)
    epoch = models.PositiveBigIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Code of sync.problems.catalogue, the attribute it is about, AWS's own words.
    problem = models.CharField(max_length=40, blank=True)
    attribute = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    # {"method", "path", "body"} and {"status", "body"}, as sent and received; the token is never part of it.
    request = models.JSONField(default=dict)
    answer = models.JSONField(default=dict)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # A plan, newest first: by an index on the run alone PostgreSQL would read the whole log back to it.
            models.Index(fields=["run", "id"], name="operation_by_run"),
            models.Index(fields=["run", "result", "stage"], name="operation_todo"),
            models.Index(fields=["run", "object_id", "result", "stage"], name="operation_of_object"),
            models.Index(fields=["tenant", "result"], name="operation_by_result"),
            # The log, all of it and by a result, an action or a problem. What it is filtered and counted by stands in the index too.
            models.Index("tenant", *NEWEST, "result", "run", condition=IN_LOG, name="operation_by_moment"),
            models.Index("tenant", "result", *NEWEST, "run", condition=IN_LOG, name="operation_result_by_moment"),
            models.Index(
                *("tenant", "action", *NEWEST, "run"), condition=IN_LOG & NO_UPDATE, name="operation_by_action"
            ),
            models.Index(
                *("tenant", "problem", *NEWEST, "run", "attribute", "result"),
                condition=HAS_PROBLEM,
                name="operation_problem_by_moment",
            ),
            models.Index(fields=["tenant", "object_id", "-id"], name="operation_by_object"),
            models.Index(fields=["tenant", "scim_id"], condition=HAS_SCIM_ID, name="operation_by_scim_id"),
            models.Index(fields=["tenant", "request_id"], condition=HAS_REQUEST_ID, name="operation_by_request_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.display_name}"

    @property
    def moment(self) -> datetime.datetime:
        return self.finished_at or self.sent_at or self.created_at

    @property
    def member_ids(self) -> list[str]:
        """Ids in Entra of the people whom a membership request, or the creation of a group, is about."""
        members = self.changes.get("members", [])
        return members if isinstance(members, list) else []

    @property
    def unit_changes(self) -> dict[str, UnitChange]:
        return {unit: change for unit, change in self.changes.items() if not isinstance(change, list)}

    @property
    def fields_in_words(self) -> str:
        """`displayName, title`, `9 fields` or `40 people`."""
        fields = [unit.rpartition(":")[2] for unit in self.unit_changes]
        members = len(self.member_ids)
        people = ngettext("%(n)s person", "%(n)s people", members) % {"n": members} if members else ""
        if len(fields) > FIELDS_NAMED:
            fields = [ngettext("%(n)s field", "%(n)s fields", len(fields)) % {"n": len(fields)}]
        return ", ".join([*fields, *([people] if people else [])])

    @property
    def request_line(self) -> str:
        method, path = self.request.get("method", ""), self.request.get("path", "")
        return f"{method} {path}".strip()
