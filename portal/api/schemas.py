"""The shapes of answers and requests. Words are those of the models, moments are ISO 8601 in UTC."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from sync.models import Action, HeldChange, Hold, Result, Run, Word

# No control characters but tab and the ends of a line, as in forms (portal/frame/middleware.py).
PLAIN = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$"
# Two models call theirs `Kind`, and a description has one schema of a name.
RUN_KIND, HOLD_KIND = (Field(json_schema_extra={"enum": list(kind.values)}) for kind in (Run.Kind, Hold.Kind))
# Of a row; databases count no further.
Key = Annotated[int, Field(ge=1, le=2**63 - 1)]
EXAMPLE_ID = "8b1a6c2e-5d0f-4f5a-9a51-0c6f1b7d2e11"


class ProblemOut(Schema):
    """RFC 9457. `code` is for programs; other members depend on it."""

    type: str = Field(examples=["https://lockstep.example/help/api/#not-found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["not-found"])
    request: str = Field(description="To quote: log lines and the audit log carry it.", examples=["4F21C0A9D3E7"])


class StatusOut(Schema):
    version: str
    working: bool = Field(description="Workers and the clock are there.")
    missing: str | None = Field(description="Who is not, in words.")
    tenants: int
    overdue: int = Field(description="Tenants whose sync is late.")
    quarantined: int


class LastRunOut(Schema):
    number: int
    kind: str = RUN_KIND
    state: Run.State
    finished_at: datetime | None
    problem: str | None


class TenantOut(Schema):
    """A tenant, and how it stands."""

    slug: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme"])
    provisioning: Literal["on", "off", "paused", "waiting_for_approval", "quarantined"]
    people_in_aws: int = Field(description="People in scope who are in AWS and up to date.")
    people_in_scope: int
    problems: int = Field(description="People and groups who are gone, in conflict, not ready or failed.")
    last_run: LastRunOut | None
    next_run_at: datetime | None
    resume_at: datetime | None = Field(description="When a paused tenant is on again by itself.")
    pause_reason: str | None
    overdue_since: datetime | None


class CountsOut(Schema):
    """By standing; every word is there."""

    people: dict[str, int] = Field(examples=[{"in_aws": 1204, "not_ready": 3}])
    groups: dict[str, int]


class TenantDetailOut(TenantOut):
    interval_minutes: int
    standings: CountsOut
    decisions: int = Field(description="What waits for a person: holds, a plan, proposals, requests.")


class RunOut(Schema):
    number: int
    kind: str = RUN_KIND
    trigger: Run.Trigger
    requested_by: str | None
    state: Run.State
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int | None = Field(description="Of the configuration that it followed.")
    planned: int
    counts: dict[str, int] = Field(description="Operations by result.", examples=[{"created": 12, "no_change": 480}])
    problems: dict[str, int] = Field(description="People and groups by problem.")
    problem: str | None = Field(description="Why the whole run failed.")
    suspect: str | None = Field(description="Why the reading of Entra was not believed.")
    people_in_scope: int | None
    people_in_aws: int | None


class Asked(Schema):
    """What a request says. A name that nobody reads is refused: `kinds: preview` would start a sync, which writes."""

    model_config = ConfigDict(extra="forbid")


class RunIn(Asked):
    """What kind of run."""

    kind: Literal["changes", "full", "preview"] = Field(
        "changes", description="`preview` reads and plans, and writes nothing."
    )


class OperationOut(Schema):
    id: int
    run: int
    at: datetime
    kind: Literal["user", "group", "membership"]
    entra_id: str
    aws_id: str | None
    name: str
    action: Action
    result: Result
    code: str | None
    attribute: str | None
    error: str | None = Field(description="AWS's own words.")
    status: int | None
    aws_request_id: str | None
    changes: dict[str, Any] = Field(description="By field: before and after; `members`: ids of people.")


class StandingOut(Schema):
    """A person or group, and how it stands. What only AWS holds has no `entra_id`."""

    entra_id: str | None = Field(examples=[EXAMPLE_ID])
    aws_id: str | None = Field(examples=["906781c2d1-7d1f2a3b-0c4e-4f6a-8b9c-1d2e3f405162"])
    name: str = Field(examples=["Adele Vance"])
    standing: Word
    code: str | None = Field(description="Why; its page is /help/errors/<code>/.", examples=["missing-family-name"])
    attribute: str | None
    quoted: str | None = Field(description="AWS's own words, or its rule.")
    since: datetime
    next_try: datetime | None
    in_scope: bool
    scope: str | None = Field(description="Why it is in scope, or not.")
    warnings: list[str]


class PersonOut(StandingOut):
    user_principal_name: str | None = Field(examples=["adele@acme.example"])


class MembersOut(Schema):
    wanted: int = Field(description="People of the group in Entra who are in scope.")
    in_aws: int
    missing: int
    extra: int = Field(description="Whom somebody added in AWS.")
    left: int = Field(description="Whom somebody added in AWS, and somebody decided to leave there.")


class GroupOut(StandingOut):
    pass


class GroupDetailOut(GroupOut):
    members: MembersOut


class HoldOut(Schema):
    """What one limit holds back."""

    id: int
    kind: str = HOLD_KIND
    run: int
    opened_at: datetime
    closed_at: datetime | None
    limit: int | None
    waiting: int
    kept: int
    approved: int
    total: int


class HeldChangeOut(Schema):
    id: int
    action: Action
    kind: str
    entra_id: str = Field(description="Of the person or group; of a membership, of its member.")
    name: str
    user_principal_name: str | None
    group: str | None
    cause: str | None
    decision: HeldChange.Decision


class DecisionIn(Asked):
    """`approve`: ids of changes, or `all` that wait. `keep`: what stays as it is in AWS."""

    approve: Literal["all"] | list[Key] = Field([], max_length=10_000)
    keep: list[Key] = Field([], max_length=10_000)
    comment: str = Field("", max_length=2_000, pattern=PLAIN)


class DecisionOut(Schema):
    approved: int
    kept: int
    run: int | None = Field(description="Which carries the approved ones out.")
    request: int | None = Field(description="Set where it waits for its delay: nobody else could approve it.")


class People(Schema):
    items: list[PersonOut]
    next: str | None


class Groups(Schema):
    items: list[GroupOut]
    next: str | None


class Tenants(Schema):
    items: list[TenantOut]
    next: str | None


class Runs(Schema):
    items: list[RunOut]
    next: str | None


class Operations(Schema):
    items: list[OperationOut]
    next: str | None


class Holds(Schema):
    items: list[HoldOut]


class HeldChanges(Schema):
    items: list[HeldChangeOut]
    next: str | None
