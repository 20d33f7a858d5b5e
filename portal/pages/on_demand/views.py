"""Provision on demand: whom, and then every step as it happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame import picker
from portal.frame.render import redirect_to, render_page
from portal.pages.on_demand.forms import OnDemandForm
from portal.words.operations import field_changes
from sync.directory import live
from sync.models import Action, Demand, DemandObject, DirectoryUser, Origin, Run, Tenant
from sync.on_demand import services
from sync.problems.catalogue import PROBLEMS, ProblemWords, scope_words

RECENT = 10
REFUSED = {
    "nobody": gettext_lazy("Choose at least one person or group."),
    "mixed": gettext_lazy("Choose one group alone, or up to 50 people."),
    "too-many": gettext_lazy("Choose up to 50 people."),
    "token-refused": gettext_lazy(
        "Nothing was sent: AWS refused the access token. Replace it under Connection and test it, then try again. "
        "You can still see what would happen."
    ),
}
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
    def differences(self) -> list[dict[str, Any]]:
        return field_changes(self.facts.get("differences", {}))

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [one | {"problem": PROBLEMS.get(one["code"])} for one in self.facts.get("findings", [])]

    @property
    def empty(self) -> bool:
        shown = ("properties", "operations", "findings", "differences", "memberships", "problem", "path", "scim_id")
        return not any(self.facts.get(name) for name in shown) and not self.out_of_scope

    @property
    def out_of_scope(self) -> bool:
        return self.key == "scope" and self.state == "failed"


@dataclass(slots=True)
class Shown:
    """One person or group with its steps."""

    row: DemandObject
    steps: list[Step]
    intents: list[str]
    open: bool = False


@page(read=Right.READ, act=Right.ON_DEMAND)
def on_demand(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """One form: its search is a GET that carries the chosen ones along, *Provision* is a POST."""
    may = can(request.user, tenant, Right.ON_DEMAND)
    form = OnDemandForm(typed(request))
    form.is_valid()
    picked = picker.pick(tenant, form, search=request.method == "GET") if may else picker.Picked([])
    if request.method == "POST" and form.is_valid() and not picked.unreadable:
        try:
            if demand := _ask(request, tenant, form, picked.chosen):
                return redirect_to(request, reverse("demand", args=[tenant.slug, demand.pk]) + "#steps")
        except live.UNREADABLE:
            picked.unreadable = True
    context = {"tenant": tenant, "form": form, "recent": recent(tenant), "may": may, **picked.context()}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "on_demand/new.html", context, partial="picker", status=status)


def typed(request: HttpRequest) -> QueryDict:
    """An unticked box is not sent at all: only our own form tells that apart."""
    if request.method == "POST":
        return request.POST
    data = request.GET.copy()
    if "form" not in data:
        data["dry_run"] = "on"
    return data


def _ask(request: HttpRequest, tenant: Tenant, form: OnDemandForm, chosen: Sequence[live.Found]) -> Demand | None:
    """None when the form has the reasons why not."""
    try:
        pasted = services.resolve_names(tenant, form.lines)
        objects = list({one.reference: one for one in [*chosen, *pasted]}.values())
        return services.request_demand(
            tenant=tenant, actor=request.user.email, objects=objects, dry_run=bool(form.cleaned_data["dry_run"])
        )
    except services.NotFoundByName as error:
        if error.unknown:
            form.add_error("pasted", _("Entra knows nobody called: %(names)s.") % {"names": ", ".join(error.unknown)})
        if error.ambiguous:
            text = _("More than one person is called: %(names)s. Use the user principal name.")
            form.add_error("pasted", text % {"names": ", ".join(error.ambiguous)})
    except services.CannotDemand as error:
        form.add_error(None, REFUSED[error.code])
    return None


def recent(tenant: Tenant) -> list[dict[str, Any]]:
    rows = tenant.demands.prefetch_related("objects_asked")[:RECENT]
    return [{"demand": row, "name": demand_name(row), "state": state_of(row)} for row in rows]


def demand_name(demand: Demand) -> str:
    """The first one's name, and how many more."""
    rows = list(demand.objects_asked.all())
    first = (rows[0].display_name or rows[0].object_id) if rows else "–"
    if len(rows) < 2:
        return first
    return ngettext("%(name)s and %(n)s more", "%(name)s and %(n)s more", len(rows) - 1) % {
        "name": first,
        "n": len(rows) - 1,
    }


def state_of(demand: Demand) -> str:
    """A word of runs: it is one."""
    if demand.state == Demand.State.WAITING:
        return "queued"
    if demand.state == Demand.State.RUNNING:
        return "running"
    if demand.state == Demand.State.FAILED:
        return "cancelled" if demand.problem == "cancelled" else "failed"
    bad = any(row.result in ("failed", "will_retry") for row in demand.objects_asked.all())
    return "completed_with_errors" if bad else "completed"


@page(read=Right.READ)
def demand(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """The page, or its steps alone for the poller: 204 while nothing is newer than what was seen."""
    found = get_object_or_404(Demand.objects.select_related("run"), tenant=tenant, pk=pk)
    is_open = found.state in (Demand.State.WAITING, Demand.State.RUNNING)
    if request.htmx and request.GET.get("seen") == str(found.sequence) and is_open:
        return HttpResponse(status=204)
    rows = shown_objects(tenant, found)
    context = {
        "tenant": tenant,
        "demand": found,
        "name": demand_name(found),
        "state": state_of(found),
        "open": is_open,
        "objects": rows,
        "done": sum(bool(one.row.result) for one in rows),
        "failure": PROBLEMS.get(found.problem),
        "waits_for": _run_before(tenant, found) if found.state == Demand.State.WAITING else None,
    }
    return render_page(request, "on_demand/detail.html", context, partial="steps")


def _run_before(tenant: Tenant, found: Demand) -> Run | None:
    """The run in progress, which takes it up between two requests."""
    running = tenant.runs.filter(state__in=(Run.State.RUNNING, Run.State.CANCELLING))
    return running.exclude(demands=found).order_by("number").first()


def shown_objects(tenant: Tenant, found: Demand) -> list[Shown]:
    rows = list(found.objects_asked.all())
    names = names_of_members(tenant, rows)
    running = found.state == Demand.State.RUNNING
    shown: list[Shown] = []
    for row in rows:
        current = running and not row.result and all(other.row.result for other in shown)
        shown.append(Shown(row, steps_of(row, names, current=current), intents_of(row)))
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
