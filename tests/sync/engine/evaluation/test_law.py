"""A law: a readiness check, on demand, a preview and a run say the same of everybody, under any mappings and whatever
Entra holds; of whoever leaves as well, however they do."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from sync.configuration.drafts import draft_or_current
from sync.configuration.mappings import apply_recommended, replace_mappings
from sync.configuration.versions import make_version
from sync.models import DirectoryUser, Run, Tenant
from sync.preview.services import request_preview
from sync.readiness.services import check_now
from sync.rules.rows import MappingRow
from sync.tenants.services import create_tenant
from sync.worker.execution import execute_run
from tests.world.company import active, change, change_members, group_of, hire, leave
from tests.world.examples import share
from tests.world.lab import Lab
from tests.world.on_demand import demand, facts, steps
from tests.world.tenant import ACTOR, assign, connect, publish, sync

pytestmark = pytest.mark.django_db(transaction=True)

UNIQUE = 'SelectUniqueValue(Join("@", [givenName], "one.example"), Join("@", [givenName], "two.example"))'
ACTIVE = MappingRow("active", "expression", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")')
# What each target may be made of.
SOURCES: dict[str, list[tuple[Any, str]]] = {
    "userName": [("direct", "userPrincipalName"), ("direct", "mail"), ("expression", UNIQUE), ("direct", "jobTitle")],
    "name.givenName": [("direct", "givenName"), ("constant", "Kim")],
    "name.familyName": [("direct", "surname"), ("expression", 'Coalesce([surname], "-")')],
    "displayName": [("direct", "displayName"), ("expression", 'Join(" ", [surname], [givenName])')],
    "title": [("direct", "jobTitle"), ("expression", "Left([jobTitle], 3)"), ("expression", "CDate([jobTitle])")],
    'emails[type eq "work"].value': [("direct", "mail"), ("direct", "userPrincipalName"), ("none", "")],
    'phoneNumbers[type eq "work"].value': [("direct", "mobilePhone"), ("none", "")],
    'phoneNumbers[type eq "home"].value': [("direct", "mobilePhone"), ("none", "")],
    "manager": [("reference", "manager"), ("none", "")],
}
DEFAULTS = {"name.familyName": ["", "Doe"], "title": ["", "\u200bClerk"]}
FACTS = {
    "givenName": st.sampled_from(["Kim", "Kim", None, "K\u00adim"]),
    "surname": st.sampled_from(["Twin", None, "Tw in", "x" * 1100]),
    "mail": st.sampled_from(["kim@contoso.example", "kim2@contoso.example", None, "with space@contoso.example"]),
    "jobTitle": st.sampled_from(["Clerk", None, "a:b", "y" * 1100]),
    "mobilePhone": st.sampled_from([None, "+49 170 1"]),
}


@st.composite
def mappings(draw: st.DrawFn) -> list[MappingRow]:
    found = [MappingRow("externalId", "direct", "objectId", matching=2), ACTIVE]
    for target, sources in SOURCES.items():
        kind, source = draw(st.sampled_from(sources))
        apply = "create" if source == UNIQUE else draw(st.sampled_from(["always", "create"]))
        default = draw(st.sampled_from(DEFAULTS.get(target, [""])))
        matching = 1 if target == "userName" else None
        found.append(MappingRow(target, kind, source, default=default, apply=apply, matching=matching))  # type: ignore[arg-type]
    return [replace(row, position=n) for n, row in enumerate(found, start=1)]


PEOPLE = st.lists(st.fixed_dictionaries(FACTS), min_size=2, max_size=4)
Word = tuple[str, str]
NOTHING: Word = ("", "")


@dataclass
class Said:
    """What is certainly wrong with each person, as (code, attribute), by object id; NOTHING for nothing.

    A check lists all of it; on demand and a run name what they refuse the person for.
    """

    check: dict[str, set[Word]]
    on_demand: dict[str, Word]
    run: dict[str, Word]


NUMBERS = itertools.count(1)


def company(lab: Lab, found: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """Everybody reports to the first of them."""
    people: list[dict[str, Any]] = []
    for n, person in enumerate(found):
        manager = {"manager": people[0]["id"]} if people else {}
        upn = f"law{number}.{n}@contoso.example"
        people.append(hire(lab, f"Law {number} {n}", userPrincipalName=upn, **person, **manager))
    return people


def said(tenant: Tenant, lab: Lab, rules: list[MappingRow], people: list[dict[str, Any]], group: Any) -> Said:
    replace_mappings(tenant=tenant, actor=ACTOR, object_type="user", rules=rules)
    assign(tenant, group)
    publish(tenant)
    run = sync(tenant, Run.Kind.PREVIEW)
    found = check_now(tenant)
    ids = [person["id"] for person in people]
    rows = list(found.findings.filter(object_type="user", certain=True))
    # In the run's order: of those who would have the same value, the first ones get it.
    order = list(DirectoryUser.objects.filter(tenant=tenant).order_by("pk").values_list("object_id", flat=True))
    in_order = sorted(people, key=lambda person: order.index(person["id"]))
    asked = {row.object_id: row for row in demand(tenant, *in_order, write=False).objects_asked.all()}
    return Said(
        check={key: {(row.code, row.attribute) for row in rows if row.object_id == key} or {NOTHING} for key in ids},
        on_demand={key: refused_on_demand(asked[key]) for key in ids},
        run={key: refusal(run, key) for key in ids},
    )


def refusal(run: Run, object_id: str) -> Word:
    rows = run.operations.filter(object_id=object_id, object_type="user").exclude(problem="")
    found = [(row.problem, row.attribute) for row in rows]
    assert len(found) <= 1
    return found[0] if found else NOTHING


def refused_on_demand(row: Any) -> Word:
    for step in ("ready", "match", "plan"):
        if steps(row).get(step) == "failed":
            told = facts(row, step)
            return told["problem"], told.get("attribute", "")
    return NOTHING


TWIN = {"givenName": "Kim", "surname": "Twin", "mail": None, "jobTitle": None, "mobilePhone": None}
UNIQUE_NAMES = [
    MappingRow("userName", "expression", UNIQUE, apply="create", matching=1, position=1),
    MappingRow("externalId", "direct", "objectId", position=2),
    MappingRow("displayName", "direct", "displayName", position=3),
    MappingRow("name.givenName", "direct", "givenName", position=4),
    MappingRow("name.familyName", "direct", "surname", position=5),
    replace(ACTIVE, position=6),
]

# Whoever is no date keeps no name, and took one of the two all the same.
DATED = MappingRow("title", "expression", "CDate([jobTitle])", default="\u200bClerk", position=7)


# As found: to shrink one would take minutes of runs.
@settings(max_examples=share(0.06), phases=[Phase.explicit, Phase.generate])
@given(mappings(), PEOPLE)
@example(UNIQUE_NAMES, [TWIN] * 2)
@example([*UNIQUE_NAMES, DATED], [*[TWIN | {"jobTitle": "Clerk"}] * 2, TWIN])
def test_everybody_is_judged_alike(
    tenant: Tenant, lab: Lab, rules: list[MappingRow], people: list[dict[str, Any]]
) -> None:
    lab.begin_anew()
    number = next(NUMBERS)
    one = create_tenant(actor=ACTOR, name=f"Law {number}")
    connect(one, lab)
    hired = company(lab, people, number)
    words = said(one, lab, rules, hired, group_of(lab, f"Law {number}", hired))
    assert {key: word for key, word in words.run.items() if word not in words.check[key]} == {}
    assert words.on_demand == words.run


# Leavers: rows of `active` (None: no row), and how somebody leaves

ACTIVE_ROWS: list[MappingRow | None] = [
    None,
    ACTIVE,
    replace(ACTIVE, apply="create"),
    replace(ACTIVE, when_empty="keep"),
    MappingRow("active", "direct", "accountEnabled"),
    MappingRow("active", "direct", "accountEnabled", default="False", default_on_update=True),
    MappingRow("active", "constant", "True"),
    MappingRow("active", "none", "", default="True"),
    MappingRow("active", "expression", 'Switch([accountEnabled], "True", "False", "False")'),
    MappingRow("active", "expression", 'Switch([accountEnabled], , "True", "True")'),
    MappingRow("active", "expression", 'IIF([department]="Sales", "True", Not([IsSoftDeleted]))'),
    MappingRow("active", "expression", 'IIF([department]="Sales", IgnoreObjectFlow, Not([IsSoftDeleted]))'),
    MappingRow("active", "expression", 'IIF([department]="Sales", Error("no"), Not([IsSoftDeleted]))'),
]
LEAVERS = st.lists(
    st.fixed_dictionaries(
        {
            "way": st.sampled_from(["stays", "blocked", "unassigned", "binned", "purged"]),
            "department": st.sampled_from(["Sales", None]),
        }
    ),
    min_size=3,
    max_size=4,
)


def leave_by(lab: Lab, person: dict[str, Any], way: str, group: dict[str, Any]) -> None:
    if way == "blocked":
        change(lab, person, accountEnabled=False)
    elif way == "unassigned":
        change_members(lab, group, remove=[person["id"]])
    elif way != "stays":
        leave(lab, person)
    if way == "purged":
        lab.call("POST", f"entra/users/{person['id']}/purge")


def word_of(run: Run, object_id: str) -> str:
    """What the plan says of somebody: an action, a problem, or nothing."""
    row = run.operations.filter(object_id=object_id, object_type="user").order_by("-pk").first()
    return "" if row is None else row.problem or row.action


def word_on_demand(row: Any) -> str:
    plan = facts(row, "plan")
    operations = [one for one in plan.get("operations", ()) if one["object_type"] == "user"]
    return str(plan.get("problem") or (operations[0]["action"] if operations else ""))


@settings(max_examples=share(0.04), phases=[Phase.explicit, Phase.generate])
@given(st.sampled_from(ACTIVE_ROWS), LEAVERS)
@example(ACTIVE_ROWS[4], [{"way": way, "department": None} for way in ("blocked", "unassigned", "binned", "purged")])
@example(ACTIVE_ROWS[11], [{"way": way, "department": "Sales"} for way in ("blocked", "unassigned", "stays")])
def test_every_leaver_is_judged_alike(
    tenant: Tenant, lab: Lab, row: MappingRow | None, found: list[dict[str, Any]]
) -> None:
    lab.begin_anew()
    number = next(NUMBERS)
    one = create_tenant(actor=ACTOR, name=f"Law {number}")
    connect(one, lab)
    Tenant.objects.filter(pk=one.pk).update(limits={"people_at_least": 10})
    apply_recommended(actor=ACTOR, tenant=one)
    people = [hire(lab, f"Leaver {number} {n}", department=who["department"]) for n, who in enumerate(found)]
    group = group_of(lab, f"Leavers {number}", people)
    assign(one, group)
    sync(one)
    for person, who in zip(people, found, strict=True):
        leave_by(lab, person, who["way"], group)
    rules = [rule.rule() for rule in one.configurations.current().mappings.filter(object_type="user")]
    wanted = [rule for rule in rules if rule.target != "active"] + ([row] if row else [])
    # Two edits: a draft that says what is published is no draft.
    other = [replace(rule, source="department") if rule.target == "title" else rule for rule in wanted]
    publish(one)
    make_version(draft_or_current(one), actor=ACTOR)
    replace_mappings(tenant=one, actor=ACTOR, object_type="user", rules=other)
    rehearsal = execute_run(request_preview(tenant=one, actor=ACTOR, enqueue=False).pk)
    assert rehearsal is not None
    publish(one)
    preview = sync(one, Run.Kind.PREVIEW)
    check = check_now(one)
    asked = {row.object_id: row for row in demand(one, *people, write=False).objects_asked.all()}
    leavers = [person["id"] for person, who in zip(people, found, strict=True) if who["way"] != "stays"]
    words = {key: word_of(preview, key) for key in leavers}
    assert {key: word_of(rehearsal, key) for key in leavers} == words
    assert {key: word_on_demand(asked[key]) for key in leavers} == words
    told = {key: word for key, word in words.items() if word != "disable"}
    findings = check.findings.filter(object_type="user", object_id__in=leavers)
    assert dict(findings.values_list("object_id", "code")) == told
    run = sync(one)
    assert {key: word_of(run, key) for key in leavers} == words
    assert active(lab) & set(leavers) == set(told)
    lab.call("DELETE", "aws/users")
