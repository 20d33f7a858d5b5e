"""A deterministic company: the same people, groups and oddities for the same number of people."""

import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from lab import chance, clock
from lab.entra.directory import YEAR, Directory

Json = dict[str, Any]
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
DOMAIN = "contoso.example"
GIVEN = [
    "Ada",
    "Adele",
    "Aiko",
    "Amara",
    "Anton",
    "Bela",
    "Chiara",
    "Dana",
    "Elif",
    "Emil",
    "Farid",
    "Grace",
    "Hana",
    "Ines",
    "Ivo",
    "Jonas",
    "Kavi",
    "Lena",
    "Lucia",
    "Marta",
    "Mira",
    "Nadia",
    "Noah",
    "Omar",
    "Priya",
    "Ravi",
    "Sam",
    "Sunita",
    "Tomas",
    "Zara",
]
FAMILY = [
    "Abara",
    "Brandt",
    "Costa",
    "Duarte",
    "Eriksen",
    "Ferrari",
    "Fisk",
    "Greco",
    "Haddad",
    "Holt",
    "Ito",
    "Jensen",
    "Kaya",
    "Lind",
    "Moreau",
    "Mori",
    "Nowak",
    "Okafor",
    "Petrov",
    "Quist",
    "Raman",
    "Rowe",
    "Sato",
    "Silva",
    "Tanaka",
    "Urban",
    "Vance",
    "Weber",
    "Xu",
    "Zeman",
]
DEPARTMENTS = ["Engineering", "Finance", "Sales", "Support", "People", "Legal", "Security", "Marketing"]
TITLES = ["Engineer", "Analyst", "Manager", "Clerk", "Architect", "Consultant", "Director", "Specialist"]
CITIES = (
    ("Berlin", "DE", "10115", "BE"),
    ("Madrid", "ES", "28001", "MD"),
    ("Oslo", "NO", "0150", "03"),
    ("Austin", "US", "78701", "TX"),
)

# People whom real directories hold and naive tools trip over. Key: what is odd about the person.
ODD: dict[str, Json] = {
    "no-last-name": {"displayName": "Kavi", "givenName": "Kavi", "surname": None},
    "no-first-name": {"displayName": "Sunita", "givenName": None, "surname": "Sunita"},
    "no-mail": {"displayName": "Mail Less", "givenName": "Mail", "surname": "Less", "mail": None},
    "non-latin": {"displayName": "佐藤 花", "givenName": "花", "surname": "佐藤"},
    "arabic": {"displayName": "ليلى حداد", "givenName": "ليلى", "surname": "حداد"},
    "combining": {"displayName": "Zoe\u0308 Brandt", "givenName": "Zoe\u0308", "surname": "Brandt"},
    "zero-width": {"displayName": "Omar\u200b Haddad", "givenName": "Omar\u200b", "surname": "Haddad"},
    "very-long": {"displayName": "L" * 256, "givenName": "L" * 64, "surname": "Long", "jobTitle": "T" * 128},
    "apostrophe": {"displayName": "Siobhán O'Brien", "givenName": "Siobhán", "surname": "O'Brien"},
    "two-phones": {
        "displayName": "Ng Wei",
        "givenName": "Wei",
        "surname": "Ng",
        "businessPhones": ["+65 6001", "+65 6002"],
    },
    "twin-one": {"displayName": "Sam Rowe", "givenName": "Sam", "surname": "Rowe"},
    "twin-two": {"displayName": "Sam Rowe", "givenName": "Sam", "surname": "Rowe"},
    "disabled": {"displayName": "Dana Okafor", "givenName": "Dana", "surname": "Okafor", "accountEnabled": False},
}
DEMO_GROUPS = {"AWS-Developers": 24, "AWS-Admins": 6}
GUESTS = 8
GROUP_COUNT = 40


@dataclass(slots=True)
class Company:
    people: list[tuple[str, Json, str | None]] = field(default_factory=list)
    groups: list[tuple[str, Json, list[str]]] = field(default_factory=list)


def stable_id(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"lockstep-lab:{name}"))


def seed(directory: Directory, people: int) -> None:
    """Fills an empty directory; one that was filled before is left alone."""
    if directory.fact("directory_id"):
        return
    with directory.db.transaction():
        store_facts(directory)
        fill(directory, people)


