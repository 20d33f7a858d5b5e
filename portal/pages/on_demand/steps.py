"""The steps of what was asked on demand, as the page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.words.operations import field_changes
from sync.models import Action, Demand, DemandObject, DirectoryUser, Origin, Tenant
from sync.problems.catalogue import PROBLEMS, ProblemWords, Words, scope_words

# A step's state in the words of checks.
WORDS = {"done": "passed", "failed": "failed", "skipped": "skipped"}
WHY = {
    "dry-run": gettext_lazy("Only shown, nothing was sent"),
    "nothing": gettext_lazy("Nothing to do"),
    "held": gettext_lazy("Held for approval"),
    "refused": gettext_lazy("Not reached"),
}
HOW = {
    "linked": gettext_lazy("Linked"),
    "matched": gettext_lazy("Found in AWS, to be linked"),
    "unmatched": gettext_lazy("Nobody in AWS matches"),
    "not-in-aws": gettext_lazy("Not in AWS"),
}


@dataclass(slots=True)
class Step:
    """One step as the page shows it. `state`: a word of checks; `line`: its outcome in a few words."""

    key: str
    label: Any
    state: str
    line: str = ""
    at: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: ProblemWords | None = None
    open: bool = False

    @property
    def operations(self) -> list[dict[str, Any]]:
        """Those with their fields as rows."""
        return [
            one | {"fields": field_changes(one["changes"]), "word": action_word(one)}
            for one in self.facts.get("operations", [])
        ]

    @property
    def quoted(self) -> Words:
        """Introduces the fact `error`."""
        return self.problem.quote(answered=self.answered) if self.problem else ""

    @property
    def meaning(self) -> Words:
        return self.problem.told(answered=self.answered) if self.problem else ""

    @property
    def answered(self) -> bool:
        """Whether AWS was asked and answered; all steps before that one only foresee it."""
        return self.key == "write" and any(one["status"] for one in self.facts.get("operations", []))

    @property
    def differences(self) -> list[dict[str, Any]]:
        return field_changes(self.facts.get("differences", {}))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Beside the one that stopped the step."""
        found = [one for one in self.facts.get("findings", []) if not self._stops(one)]
        return [one | {"problem": PROBLEMS.get(one["code"])} for one in found]

    @property
    def refused_value(self) -> str:
        return next((str(one.get("value", "")) for one in self.facts.get("findings", []) if self._stops(one)), "")

    def _stops(self, finding: Mapping[str, Any]) -> bool:
        return (finding["code"], finding["attribute"]) == (self.facts.get("problem"), self.facts.get("attribute"))

    @property
    def empty(self) -> bool:
        shown = ("properties", "operations", "findings", "differences", "memberships", "problem", "path", "scim_id")
        return not any(self.facts.get(name) for name in shown) and not self.out_of_scope

    @property
    def out_of_scope(self) -> bool:
        return self.key == "scope" and self.state == "failed"


@dataclass(slots=True)
class ShownObject:
    """One person or group with its steps."""

    row: DemandObject
    steps: list[Step]
    intents: list[str]
    open: bool = False


def shown_objects(tenant: Tenant, found: Demand) -> list[ShownObject]:
    rows = list(found.objects_asked.all())
    names = names_of_members(tenant, rows)
    running = found.state == Demand.State.RUNNING
    shown: list[ShownObject] = []
    for row in rows:
        current = running and not row.result and all(other.row.result for other in shown)
        shown.append(ShownObject(row, steps_of(row, names, current=current), intents_of(row)))
    failed = next((one for one in shown if any(step.state == "failed" for step in one.steps)), None)
    for one in shown:
        one.open = len(shown) == 1 or one is failed
    return shown


def steps_of(row: DemandObject, names: Mapping[str, str], *, current: bool) -> list[Step]:
    """All of them; the first one that is not there yet is being carried out while the object's turn is on."""
    reported = {step["step"]: step for step in row.steps}
    steps = [
        _step(key, label, reported[key], names) if key in reported else Step(key, label, "waiting")
        for key, label in DemandObject.Step.choices
    ]
    waiting = next((step for step in steps if step.state == "waiting"), None)
    if current and waiting:
        waiting.state = "checking"
    failed = next((step for step in steps if step.state == "failed"), None)
    if failed:
        failed.open = True
    return steps


def _step(key: str, label: Any, reported: Mapping[str, Any], names: Mapping[str, str]) -> Step:
    facts = dict(reported["facts"])
    facts["memberships"] = [names.get(one, one) for one in facts.get("memberships", [])]
    facts["operations"] = [
        one | {"members": [names.get(member, member) for member in one["changes"].get("members", [])]}
        for one in facts.get("operations", [])
    ]
    problem = PROBLEMS.get(facts["problem"], PROBLEMS["rejected"]) if facts.get("problem") else None
    return Step(
        key, label, WORDS[reported["state"]], step_line(key, facts), parse_datetime(reported["at"]), facts, problem
    )


def step_line(key: str, facts: Mapping[str, Any]) -> str:
    """The outcome of a step in a few words."""
    if facts.get("problem"):
        return str(PROBLEMS.get(facts["problem"], PROBLEMS["rejected"]).title)
    if facts.get("why"):
        return str(WHY[facts["why"]])
    if key == "import":
        return _import_line(facts)
    if key == "scope":
        return scope_words(facts.get("reason", ""), [one["title"] for one in facts.get("filters", [])])
    if key == "ready":
        n = len(facts.get("findings", []))
        return ngettext("%(n)s remark", "%(n)s remarks", n) % {"n": n} if n else _("AWS takes all values")
    if key == "match":
        return _match_line(facts)
    if key in ("plan", "write"):
        return ", ".join(dict.fromkeys(action_word(one) for one in facts["operations"])) or _("Nothing to do")
    return _("AWS holds what was written")


def _import_line(facts: Mapping[str, Any]) -> str:
    if facts.get("deleted"):
        return _("Deleted in Entra")
    if "members" in facts:
        return ngettext("%(n)s person in it", "%(n)s people in it", facts["members"]) % {"n": facts["members"]}
    n = len(facts.get("groups", []))
    return ngettext("in %(n)s group", "in %(n)s groups", n) % {"n": n}


def _match_line(facts: Mapping[str, Any]) -> str:
    if facts.get("how") == "linked" and facts.get("origin"):
        return str(Origin(facts["origin"]).label)
    words = str(HOW.get(facts.get("how", ""), ""))
    return f"{words}: {facts['attribute']}" if facts.get("attribute") else words


def action_word(operation: Mapping[str, Any]) -> str:
    """The verb of what is meant to be done."""
    return str(Action(operation["action"]).label)


def intents_of(row: DemandObject) -> list[str]:
    """What a dry run would do."""
    plan: dict[str, Any] = next((step["facts"] for step in row.steps if step["step"] == "plan"), {})
    return list(dict.fromkeys(action_word(one) for one in plan.get("operations", [])))


def names_of_members(tenant: Tenant, rows: Sequence[DemandObject]) -> dict[str, str]:
    ids: set[str] = set()
    for row in rows:
        for step in row.steps:
            ids.update(step["facts"].get("memberships", []))
            for one in step["facts"].get("operations", []):
                ids.update(one["changes"].get("members", []))
    people = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)
    return {user.object_id: str(user) for user in people}
