"""A plain company of any size: people who differ in nothing but their names, in teams of one size."""

import json
from collections.abc import Iterator
from itertools import accumulate
from math import gcd
from typing import Any

from lab.entra.directory import Directory
from lab.entra.seed import DEPARTMENTS, DOMAIN, FAMILY, GIVEN, TITLES, stable_id, store_facts

Json = dict[str, Any]
PRIMES = (1, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43)


def seed(directory: Directory, people: int, groups: int, memberships: int) -> None:
    """Fills an empty directory; one that was filled before is left alone."""
    if directory.fact("directory_id"):
        return
    with directory.db.transaction():
        store_facts(directory)
        fill(directory, people, groups, memberships)


def fill(directory: Directory, people: int, groups: int, memberships: int) -> None:
    """People first, then teams: their sequence numbers go up in this order."""
    users = [stable_id(f"plain person {n}") for n in range(people)]
    teams = [stable_id(f"plain team {n}") for n in range(groups)]
    directory.db.many(
        "INSERT INTO users (id, body, name, upn, mail, seq, manager_seq) VALUES (?, ?, ?, ?, ?, ?, 0)",
        (_user_values(key, n) for n, key in enumerate(users, start=1)),
    )
    directory.db.many(
        "INSERT INTO groups (id, body, name, seq) VALUES (?, ?, ?, ?)",
        (_group_values(key, n, people + n) for n, key in enumerate(teams, start=1)),
    )
    # The second index is made when all rows are there: that is several times faster.
    directory.db.execute("DROP INDEX memberships_of")
    directory.db.many(
        "INSERT OR IGNORE INTO members VALUES (?, ?, 'user')", _membership_rows(users, teams, memberships)
    )
    directory.db.execute("CREATE INDEX memberships_of ON members (member_id, group_id)")
    directory.db.many(
        "INSERT INTO assignments (id, principal_id, kind) VALUES (?, ?, 'Group')",
        ((stable_id(f"assignment {key}"), key) for key in teams),
    )


def _user_values(key: str, n: int) -> tuple[Any, ...]:
    given, family = GIVEN[n % len(GIVEN)], f"{FAMILY[n // len(GIVEN) % len(FAMILY)]}-{n:06}"
    mail = f"{given}.{family}@{DOMAIN}".lower()
    name = f"{given} {family}"
    body = {
        "displayName": name,
        "givenName": given,
        "surname": family,
        "userPrincipalName": mail,
        "mail": mail,
        "mailNickname": mail.partition("@")[0],
        "accountEnabled": True,
        "userType": "Member",
        "jobTitle": TITLES[n % len(TITLES)],
        "department": DEPARTMENTS[n // 7 % len(DEPARTMENTS)],
        "employeeId": f"{n:06}",
        "businessPhones": [f"+1 512 {n // 10_000:03} {n % 10_000:04}"],
    }
    return key, json.dumps(body), name.lower(), mail, mail, n


def _group_values(key: str, n: int, seq: int) -> tuple[Any, ...]:
    name = f"Team {n:04}"
    body = {
        "displayName": name,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "mailNickname": name.replace(" ", ""),
    }
    return key, json.dumps(body), name.lower(), seq


def _membership_rows(users: list[str], teams: list[str], memberships: int) -> Iterator[tuple[str, str]]:
    """In the order of the table's key, which is the order of the ids."""
    sizes = [memberships // len(teams) + (n < memberships % len(teams)) for n in range(len(teams))]
    starts = [end - size for end, size in zip(accumulate(sizes), sizes, strict=True)]
    for team, start, size in sorted(zip(teams, starts, sizes, strict=True)):
        for member in sorted(users[position] for position in _positions(start, size, len(users))):
            yield team, member


def _positions(start: int, size: int, people: int) -> list[int]:
    """Each walk through all people deals everybody once, in an order of its own: teams of different walks differ."""
    walk = start // people
    usable = [prime for prime in PRIMES if gcd(prime, people) == 1]
    step = usable[walk % len(usable)]
    return [(start + n) % people * step % people for n in range(min(size, people))]