def fill(directory: Directory, people: int) -> None:
    company = invent(people)
    _store_people(directory, company)
    _store_groups(directory, company)


def store_facts(directory: Directory) -> None:
    facts = {
        "directory_id": stable_id("directory"),
        "client_id": stable_id("app"),
        "service_principal_id": stable_id("service principal"),
        "domain": DOMAIN,
        "company": "Contoso",
        "token_key": chance.characters(64),
        "client_secret": chance.characters(32) + "~" + chance.characters(8),
        "secret_expires": str(clock.now() + YEAR),
    }
    for name, value in facts.items():
        directory.set_fact(name, value)


def invent(people: int) -> Company:
    """At least the demo groups, the odd people and the guests, which are 51; everybody above is ordinary."""
    dice = random.Random(20261124)
    company = Company()
    for name, size in DEMO_GROUPS.items():
        for n in range(size):
            company.people.append(_demo_person(dice, name, n))
    for oddity, facts in ODD.items():
        company.people.append(_odd_person(oddity, facts))
    for n in range(max(0, people - len(company.people) - GUESTS)):
        company.people.append(_person(dice, n))
    company.people += [_guest(n) for n in range(GUESTS)]
    _add_managers(dice, company)
    _add_groups(dice, company)
    return company


def _demo_person(dice: random.Random, group: str, n: int) -> tuple[str, Json, str | None]:
    """Ready for AWS, but for the mobile or fax number that some have besides the business phone."""
    given, family = GIVEN[n % len(GIVEN)], FAMILY[(n * 7 + len(group)) % len(FAMILY)]
    person = _facts_of(dice, given, family, f"{given}.{family}.{group[4:7]}".lower())
    if group == "AWS-Developers" and n % 6 == 0:
        person["mobilePhone"] = f"+49 170 55{n:04}"
    if group == "AWS-Developers" and n % 12 == 3:
        person["faxNumber"] = f"+49 30 77{n:04}"
    return stable_id(f"{group} {n}"), person, None


def _odd_person(oddity: str, facts: Json) -> tuple[str, Json, str | None]:
    upn = f"{oddity}@{DOMAIN}"
    base = {"userPrincipalName": upn, "mail": upn, "mailNickname": oddity, "accountEnabled": True, "userType": "Member"}
    return stable_id(oddity), base | {"businessPhones": [], "employeeId": oddity[:16]} | facts, None


def _person(dice: random.Random, n: int) -> tuple[str, Json, str | None]:
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    person = _facts_of(dice, given, family, f"{given}.{family}{n}".lower())
    if n % 9 == 0:
        person["mobilePhone"] = f"+1 512 555 {n % 10000:04}"
    if n % 40 == 0:
        person["faxNumber"] = f"+1 512 556 {n % 10000:04}"
    if n % 50 == 49:
        person["accountEnabled"] = False
    return stable_id(f"person {n}"), person, None


def _facts_of(dice: random.Random, given: str, family: str, local: str) -> Json:
    city, country, postal, state = dice.choice(CITIES)
    return {
        "displayName": f"{given} {family}",
        "givenName": given,
        "surname": family,
        "userPrincipalName": f"{local}@{DOMAIN}",
        "mail": f"{local}@{DOMAIN}",
        "mailNickname": local,
        "accountEnabled": True,
        "userType": "Member",
        "jobTitle": dice.choice(TITLES),
        "department": dice.choice(DEPARTMENTS),
        "employeeId": str(dice.randrange(10_000, 99_999)),
        "preferredLanguage": "en-US",
        "officeLocation": f"{city} {dice.randrange(1, 9)}",
        "streetAddress": f"{dice.randrange(1, 200)} Main Street",
        "city": city,
        "state": state,
        "postalCode": postal,
        "country": country,
        "usageLocation": country,
        "companyName": "Contoso",
        "businessPhones": [f"+1 512 555 {dice.randrange(10_000):04}"] if dice.random() < 0.8 else [],
    }


def _guest(n: int) -> tuple[str, Json, str | None]:
    local = f"guest{n}_partner.example#EXT#"
    facts = {
        "displayName": f"Guest {n}",
        "givenName": "Guest",
        "surname": f"Number{n}",
        "userPrincipalName": f"{local}@{DOMAIN}",
        "mail": f"guest{n}@partner.example",
        "mailNickname": local,
        "accountEnabled": True,
        "userType": "Guest",
        "businessPhones": [],
    }
    return stable_id(f"guest {n}"), facts, None


