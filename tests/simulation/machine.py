"""One story: a company, its AWS and the product between them, on one clock and one pair of dice.

The same seed gives the same story to the letter: every act, every request and every state.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.utils import timezone

from sync import queue
from sync.approvals import services as approvals
from sync.configuration import mappings
from sync.connection import services
from sync.models import AwsConnection, EntraConnection, HeldChange, Run
from sync.readiness.services import carry_out_check
from sync.rules.limits import Limits
from sync.tenants.services import create_tenant
from sync.worker import execution, scheduling
from tests.simulation.clock import START, Clock
from tests.simulation.company import Company
from tests.simulation.laws import WRITES, Activity, Change, Laws, Settings, Write, read_since
from tests.simulation.oracle import Json, keys_of, keys_of_group, truth
from tests.simulation.process import Process
from tests.simulation.rules import Rules
from tests.world.lab import Lab

ACTOR = "jo@contoso.example"
# Who approves what Jo caused or asked for.
SECOND = "ann@contoso.example"
PEOPLE, GROUPS = 9, 5
NEVER = ("", 0)
# How most stories begin: as the set-up list of a tenant says.
BEGINNING, ORDERLY = ("assign", "sync_preview", "turn_on"), 0.85
# How often nothing happens while the worker is at work, and how often something happens before an act.
CALM, RESTLESS = 0.75, 0.6


@dataclass
class Story:
    """`ledger`: acts, requests and states in order. `violations`: laws that were broken, with the step."""

    seed: int
    ledger: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


Acts = Mapping[str, tuple[int, Callable[["Simulation"], str | None]]]


class Simulation:
    """`acts`: by name, how often one is chosen, and what it does; `outside`: those that need nobody of the product."""

    def __init__(
        self,
        lab: Lab,
        clock: Clock,
        seed: int,
        acts: Acts,
        outside: Sequence[str],
        ending: Callable[["Simulation"], None],
    ) -> None:
        self.lab = lab
        self.clock = clock
        self.acts, self.outside, self.ending = acts, outside, ending
        self.dice = random.Random(seed)
        self.story = Story(seed)
        clock.set(START)
        self.secrets = lab.call("POST", "begin", {"seed": seed})
        self.process = Process(clock, self.dice)
        self.company = Company(lab, self.dice, self.changed)
        # What runs use, and what is edited: the same until the first version is published.
        self.rules = Rules()
        self.draft: Rules | None = None
        self.published = False
        self.settings = Settings()
        self.free_names = False
        self.seen = {"aws": 0, "graph": 0}
        self.every_secret = list(self.secrets.values())
        self.writes = 0
        # Whether a reading of Entra lies now, and when somebody said that a smaller one is right.
        self.lies = False
        self.accepted_at = float("-inf")

    # The beginning

    def begin(self) -> None:
        self.tenant = create_tenant(actor=ACTOR, name="Acme")
        self.laws = Laws(self.tenant, self.rules)
        self.company.found(PEOPLE, GROUPS)
        services.connect(self.tenant, self.lab.facts | self.secrets, actor=ACTOR)
        mappings.apply_recommended(actor=ACTOR, tenant=self.tenant)
        for half in (EntraConnection, AwsConnection):
            half.objects.filter(tenant=self.tenant).update(tested_at=timezone.now(), test_passed=True)

    def editing(self) -> Rules:
        """What an edit changes: the draft, which begins as a copy once a version is published."""
        if not self.published:
            return self.rules
        self.draft = self.draft or self.rules.copy()
        return self.draft

    def note_truth(self) -> None:
        self.tenant.refresh_from_db()
        self.laws.tenant = self.tenant
        self.laws.rules = self.rules.copy()
        self.laws.history.append(truth(self.clock.now(), self.company.frozen(), self.laws.rules))

    def changed(self, *ids: str) -> None:
        """In Entra: those concerned may be tried again at once."""
        for object_id in ids:
            self.laws.refused.pop(object_id, None)
            self.laws.touched[object_id] = self.clock.now()
        self.note_truth()

    def forget(self, scim_id: str) -> None:
        """Deleted in AWS by hand."""
        self.laws.lost.add(self.laws.owners.get(scim_id, ""))

    # What people decide

    def approve(self, changes: Sequence[HeldChange]) -> None:
        self._decide(changes, "approve")
        expires = self.clock.now() + Limits.of(self.tenant.limits).approval_hours * 3600
        self.laws.approved |= dict.fromkeys(map(change_of, changes), expires)
        self.laws.kept -= set(map(change_of, changes))
        self.laws.try_again()

    def keep(self, changes: Sequence[HeldChange]) -> None:
        self._decide(changes, "keep")
        self.laws.kept |= set(map(change_of, changes))

    def _decide(self, changes: Sequence[HeldChange], word: str) -> None:
        for hold in sorted({change.hold for change in changes}, key=lambda hold: hold.pk):
            ids = [change.pk for change in changes if change.hold_id == hold.pk]
            approvals.decide_hold(hold=hold, actor=SECOND, **{word: ids})

    def is_published(self, preview: Run | None) -> None:
        if self.draft is not None:
            self.rules, self.draft = self.draft, None
        self.laws.try_again()
        self.follow()
        self.note_truth()

    def follow(self) -> None:
        """A run or an approval may have made version 1 of what was edited, and approves what its plan listed."""
        self.tenant.refresh_from_db()
        self.published = self.tenant.configurations.published().exists()
        confirmed = self.tenant.configurations.current().confirmed_run
        rows = confirmed.operations.exclude(desired={}) if confirmed else ()
        self.laws.listed = {row.object_id: keys_of(row.desired) | keys_of_group(row.desired) for row in rows}

    def note(self, line: str) -> None:
        self.story.ledger.append(line)

    # What AWS holds

    def aws(self) -> dict[str, Json]:
        """People and groups by id."""
        state = self.lab.aws()
        return {found["id"]: found for found in (*state["users"], *state["groups"])}

    def users(self) -> list[Json]:
        return [found for found in self.aws().values() if "userName" in found]

    def groups(self) -> list[Json]:
        return [found for found in self.aws().values() if "members" in found]

    # What the product does

    def passes(self, seconds: float, *, calm: bool = True) -> None:
        """Time passes, and the beat finds what is due. When it is not `calm`, something may happen while it is done."""
        self.clock.sleep(seconds)
        with self.process.living():
            scheduling.dispatch()
        if calm or self.dice.random() < CALM:
            self.works()
        else:
            self.works(("", self.dice.randint(1, 30)), self.dice.choice((self.dies, self.world_moves)))

    def world_moves(self) -> None:
        """In Entra, or in AWS by hand, while the product is at work."""
        name = self.dice.choice(self.outside)
        self.note(f"  meanwhile {name}: {self.acts[name][1](self)}")

    def works(self, at: tuple[str, int] = NEVER, happens: Callable[[], None] | None = None) -> None:
        """The worker takes what the broker holds. `at`: the checkpoint, and which time, at which something `happens`."""
        while self.process.queue:
            task, key = self.process.queue.pop(0)
            if task == queue.EXECUTE_RUN:
                self.carry_out(Run.objects.get(pk=key), at, happens)
            elif task == queue.CHECK_READINESS:
                with self.process.living():
                    carry_out_check(key)

    def carry_out(self, run: Run, at: tuple[str, int] = NEVER, happens: Callable[[], None] | None = None) -> None:
        """A run as a worker, or a command, carries it out; then whether it kept to the laws."""
        if run.kind == Run.Kind.FULL:
            self.laws.try_again()
        activity = Activity(run, self.aws(), self.clock.now())
        with self.process.living(at, happens):
            execution.execute_run(run.pk, self.process.watching)
        self.look(activity)

    def dies(self) -> None:
        self.note("  killed")
        self.story.counts["kills"] += 1
        self.process.die()

    def look(self, activity: Activity) -> None:
        run = activity.run
        run.refresh_from_db()
        activity.seconds = self.clock.now() - activity.began
        activity.since = read_since(
            self.tenant, min(activity.began, run.started_at.timestamp() if run.started_at else activity.began)
        )
        activity.writes = [Write.of(row) for row in self.requests() if row["method"] in WRITES]
        applied = sum(write.applied for write in activity.writes)
        self.writes += applied
        self.story.counts["writes"] += applied
        after = self.aws()
        self.note(
            f"  run {run.number} {run.kind} {run.state} {run.problem}{run.suspect} {json.dumps(run.counts, sort_keys=True)}"
        )
        self.story.counts.update({"runs": 1, "doubted readings": bool(run.suspect), "holds": "held" in run.counts})
        self.laws.check(activity, after, self.settings)

    def requests(self) -> list[Json]:
        """What AWS received since the last look; all of it is noted."""
        rows: list[Json] = self.lab.call("GET", f"aws/ledger?after={self.seen['aws']}")
        asked: list[Json] = self.lab.call("GET", f"graph/ledger?after={self.seen['graph']}")
        self.seen["aws"] = max((row["n"] for row in rows), default=self.seen["aws"])
        self.seen["graph"] = max((row["n"] for row in asked), default=self.seen["graph"])
        for row in asked:
            self.note(f"  {row['at']:.5f} {row['part']} {row['method']} {row['path']}?{row['query']} {row['status']}")
        for row in rows:
            self.note(
                f"  {row['at']:.5f} aws {row['method']} {row['path']}?{row['query']} {json.dumps(row['request'], sort_keys=True)}"
                f" {row['status']} {'applied' if row['applied'] else ''}"
            )
        self.story.counts["requests"] += len(rows) + len(asked)
        return rows

    # The whole story

    def play(self, steps: int) -> Story:
        with self.process.in_charge():
            self.begin()
            for name in BEGINNING if self.dice.random() < ORDERLY else ():
                self.step(0, name)
            names, weights = list(self.acts), [weight for weight, _act in self.acts.values()]
            for number, name in enumerate(self.dice.choices(names, weights, k=steps), start=1):
                self.step(number, name)
            self.end(steps + 1)
            connection.close()
        return self.story

    def step(self, number: int, name: str) -> None:
        """An act, and some time; often something has changed in Entra before."""
        self.note(f"{number} {name}")
        if self.dice.random() < RESTLESS:
            self.world_moves()
        self.note(f"  {self.acts[name][1](self)}")
        self.note_truth()
        self.passes(self.dice.choice((20, 60, 600, 1800)), calm=False)
        self.judge(f"step {number} ({name})")

    def end(self, number: int) -> None:
        self.note(f"{number} ending")
        self.ending(self)
        self.note(json.dumps(self.aws(), sort_keys=True))
        self.judge("the ending")

    def judge(self, when: str) -> None:
        self.story.violations += [f"{when}: {text}" for text in self.laws.violations]
        self.laws.violations.clear()


def change_of(held: HeldChange) -> Change:
    """A deletion is a removal like a disabling."""
    person = held.object_type == "user" and held.action == "delete"
    return ("disable" if person else held.action), held.object_id, held.member_id
