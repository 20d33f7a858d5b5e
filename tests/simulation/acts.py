"""What can happen: in Entra, in AWS by hand, by an admin, and what goes wrong. Each act says in a line what it did."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.utils import timezone

from sync.approvals import services as approvals
from sync.change_requests import services as change_requests
from sync.configuration import assignments, filters, settings, versions
from sync.configuration import mappings as mapping_edits
from sync.connection import services
from sync.directory.live import Found
from sync.drift import services as drift
from sync.engine.rehearsal import impact
from sync.models import AwsConnection, HeldChange, Run
from sync.on_demand import services as demands
from sync.preview import services as previews
from sync.readiness.services import request_check
from sync.rules.rows import MappingRow
from sync.runs.requests import RunInTheWay, cancel_run, request_run
from sync.tenants import services as tenants
from tests.simulation.company import DEPARTMENTS, FAMILY, TITLES, Group, Person
from tests.simulation.machine import ACTOR, SECOND, Simulation
from tests.simulation.rules import WAYS, Sent

T = TypeVar("T")
Act = Callable[[Simulation], str | None]


def one_of(sim: Simulation, things: Sequence[T]) -> T | None:
    return sim.dice.choice(list(things)) if things else None


# In Entra


def hire(sim: Simulation) -> str:
    person = sim.company.hire()
    for group in sim.dice.sample(sim.company.live_groups(), min(2, len(sim.company.live_groups()))):
        sim.company.add_members(group.id, person.id)
    return person.facts["displayName"]


def leave(sim: Simulation) -> str | None:
    """Never so many that nobody is left."""
    if len(sim.company.live_people()) < 6:
        return None
    person = sim.dice.choice(sim.company.live_people())
    sim.company.leave(person)
    return named(person)


def mass_leave(sim: Simulation) -> str | None:
    people = sim.company.live_people()
    if len(people) < 9:
        return None
    gone = sim.dice.sample(people, len(people) // 3)
    for person in gone:
        sim.company.leave(person)
    return ", ".join(named(person) for person in gone)


def restore(sim: Simulation) -> str | None:
    person = one_of(sim, sim.company.binned())
    if person is None:
        return None
    sim.company.restore(person)
    return named(person)


def purge(sim: Simulation) -> str | None:
    person = one_of(sim, sim.company.binned())
    if person is None:
        return None
    sim.company.purge(person)
    return named(person)


def block(sim: Simulation) -> str:
    person = sim.dice.choice(sim.company.live_people())
    sim.company.change(person, accountEnabled=not person.facts["accountEnabled"])
    return f"{named(person)} {person.facts['accountEnabled']}"


def rename(sim: Simulation) -> str:
    """By marriage: surname, and often name and address with it."""
    person = sim.dice.choice(sim.company.live_people())
    family = sim.dice.choice(FAMILY)
    facts: dict[str, Any] = {"surname": family, "displayName": f"{person.facts['givenName']} {family}"}
    if sim.dice.random() < 0.5:
        sim.company.number += 1
        local = f"{family}{sim.company.number}@contoso.example".lower()
        facts |= {"userPrincipalName": local, "mail": local}
    sim.company.change(person, **facts)
    return f"{named(person)} {facts}"


def move(sim: Simulation) -> str:
    person = sim.dice.choice(sim.company.live_people())
    facts = {"department": sim.dice.choice([*DEPARTMENTS, None]), "jobTitle": sim.dice.choice([*TITLES, None])}
    sim.company.change(person, **facts)
    return f"{named(person)} {facts}"


def odd(sim: Simulation) -> str:
    """A property becomes, or ceases to be, one that AWS refuses."""
    person = sim.dice.choice(sim.company.live_people())
    name, values = sim.dice.choice(
        [
            ("surname", [None, "Kaya"]),
            ("givenName", [None, "Ada\u200b", "Ada"]),
            ("mail", [None, f"{person.id[:8]}@contoso.example"]),
        ]
    )
    sim.company.change(person, **{name: sim.dice.choice(values)})
    return f"{named(person)} {name}={person.facts[name]!r}"


def swap_names(sim: Simulation) -> str:
    """User names and addresses change hands: between two, or around a ring of three."""
    people = sim.dice.sample(sim.company.live_people(), sim.dice.choice((2, 3)))
    names = [(person.facts["userPrincipalName"], person.facts["mail"]) for person in people]
    for person, (name, mail) in zip(people, names[1:] + names[:1], strict=True):
        sim.company.change(person, userPrincipalName=name, mail=mail)
    return ", ".join(named(person) for person in people)


def same_address(sim: Simulation) -> str:
    one, other = sim.dice.sample(sim.company.live_people(), 2)
    sim.company.change(one, mail=other.facts["mail"])
    return f"{named(one)} like {named(other)}"


def successor(sim: Simulation) -> str | None:
    """Somebody new gets the names of somebody who left."""
    before = one_of(sim, [person for person in sim.company.people.values() if person.state != "live"])
    group = one_of(sim, sim.company.live_groups())
    if before is None or group is None:
        return None
    names = {name: before.facts[name] for name in ("userPrincipalName", "mail", "mailNickname")}
    person = sim.company.hire(**names)
    sim.company.add_members(group.id, person.id)
    return f"{named(person)} after {before.id}"


def new_manager(sim: Simulation) -> str:
    person, boss = sim.dice.sample(sim.company.live_people(), 2)
    sim.company.set_manager(person, sim.dice.choice((boss.id, None)))
    return f"{named(person)}: {person.manager}"


def regroup(sim: Simulation) -> str | None:
    group = one_of(sim, sim.company.live_groups())
    if group is None:
        return None
    gone = sim.dice.sample(group.members, min(len(group.members), sim.dice.choice((0, 1, 2, 4))))
    come = [person.id for person in sim.dice.sample(sim.company.live_people(), sim.dice.choice((0, 1, 3)))]
    if gone:
        sim.company.remove_members(group.id, *gone)
    if come:
        sim.company.add_members(group.id, *come)
    return f"{group.name}: -{gone} +{come}"


def nest(sim: Simulation) -> str | None:
    """Groups in groups, in circles too."""
    groups = sim.company.live_groups()
    if len(groups) < 2:
        return None
    outer, inner = sim.dice.sample(groups, 2)
    change = sim.company.remove_members if inner.id in outer.members else sim.company.add_members
    change(outer.id, inner.id)
    return f"{inner.name} in {outer.name}: {inner.id in outer.members}"


def make_group(sim: Simulation) -> str:
    members = [person.id for person in sim.dice.sample(sim.company.live_people(), 4)]
    return sim.company.make_group(members, unified=sim.dice.random() < 0.3).name


def delete_group(sim: Simulation) -> str | None:
    """Never so many that no membership is left: the product believes that of no reading, whatever anybody accepts."""
    groups = [group for group in sim.company.live_groups() if sim.company.listed(group.id, nested=False)]
    if len(groups) < 3:
        return None
    group = sim.dice.choice(groups)
    sim.company.delete_group(group)
    return group.name


def restore_group(sim: Simulation) -> str | None:
    group = one_of(sim, [group for group in sim.company.groups.values() if group.state == "binned"])
    if group is None:
        return None
    sim.company.restore_group(group)
    return group.name


def remake_group(sim: Simulation) -> str | None:
    """Deleted and made anew under its name, with the same people: another object id."""
    group = one_of(sim, [group for group in sim.company.live_groups() if not group.unified])
    if group is None:
        return None
    members = [member for member in group.members if member in sim.company.people]
    sim.company.delete_group(group)
    sim.company.make_group(members, group.name)
    return group.name


def rename_group(sim: Simulation) -> str | None:
    """To a new name, or to one that another group has."""
    groups = sim.company.live_groups()
    group = one_of(sim, groups)
    if group is None:
        return None
    sim.company.number += 1
    names = [f"Team {sim.company.number}", sim.dice.choice(groups).name, group.name.upper()]
    old, name = group.name, sim.dice.choice(names)
    sim.company.rename_group(group, name)
    return f"{old} to {name}"


# By hand in AWS


def edit_user(sim: Simulation) -> str | None:
    user = one_of(sim, sim.users())
    if user is None:
        return None
    change = sim.dice.choice(
        (
            {"title": "Chief"},
            {"title": None},
            {"displayName": "Somebody Else"},
            {"active": not user["active"]},
            {"userName": f"renamed-{user['id'][:8]}@contoso.example"},
            {"emails": [{"type": "work", "primary": True, "value": f"moved-{user['id'][:8]}@contoso.example"}]},
            {"externalId": f"other-{user['id'][:8]}"},
        )
    )
    sim.lab.call("PATCH", f"aws/users/{user['id']}", change)
    return f"{user['userName']} {change}"


def delete_user(sim: Simulation) -> str | None:
    user = one_of(sim, sim.users())
    if user is None:
        return None
    sim.lab.call("DELETE", f"aws/users/{user['id']}")
    sim.forget(user["id"])
    return str(user["userName"])


def edit_group(sim: Simulation) -> str | None:
    group = one_of(sim, sim.groups())
    if group is None:
        return None
    name = f"Renamed {group['id'][:8]}"
    sim.lab.call("PATCH", f"aws/groups/{group['id']}", {"displayName": name})
    return f"{group['displayName']} to {name}"


def delete_aws_group(sim: Simulation) -> str | None:
    group = one_of(sim, sim.groups())
    if group is None:
        return None
    sim.lab.call("DELETE", f"aws/groups/{group['id']}")
    sim.forget(group["id"])
    return str(group["displayName"])


def edit_members(sim: Simulation) -> str | None:
    group, users = one_of(sim, sim.groups()), sim.users()
    if group is None or not users:
        return None
    gone = sim.dice.sample(group["members"], min(len(group["members"]), sim.dice.choice((0, 1, 3))))
    come = [user["id"] for user in sim.dice.sample(users, min(len(users), sim.dice.choice((0, 1, 2))))]
    sim.lab.call("POST", f"aws/groups/{group['id']}/members", {"add": come, "remove": gone})
    return f"{group['displayName']}: -{len(gone)} +{len(come)}"


def foreign_user(sim: Simulation) -> str | None:
    """Made in the console: for somebody who is to come, or for nobody."""
    held = {user["userName"].casefold() for user in sim.users()}
    held |= {one["value"].casefold() for user in sim.users() for one in user.get("emails", [])}
    free = [
        p
        for p in sim.company.live_people()
        if not {p.facts["userPrincipalName"].casefold(), (p.facts["mail"] or "").casefold()} & held
    ]
    person = one_of(sim, free)
    name = (
        person.facts["userPrincipalName"]
        if person and sim.dice.random() < 0.8
        else f"console{sim.dice.randrange(10**6)}@elsewhere.example"
    )
    facts: dict[str, Any] = {
        "userName": name,
        "displayName": "By Hand",
        "name": {"givenName": "By", "familyName": "Hand"},
    }
    if person and sim.dice.random() < 0.3:
        facts["userName"] = f"console{sim.dice.randrange(10**6)}@elsewhere.example"
        facts["emails"] = [{"type": "work", "primary": True, "value": person.facts["mail"] or "x@elsewhere.example"}]
    if person and sim.dice.random() < 0.3:
        # As Entra's own provisioning would have made the person.
        facts["externalId"] = person.id
    if "#EXT#" in facts["userName"] or any(
        user.get("externalId") == facts.get("externalId", "") for user in sim.users()
    ):
        return None
    sim.laws.foreign.add(sim.lab.call("POST", "aws/users", facts)["id"])
    return f"{facts}"


def foreign_group(sim: Simulation) -> str | None:
    held = {group["displayName"].casefold() for group in sim.groups()}
    group = one_of(sim, [one for one in sim.company.live_groups() if one.name.casefold() not in held])
    name = group.name if group and sim.dice.random() < 0.7 else f"Console {sim.dice.randrange(10**6)}"
    users = sim.users()
    members = [user["id"] for user in sim.dice.sample(users, min(2, len(users)))]
    sim.laws.foreign.add(sim.lab.call("POST", "aws/groups", {"displayName": name, "members": members})["id"])
    return name


# What goes wrong


def fault(sim: Simulation, part: str, kind: str, **facts: Any) -> str:
    whole = {
        "part": part,
        "kind": kind,
        "times": sim.dice.choice((1, 2, 5)),
        "skip": sim.dice.choice((0, 0, 1, 4, 9)),
    } | facts
    sim.lab.call("POST", "faults", whole)
    return f"{whole}"


def aws_fault(sim: Simulation) -> str:
    of = {"match": sim.dice.choice((".*", "POST|PATCH|DELETE"))}
    match sim.dice.randrange(9):
        case 0:
            return fault(sim, "aws", "status", status=429, retry_after=sim.dice.choice(("1", "30", None)), **of)
        case 1:
            times = sim.dice.choice((1, 5, 40))
            return fault(sim, "aws", "status", status=sim.dice.choice((500, 502, 503)), times=times, **of)
        case 2:
            return fault(sim, "aws", "drop_after", match="POST|PATCH|DELETE")
        case 3:
            return fault(sim, "aws", "drop_before", seconds=sim.dice.choice((0, 30)), **of)
        case 4:
            # A timeout: applied, and no answer for longer than anybody waits.
            fault(sim, "aws", "delay", seconds=30, times=1, skip=0, match="POST")
            return fault(sim, "aws", "drop_after", times=1, skip=0, match="POST")
        case 5:
            return fault(sim, "aws", "apply_late", seconds=sim.dice.choice((1, 10, 90)), match="POST")
        case 6:
            return fault(sim, "aws", "status", status=409, match="POST|PATCH")
        case 7:
            return fault(
                sim, "aws", sim.dice.choice(("truncate_body", "empty_body", "html_after", "reset_after")), **of
            )
        case _:
            return fault(sim, "aws", "status", status=404, times=1, match="PATCH|DELETE")


def graph_fault(sim: Simulation) -> str:
    match sim.dice.randrange(4):
        case 0:
            return fault(sim, "graph", "status", status=429, retry_after=sim.dice.choice(("2", "60")))
        case 1:
            return fault(
                sim, "graph", "status", status=sim.dice.choice((500, 503, 504)), times=sim.dice.choice((1, 5, 40))
            )
        case 2:
            return fault(sim, "graph", sim.dice.choice(("drop_before", "truncate_body", "empty_body", "html", "reset")))
        case _:
            return fault(sim, "entra", "status", status=sim.dice.choice((429, 503)), times=sim.dice.choice((1, 20)))


def graph_reading(sim: Simulation) -> str:
    """Rounds that lie in ways that nobody has to believe, and rounds that are only unusual."""
    believed = sim.clock.now() - sim.accepted_at < ACCEPTED_FOR
    switches = sim.dice.choice(UNUSUAL if believed else (*UNUSUAL, *LIES))
    sim.lies = sim.lies or switches in LIES
    sim.lab.call("POST", "graph/switches", switches)
    return f"{switches}"


LIES: tuple[dict[str, Any], ...] = (
    {"shrink_users": 0.6},
    {"shrink_users": 1.0},
    {"shrink_groups": 0.7},
    {"shrink_users": 0.3},
    {"drop_users_after": 1, "page_size": 3},
    {"drop_groups_after": 1, "page_size": 1},
)
UNUSUAL: tuple[dict[str, Any], ...] = (
    {"lose_delta_link": True},
    {"dead_next_links": True, "page_size": 3},
    {"endless": "same"},
    {"limited_info": True},
    {"page_size": 2, "portion": 2, "shuffle": True},
    {"replay": True},
    {"duplicates": 2, "empty_pages": 1},
    {"unknown_removals": 2},
)
# A person's word that the directory is that much smaller holds for so long at the most.
ACCEPTED_FOR = 4 * 3600.0


def dead_tokens(sim: Simulation) -> str:
    flavour = sim.dice.choice(("410", "400", "404"))
    sim.lab.call("POST", "entra/delta", {"expire_tokens": flavour})
    return flavour


def all_is_well(sim: Simulation) -> None:
    sim.lies = False
    for what in ("faults", "graph/switches"):
        sim.lab.call("DELETE", what)


def lose_token(sim: Simulation) -> str:
    """It ends, or somebody deletes it."""
    action = sim.dice.choice(("expire", "deny", "revoke"))
    sim.lab.call("POST", "aws/token", {"action": action})
    return action


# By an admin


def renew_token(sim: Simulation) -> None:
    sim.lab.call("POST", "aws/token", {"action": "revoke"})
    sim.every_secret.append(sim.lab.call("POST", "aws/token", {"action": "new"})["secret"])
    today = timezone.localdate()
    services.save_aws(
        tenant=sim.tenant,
        actor=ACTOR,
        endpoint=sim.lab.facts["scim_endpoint"],
        token=sim.every_secret[-1],
        token_created_on=today,
    )
    AwsConnection.objects.filter(tenant=sim.tenant).update(tested_at=timezone.now(), test_passed=True)


def assign(sim: Simulation) -> str | None:
    people = [Found("user", p.id, p.facts["displayName"], "", "") for p in sim.company.live_people()]
    groups = [Found("group", group.id, group.name, "", "") for group in sim.company.live_groups()]
    chosen = sim.dice.sample(groups, min(len(groups), 2)) + sim.dice.sample(people, sim.dice.choice((0, 0, 1)))
    rules = sim.editing()
    for found in assignments.assign_objects(actor=ACTOR, tenant=sim.tenant, chosen=chosen):
        if found.object_type == "user":
            rules.people.add(found.object_id)
        else:
            rules.groups[found.object_id] = Sent()
    sim.note_truth()
    return ", ".join(found.name for found in chosen)


def unassign(sim: Simulation) -> str | None:
    rules = sim.editing()
    keys = [("group", key) for key in rules.groups] + [("user", key) for key in sorted(rules.people)]
    key = one_of(sim, keys)
    if key is None:
        return None
    assignments.unassign_objects(actor=ACTOR, tenant=sim.tenant, keys=[key])
    rules.groups.pop(key[1], None)
    rules.people.discard(key[1])
    sim.note_truth()
    return f"{key}"


def change_assignment(sim: Simulation) -> str | None:
    rules = sim.editing()
    key = one_of(sim, list(rules.groups))
    if key is None:
        return None
    row = sim.tenant.configurations.order_by("-pk").first().assignments.get(object_type="group", object_id=key)
    sent = rules.groups[key]
    if sim.dice.random() < 0.7:
        sent.nested = not sent.nested
        assignments.set_nested(actor=ACTOR, tenant=sim.tenant, assignment=row, nested=sent.nested)
    else:
        sent.itself = not sent.itself
        assignments.set_send_group(actor=ACTOR, tenant=sim.tenant, assignment=row, send_group=sent.itself)
    sim.note_truth()
    return f"{key} {sent}"


def change_filters(sim: Simulation) -> str:
    rules = sim.editing()
    if rules.filters and sim.dice.random() < 0.6:
        uid = sim.dice.choice(list(rules.filters))
        filters.remove_filter(actor=ACTOR, tenant=sim.tenant, uid=uid)
        del rules.filters[uid]
        result = "one less"
    else:
        name, value = sim.dice.choice(
            (("department", sim.dice.choice(DEPARTMENTS)), ("department", None), ("jobTitle", None))
        )
        clause = {
            "attribute": name,
            "operator": "EQUALS" if value else "IS NOT NULL",
            "value": value or "",
            "ignore_case": False,
        }
        row = filters.save_filter(
            actor=ACTOR, tenant=sim.tenant, object_type="user", title=f"{name} {value}", clauses=[clause]
        )
        rules.filters[row.uid] = (name, value)
        result = f"{name} {value}"
    sim.note_truth()
    return result


def change_settings(sim: Simulation) -> str:
    rules = sim.editing()
    name = sim.dice.choice(("leave_out_guests", "everybody", "user_actions", "group_actions"))
    if name.endswith("_actions"):
        whole = {
            "user_actions": ["create", "update", "disable", "delete"],
            "group_actions": ["create", "update", "delete"],
        }[name]
        value: Any = [one for one in whole if sim.dice.random() < 0.8]
        rules.actions[name] = value
    else:
        value = not getattr(rules, name)
        setattr(rules, name, value)
    settings.set_settings(actor=ACTOR, tenant=sim.tenant, **{name: value})
    sim.note_truth()
    return f"{name} {value}"


def change_mapping(sim: Simulation) -> str:
    rules = sim.editing()
    target = sim.dice.choice(list(WAYS))
    way = sim.dice.randrange(len(WAYS[target]))
    set_way(sim, target, way)
    rules.ways[target] = way
    sim.note_truth()
    return f"{target} {WAYS[target][way].row}"


def set_way(sim: Simulation, target: str, way: int) -> None:
    configuration = sim.tenant.configurations.draft() or sim.tenant.configurations.current()
    row = configuration.mappings.filter(object_type="user", target=target).first()
    facts = WAYS[target][way].row
    if facts is None:
        if row is not None:
            mapping_edits.remove_mapping(actor=ACTOR, tenant=sim.tenant, row=row)
        return
    rule = MappingRow(target=target, **facts)
    mapping_edits.save_mapping(actor=ACTOR, tenant=sim.tenant, object_type="user", rule=rule, row=row)


def publish(sim: Simulation) -> str | None:
    """By a preview, as the page and the command do it."""
    if not sim.published or sim.draft is None:
        return None
    try:
        preview = previews.request_preview(tenant=sim.tenant, actor=ACTOR, enqueue=False)
    except previews.NothingToPreview:
        return "nothing to preview"
    sim.carry_out(preview)
    preview.refresh_from_db()
    try:
        seen = impact.to_be_seen(preview)
        previews.publish_draft(tenant=sim.tenant, actor=ACTOR, preview=preview, seen=seen)
    except previews.NotPublished as error:
        return f"not published: {error}"
    sim.is_published(preview)
    return "published"


def discard(sim: Simulation) -> str | None:
    if sim.draft is None:
        return None
    versions.discard_draft(tenant=sim.tenant, actor=ACTOR)
    sim.draft = None
    return "discarded"


def sync(sim: Simulation, kind: str = Run.Kind.CHANGES, *, confirmed: bool = False) -> str:
    """As the command does it: here and now."""
    try:
        run = request_run(
            tenant=sim.tenant, kind=kind, trigger=Run.Trigger.COMMAND, actor=ACTOR, enqueue=False, confirmed=confirmed
        )
    except RunInTheWay as busy:
        return f"run {busy.run.number} is in the way"
    sim.carry_out(run)
    sim.follow()
    return f"{kind} {confirmed}"


def sync_changes(sim: Simulation) -> str:
    return sync(sim)


def sync_full(sim: Simulation) -> str:
    return sync(sim, Run.Kind.FULL)


def sync_confirmed(sim: Simulation) -> str:
    return sync(sim, confirmed=True)


def sync_preview(sim: Simulation) -> str:
    return sync(sim, Run.Kind.PREVIEW)


def interrupted(sim: Simulation) -> str | None:
    """A worker dies in the middle of a run, and later the next one goes on."""
    step, number = sim.dice.choice(STEPS), sim.dice.choice((1, 1, 2, 3, 5))
    for _ in range(2):
        sim.world_moves()
    try:
        run = request_run(
            tenant=sim.tenant,
            kind=sim.dice.choice((Run.Kind.FULL, Run.Kind.CHANGES)),
            trigger=Run.Trigger.PERSON,
            actor=ACTOR,
        )
    except RunInTheWay as busy:
        return f"run {busy.run.number} is in the way"
    sim.works((step, number), sim.dies)
    sim.follow()
    return f"{step} {number} in run {run.number}"


STEPS = (
    "lease claimed", "run begun", "token got", "page applied", "pages read", "snapshot sealed", "plan batch stored",
    "plan stored", "intent committed", "before send", "after answer", "result committed", "intent resolved",
    "watermark moved", "run ended", "notified", "lease released",
)  # fmt: skip


def cancel(sim: Simulation) -> str | None:
    """In the middle of a run: between two requests."""
    try:
        run = request_run(tenant=sim.tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.PERSON, actor=ACTOR)
    except RunInTheWay as busy:
        return f"run {busy.run.number} is in the way"
    step = (sim.dice.choice(("page applied", "plan batch stored", "result committed")), sim.dice.choice((1, 2)))
    sim.works(step, lambda: cancel_run(run=run, actor=ACTOR))
    sim.follow()
    return f"run {run.number} at {step}"


def decide(sim: Simulation) -> str | None:
    """Approves some of what is held, or keeps some."""
    waiting = list(HeldChange.objects.waiting().filter(tenant=sim.tenant).select_related("hold").order_by("pk"))
    change = one_of(sim, waiting)
    if change is None:
        return None
    same = [one for one in waiting if one.hold_id == change.hold_id]
    chosen = sim.dice.sample(same, sim.dice.randint(1, len(same)))
    if sim.dice.random() < 0.6:
        sim.approve(chosen)
        result = "approved"
    else:
        sim.keep(chosen)
        result = "kept"
    sim.works()
    sim.follow()
    return f"{result} {[(one.action, one.object_id, one.member_id) for one in chosen]}"


def turn_on(sim: Simulation) -> str:
    sim.tenant.refresh_from_db()
    if sim.tenant.enabled:
        return "is on"
    try:
        tenants.turn_on_tenant(tenant=sim.tenant, actor=ACTOR)
    except tenants.CannotTurnOn as error:
        return f"cannot: {error}"
    sim.follow()
    sim.works()
    sim.follow()
    return "on"


def turn_off(sim: Simulation) -> str:
    tenants.turn_off_tenant(tenant=sim.tenant, actor=ACTOR)
    return "off"


def on_demand(sim: Simulation) -> str:
    people = sim.dice.sample(list(sim.company.people.values()), 2)
    objects = [Found("user", person.id, person.facts["displayName"], "", "") for person in people]
    group = one_of(sim, list(sim.company.groups.values()))
    if group is not None and sim.dice.random() < 0.4:
        objects = [Found("group", group.id, group.name, "", "")]
    dry = sim.dice.random() < 0.3
    try:
        demands.request_demand(tenant=sim.tenant, actor=ACTOR, objects=objects, dry_run=dry)
    except demands.CannotDemand as error:
        return f"cannot: {error}"
    sim.laws.try_again()
    sim.works()
    return f"{[one.name for one in objects]} {'dry' if dry else 'for real'}"


def verify(sim: Simulation, *, repair: bool = True) -> str:
    try:
        run = drift.request_comparison(tenant=sim.tenant, enqueue=False)
    except RunInTheWay as busy:
        return f"run {busy.run.number} is in the way"
    sim.carry_out(run)
    if not repair:
        return "compared"
    try:
        return f"repaired {drift.repair_differences(tenant=sim.tenant, actor=ACTOR)}"
    except drift.CannotRepair as error:
        return f"not repaired: {error}"


def adopt(sim: Simulation) -> str | None:
    link = one_of(sim, approvals.adoptable(sim.tenant))
    if link is None:
        return None
    sim.laws.chosen[link.match_scim_id] = link.object_id
    sim.laws.inherit(link.match_scim_id, link.object_id)
    approvals.adopt_object(link=link, actor=ACTOR)
    sim.laws.try_again()
    return f"{link.match_name} as {link.object_id}"


def change_safety(sim: Simulation) -> str:
    values: dict[str, Any] = sim.dice.choice(
        (
            {"limits": {"people_at_least": 1, "people_at_most": 1}},
            {"limits": {"people_at_least": 3, "people_at_most": 10}},
            {"limits": {"members_at_least": 2}},
            {"limits": {"members_at_least": 10}},
            {"adoption": "by_hand"},
            {"adoption": "same_id"},
            {"adoption": "match"},
            {"delete_after_days": 1},
            {"delete_groups": True},
            {"free_names": True},
            {"repair": True},
        )
    )
    if request := tenants.save_safety(tenant=sim.tenant, actor=ACTOR, **values).request:
        change_requests.approve(request=request, actor=SECOND)
        sim.tenant.refresh_from_db()
    for name, value in values.get("limits", {}).items():
        setattr(sim.settings, name, value)
    sim.laws.try_again()
    return f"{values}"


def accept_shrinkage(sim: Simulation) -> str | None:
    """By somebody who has looked into Entra before."""
    if sim.lies:
        return None
    sim.accepted_at = sim.clock.now()
    approvals.accept_shrunk_reading(tenant=sim.tenant, actor=ACTOR)
    return "accepted"


def check_readiness(sim: Simulation) -> str:
    request_check(tenant=sim.tenant, actor=ACTOR)
    sim.works()
    return "checked"


def time_passes(sim: Simulation) -> str:
    hours = sim.dice.choice((2, 25, 24 * 8))
    sim.passes(hours * 3600.0)
    return f"{hours} h"


def named(thing: Person | Group) -> str:
    return f"{thing.facts['displayName'] if isinstance(thing, Person) else thing.name} {thing.id[:8]}"


Weighted = tuple[tuple[int, Act], ...]
IN_ENTRA: Weighted = (
    (4, hire), (3, leave), (1, mass_leave), (2, restore), (1, purge), (3, block), (3, rename), (3, move), (2, odd),
    (2, swap_names), (1, same_address), (1, successor), (2, new_manager), (4, regroup), (1, nest), (1, make_group),
    (2, delete_group), (1, restore_group), (1, remake_group), (2, rename_group),
)  # fmt: skip
BY_HAND: Weighted = (
    (3, edit_user), (1, delete_user), (1, edit_group), (1, delete_aws_group), (2, edit_members), (2, foreign_user),
    (1, foreign_group),
)  # fmt: skip
FAULTS: Weighted = (
    (9, aws_fault), (3, graph_fault), (3, graph_reading), (1, dead_tokens), (1, lose_token), (20, all_is_well),
    (6, renew_token),
)  # fmt: skip
BY_ADMIN: Weighted = (
    (4, assign), (2, unassign), (2, change_assignment), (2, change_filters), (2, change_settings), (3, change_mapping),
    (6, publish), (1, discard), (3, sync_changes), (2, sync_full), (2, sync_confirmed), (1, sync_preview), (9, interrupted),
    (1, cancel), (9, decide), (3, turn_on), (1, turn_off), (3, on_demand), (3, verify), (2, adopt), (2, change_safety),
    (1, accept_shrinkage), (1, check_readiness), (3, time_passes),
)  # fmt: skip
ACTS = {act.__name__: (weight, act) for weight, act in (*IN_ENTRA, *BY_HAND, *FAULTS, *BY_ADMIN)}
# Without anybody of the product; the first more often.
OUTSIDE = [act.__name__ for weight, act in (*IN_ENTRA, *IN_ENTRA, *BY_HAND) for _ in range(weight)]
