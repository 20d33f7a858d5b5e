"""What Entra holds, as the simulation made it: known without asking anybody. Every change is made in the lab, too."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.world.lab import Lab

Facts = dict[str, Any]
# Deleted people and Microsoft 365 groups lie in the recycle bin first; security groups are gone at once.
State = Literal["live", "binned", "purged"]

GIVEN = (
    "Ada",
    "Bela",
    "Chiara",
    "Dana",
    "Elif",
    "Farid",
    "Grace",
    "Hana",
    "Ivo",
    "Jonas",
    "Kavi",
    "Lena",
    "Marta",
    "Noah",
)
FAMILY = (
    "Abara",
    "Brandt",
    "Costa",
    "Duarte",
    "Fisk",
    "Greco",
    "Holt",
    "Ito",
    "Kaya",
    "Lind",
    "Mori",
    "Nowak",
    "Quist",
)
DEPARTMENTS = ("Engineering", "Finance", "Sales")
TITLES = ("Engineer", "Analyst", "Manager", "Clerk")
DOMAIN = "contoso.example"
# What real directories hold and naive tools trip over; the first five are ready for AWS nevertheless.
ODD: tuple[Facts, ...] = (
    {"displayName": "佐藤 花", "givenName": "花", "surname": "佐藤"},
    {"displayName": "Siobhán O'Brien", "givenName": "Siobhán", "surname": "O'Brien"},
    {"displayName": "Zoe\u0308 Brandt", "givenName": "Zoe\u0308", "surname": "Brandt"},
    {"displayName": "Mail Less", "givenName": "Mail", "surname": "Less", "mail": None},
    {"displayName": "L" * 256, "givenName": "L" * 64, "surname": "Long", "jobTitle": "T" * 128},
    {"displayName": "Kavi", "givenName": "Kavi", "surname": None},
    {"displayName": "Sunita", "givenName": None, "surname": "Sunita"},
    {"displayName": "Omar\u200b Haddad", "givenName": "Omar\u200b", "surname": "Haddad"},
)


@dataclass
class Person:
    """`facts`: properties as Microsoft Graph names them."""

    id: str
    facts: Facts
    manager: str | None = None
    state: State = "live"


@dataclass
class Group:
    """`members`: ids of people and of groups."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    unified: bool = False
    state: State = "live"


