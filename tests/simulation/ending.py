"""How a story ends: faults cease, people approve what waits, and a few runs later AWS holds what is right, and stays so."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps

from sync.approvals import services as approvals
from sync.configuration import settings, versions
from sync.models import HeldChange, Run
from tests.simulation import acts
from tests.simulation.machine import ACTOR, Simulation
from tests.simulation.oracle import COMPARED, MANAGER, Json, Truth, held, is_ready, keys_of, keys_of_group, same, stuck
from tests.simulation.rules import EVERY_ACTION

# So many rounds may pass until one finds nothing to do.
ROUNDS = 5
# Longer than any wait of escrow.
REST = 25 * 3600.0


def ending(sim: Simulation) -> None:
    Ending(sim).come()


class Ending:
    def __init__(self, sim: Simulation) -> None:
        self.sim = sim

    def come(self) -> None:
        self._settle_down()
        for _ in range(ROUNDS):
            if self._round():
                break
        else:
            self.sim.laws.broken("rest", f"{ROUNDS} rounds on unchanged data wrote or waited")
        self._compare()
        self._no_secrets()

    def _settle_down(self) -> None:
        sim = self.sim
        acts.all_is_well(sim)
        acts.renew_token(sim)
        sim.passes(REST)
        if sim.rules.actions != EVERY_ACTION or sim.draft is not None:
            self._publish()
        sim.passes(REST)

    def _publish(self) -> None:
        """What waits in the draft, and that everything may be done again."""
        sim = self.sim
        rules = sim.editing()
        settings.set_settings(actor=ACTOR, tenant=sim.tenant, **EVERY_ACTION)
        rules.actions = {name: list(value) for name, value in EVERY_ACTION.items()}
        sim.note_truth()
        if sim.published and acts.publish(sim) != "published" and (draft := sim.tenant.configurations.draft()):
            # What the preview warns of does not stop an admin who has other ways.
            versions.make_version(draft, actor=ACTOR)
            sim.is_published(None)

    def _round(self) -> bool:
        """A comparison, a full run and a run over changes, on data that stay as they are: whether nothing was left to do."""
        sim = self.sim
        acts.verify(sim)
        before = sim.writes
        acts.sync(sim, Run.Kind.FULL, confirmed=True)
        newest = sim.tenant.runs.whole().order_by("-number").first()
        if newest is not None and newest.suspect:
            approvals.accept_shrunk_reading(tenant=sim.tenant, actor=ACTOR)
            return False
        waiting = list(HeldChange.objects.waiting().filter(tenant=sim.tenant).select_related("hold"))
        if waiting:
            sim.approve(waiting)
            sim.works()
        # People who waited in vain for another's create are looked at again by the next run.
        acts.sync(sim)
        sim.passes(60)
        return sim.writes == before

    # What AWS is to hold

    def _compare(self) -> None:
        sim = self.sim
        now, found = sim.laws.history[-1], sim.aws()
        users = {sim.laws.owners.get(key, ""): one for key, one in found.items() if "userName" in one}
        groups = {sim.laws.owners.get(key, ""): one for key, one in found.items() if "members" in one}
        wanted = {key: sim.rules.values(sim.company.people[key].facts) for key in now.people}
        excused = self._excused_people(wanted, found) | {key for _action, key, _member in sim.laws.kept}
        for key in sorted(now.people - excused):
            for text in self._person(key, wanted[key], users):
                sim.laws.broken("convergence", f"{key} {sim.company.people[key].facts['displayName'][:30]}: {text}")
        for key in sorted(users.keys() - now.people - {""}):
            if key in sim.company.people and users[key]["active"] and ("disable", key, "") not in sim.laws.kept:
                sim.laws.broken("convergence", f"{key} is out of scope, and active in AWS")
        self._groups(now, found, users, groups, excused)

    def _excused_people(self, wanted: dict[str, Json], found: dict[str, Json]) -> set[str]:
        """Whom AWS would refuse, and those whose unique values others hold who will not move."""
        refused = {key for key, values in wanted.items() if not is_ready(values)}
        claims = {key: keys_of({**values, "externalId": key}) for key, values in wanted.items()}
        holders = [(self._mover(one, wanted, refused), keys_of(one)) for one in found.values() if "userName" in one]
        return refused | stuck(claims, holders)

    def _mover(self, user: Json, wanted: dict[str, Json], refused: set[str]) -> str:
        """Whom an AWS user belongs to, if that one would give up what it need not hold."""
        owner = self.sim.laws.owners.get(user["id"], "")
        return owner if owner in wanted and owner not in refused else ""

    def _person(self, key: str, values: Json, users: dict[str, Json]) -> Iterator[str]:
        user = users.get(key)
        if user is None:
            yield "is not in AWS"
            return
        if user["active"] is not True:
            yield "is not active"
        if user.get("externalId") != key:
            yield f"the externalId is {user.get('externalId')!r}"
        for path in COMPARED:
            if not same(values.get(path), held(user, path)):
                yield f"{path} is {held(user, path)!r}, and is to be {values.get(path)!r}"
        boss = self.sim.company.people.get(self.sim.company.people[key].manager or "")
        manager = (held(user, MANAGER) or {}).get("value")
        wanted = users[boss.id]["id"] if boss and boss.id in users else None
        if manager != wanted and not (boss and boss.state != "live"):
            yield f"the manager is {manager}, and is to be {wanted}"

    def _groups(
        self, now: Truth, found: dict[str, Json], users: dict[str, Json], groups: dict[str, Json], excused: set[str]
    ) -> None:
        sim = self.sim
        claims = {
            key: keys_of_group({"displayName": sim.company.groups[key].name, "externalId": key}) for key in now.groups
        }
        holders = [
            (sim.laws.owners.get(one["id"], ""), keys_of_group(one)) for one in found.values() if "members" in one
        ]
        blocked = stuck(claims, holders) | {key for _action, key, member in sim.laws.kept if not member}
        people = {user["id"]: key for key, user in users.items() if key}
        for key in sorted(now.groups - blocked):
            if key not in groups:
                sim.laws.broken("convergence", f"group {sim.company.groups[key].name} is not in AWS")
                continue
            if not same(groups[key]["displayName"], sim.company.groups[key].name):
                sim.laws.broken(
                    "convergence", f"group {sim.company.groups[key].name} is called {groups[key]['displayName']}"
                )
        for key in sorted((groups.keys() & sim.company.groups.keys()) - blocked):
            self._members(
                now, key, {people[one] for one in groups[key]["members"] if one in people}, set(users), excused
            )

    def _members(self, now: Truth, key: str, members: set[str], there: set[str], excused: set[str]) -> None:
        """People out of scope but listed may stay: a leaver is disabled and otherwise left as is."""
        laws, name = self.sim.laws, self.sim.company.groups[key].name
        listed = now.listed.get(key, frozenset())
        for person in sorted((listed & now.people & there) - members - excused):
            laws.broken("convergence", f"{person} is not in group {name}")
        deleted = {one.id for one in self.sim.company.people.values() if one.state != "live"}
        for person in sorted(members - listed):
            if ("remove_member", key, person) not in laws.kept and (person not in deleted or key not in now.groups):
                laws.broken("convergence", f"{person} is in group {name} still")

    def _no_secrets(self) -> None:
        """In no row of the database."""
        secrets: list[Any] = list(self.sim.every_secret)
        for model in apps.get_models():
            for row in model._default_manager.values_list():
                if any(secret in repr(row) for secret in secrets):
                    self.sim.laws.broken("secrets", f"a {model.__name__} holds a secret")