def _add_managers(dice: random.Random, company: Company) -> None:
    """A tree: everybody reports to somebody before him in the list; the first has nobody."""
    ids = [person[0] for person in company.people]
    for n in range(1, len(company.people)):
        object_id, facts, _manager = company.people[n]
        if dice.random() < 0.9:
            company.people[n] = (object_id, facts, ids[dice.randrange(0, max(1, n // 8 + 1))])


def _add_groups(dice: random.Random, company: Company) -> None:
    _add_demo_groups(company)
    ready = [person[0] for person in company.people][len(ODD) + sum(DEMO_GROUPS.values()) :]
    # In a small company no group but All-Hands holds more than half of them: all would be the same.
    most = len(ready) // 2
    company.groups.append(_group("All-Hands", ready[:260]))
    company.groups.append(_group("Large-150", ready[: min(most, 150)]))
    company.groups.append(_group("Awkward-Cast", [stable_id(oddity) for oddity in ODD]))
    for n, department in enumerate(DEPARTMENTS):
        company.groups.append(_dynamic_group(company, department))
        team = dice.sample(ready, min(most, 12))
        company.groups.append(
            _group(f"{department} team", team, groupTypes=["Unified"], mailEnabled=True, mail=f"team{n}@{DOMAIN}")
        )
    while len(company.groups) < GROUP_COUNT:
        n = len(company.groups)
        company.groups.append(_group(f"Project {n}", dice.sample(ready, min(most, 5 + n))))
    _nest(company)


def _add_demo_groups(company: Company) -> None:
    ids = iter(person[0] for person in company.people)
    for name, size in DEMO_GROUPS.items():
        company.groups.append(_group(name, [next(ids) for _ in range(size)], description=f"{name}, for a first demo"))


def _dynamic_group(company: Company, department: str) -> tuple[str, Json, list[str]]:
    rule = f'(user.department -eq "{department}")'
    members = [key for key, facts, _manager in company.people if facts.get("department") == department][:400]
    return _group(f"All-{department}", members, groupTypes=["DynamicMembership"], membershipRule=rule)


def _group(name: str, members: list[str], **facts: Any) -> tuple[str, Json, list[str]]:
    body = {
        "displayName": name,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "mailNickname": name.replace(" ", ""),
    }
    return stable_id(f"group {name}"), body | facts, members


def _nest(company: Company) -> None:
    """Groups in groups, and two that hold each other."""
    names = {facts["displayName"]: members for _key, facts, members in company.groups}
    names["AWS-Admins"].append(stable_id("group Security team"))
    names["Engineering team"].append(stable_id("group Support team"))
    names["Project 30"].append(stable_id("group Project 31"))
    names["Project 31"].append(stable_id("group Project 30"))


def _store_people(directory: Directory, company: Company) -> None:
    rows = [
        (
            key,
            json.dumps(facts),
            manager,
            facts["displayName"].lower(),
            facts["userPrincipalName"].lower(),
            (facts.get("mail") or "").lower() or None,
            n,
            n,
        )
        for n, (key, facts, manager) in enumerate(company.people, start=1)
    ]
    directory.db.many(
        "INSERT INTO users (id, body, manager, name, upn, mail, seq, manager_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
    )


def _store_groups(directory: Directory, company: Company) -> None:
    group_ids = {key for key, _facts, _members in company.groups}
    first = len(company.people) + 1
    directory.db.many(
        "INSERT INTO groups (id, body, name, mail, seq) VALUES (?, ?, ?, ?, ?)",
        [
            (key, json.dumps(facts), facts["displayName"].lower(), (facts.get("mail") or "").lower() or None, n)
            for n, (key, facts, _members) in enumerate(company.groups, start=first)
        ],
    )
    directory.db.many(
        "INSERT OR IGNORE INTO members VALUES (?, ?, ?)",
        [
            (key, member, "group" if member in group_ids else "user")
            for key, _facts, members in company.groups
            for member in members
        ],
    )
    for name in DEMO_GROUPS:
        directory.db.execute(
            "INSERT INTO assignments (id, principal_id, kind) VALUES (?, ?, 'Group')",
            (stable_id(f"assignment {name}"), stable_id(f"group {name}")),
        )