class Company:
    """`changed` is called after every change, with the ids of whom it is about."""

    def __init__(self, lab: Lab, dice: random.Random, changed: Callable[..., None]) -> None:
        self.lab = lab
        self.dice = dice
        self.changed = changed
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.number = 0

    def found(self, people: int, groups: int) -> None:
        """Teams of ordinary people with managers, some guests and somebody odd, and a team of teams."""
        for _ in range(people):
            self.hire()
        for facts in self.dice.sample(ODD, 3):
            self.hire(**facts)
        for number in range(2):
            self.invite(number)
        for _ in range(groups):
            self.make_group(self.dice.sample(sorted(self.people), 4))
        self.add_members(*self.dice.sample(sorted(self.groups), 2))

    def frozen(self) -> "Company":
        """As it is now: later changes do not reach it."""
        copied = Company(self.lab, self.dice, self.changed)
        copied.people = {key: replace(person, facts=dict(person.facts)) for key, person in self.people.items()}
        copied.groups = {key: replace(group, members=list(group.members)) for key, group in self.groups.items()}
        return copied

    # Who is there

    def live_people(self) -> list[Person]:
        return [person for person in self.people.values() if person.state == "live"]

    def live_groups(self) -> list[Group]:
        return [group for group in self.groups.values() if group.state == "live"]

    def binned(self) -> list[Person]:
        return [person for person in self.people.values() if person.state == "binned"]

    def inside(self, group_id: str, *, nested: bool) -> Iterator[str]:
        """Ids of the live groups that an assigned group stands for, itself first."""
        todo, seen = [group_id], set[str]()
        while todo:
            at = todo.pop(0)
            if at in seen or at not in self.groups or self.groups[at].state != "live":
                continue
            seen.add(at)
            yield at
            todo += [member for member in self.groups[at].members if nested and member in self.groups]

    def listed(self, group_id: str, *, nested: bool) -> set[str]:
        """Ids of the people whom these groups list, whatever became of them."""
        inside = self.inside(group_id, nested=nested)
        return {member for key in inside for member in self.groups[key].members if member in self.people}

    # People

    def hire(self, **facts: Any) -> Person:
        self.number += 1
        given, family = self.dice.choice(GIVEN), self.dice.choice(FAMILY)
        local = f"{given}.{family}{self.number}".lower()
        ordinary = {
            "displayName": f"{given} {family}",
            "givenName": given,
            "surname": family,
            "userPrincipalName": f"{local}@{DOMAIN}",
            "mail": f"{local}@{DOMAIN}",
            "mailNickname": local,
            "accountEnabled": True,
            "userType": "Member",
            "jobTitle": self.dice.choice(TITLES),
            "department": self.dice.choice(DEPARTMENTS),
            "employeeId": str(self.dice.randrange(10_000, 99_999)),
            "officeLocation": "Berlin 3",
            "city": "Berlin",
            "country": "DE",
            "businessPhones": [f"+49 30 {self.number:05}"] if self.dice.random() < 0.7 else [],
        }
        bosses = sorted(person.id for person in self.live_people())
        manager = self.dice.choice(bosses) if bosses and self.dice.random() < 0.7 else None
        whole = ordinary | facts
        made = self.lab.call("POST", "entra/hire", whole | ({"manager": manager} if manager else {}))
        person = Person(made["id"], whole, manager)
        self.people[person.id] = person
        self.changed(person.id)
        return person

    def invite(self, number: int) -> Person:
        local = f"guest{number}_partner.example#EXT#"
        names = {"displayName": f"Guest {number}", "givenName": "Guest", "surname": f"Number{number}"}
        address = {"userPrincipalName": f"{local}@{DOMAIN}", "mail": f"guest{number}@partner.example"}
        return self.hire(**names, **address, mailNickname=local, userType="Guest")

    def change(self, person: Person, **facts: Any) -> None:
        self.lab.call("PATCH", f"entra/users/{person.id}", facts)
        person.facts |= facts
        self.changed(person.id)

    def set_manager(self, person: Person, manager: str | None) -> None:
        self.lab.call("PATCH", f"entra/users/{person.id}", {"manager": manager})
        person.manager = manager
        self.changed(person.id)

    def leave(self, person: Person) -> None:
        self.lab.call("POST", f"entra/users/{person.id}/leave")
        person.state = "binned"
        self.changed(person.id)

    def restore(self, person: Person) -> None:
        """With the memberships of before: Entra keeps them."""
        self.lab.call("POST", f"entra/users/{person.id}/restore")
        person.state = "live"
        self.changed(person.id)

    def purge(self, person: Person) -> None:
        self.lab.call("POST", f"entra/users/{person.id}/purge")
        person.state = "purged"
        for group in self.groups.values():
            group.members = [member for member in group.members if member != person.id]
        self.changed(person.id)

    # Groups

    def make_group(self, members: list[str], name: str = "", *, unified: bool = False) -> Group:
        self.number += 1
        name = name or f"Team {self.number}"
        facts: Facts = {"displayName": name, "members": members, "groupTypes": ["Unified"] if unified else []}
        made = self.lab.call("POST", "entra/groups", facts)
        group = Group(made["id"], name, list(members), unified)
        self.groups[group.id] = group
        self.changed(group.id)
        return group

    def rename_group(self, group: Group, name: str) -> None:
        self.lab.call("PATCH", f"entra/groups/{group.id}", {"displayName": name})
        group.name = name
        self.changed(group.id)

    def delete_group(self, group: Group) -> None:
        self.lab.call("DELETE", f"entra/groups/{group.id}")
        group.state = "binned" if group.unified else "purged"
        if group.state == "purged":
            group.members = []
            for other in self.groups.values():
                other.members = [member for member in other.members if member != group.id]
        self.changed(group.id)

    def restore_group(self, group: Group) -> None:
        self.lab.call("POST", f"entra/groups/{group.id}/restore")
        group.state = "live"
        self.changed(group.id)

    def add_members(self, group_id: str, *members: str) -> None:
        self.lab.call("POST", f"entra/groups/{group_id}/members", {"add": list(members)})
        known = self.groups[group_id].members
        known += [member for member in members if member not in known]
        self.changed(group_id, *members)

    def remove_members(self, group_id: str, *members: str) -> None:
        self.lab.call("POST", f"entra/groups/{group_id}/members", {"remove": list(members)})
        self.groups[group_id].members = [one for one in self.groups[group_id].members if one not in members]
        self.changed(group_id, *members)
