"""Steps of `bench pages`: three hundred days of history, and asking for each page in it."""

import gzip
import itertools
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from sync.db.bulk import add_values, insert_values
from sync.models import Drift, HeldChange, Hold, Link, LoggedName, Operation, Run, Standing, Tenant
from sync.readiness.services import check_now
from sync.retention.services import count_for_sqlite
from sync.runs.log_rows import NAMED
from sync.standings.services import refresh_all

# A changed mapping concerns everybody and fills a run of its own; between those are runs of every day.
SMALL_RUN, SMALL_RUNS = 50, 2_000
DAYS, BODIES_DAYS = 300, 30
# At most, and of a small company a part.
HELD, DRIFTS, PART = 2_000, 200, 20
BODY = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "value": "v" * 400}],
}
REQUEST = json.dumps({"method": "PATCH", "path": "/Users/x", "body": BODY})
ANSWER = json.dumps({"status": 204, "body": ""})
# Of a hundred operations.
RESULTS = ("failed", "skipped", "will_retry", *["updated"] * 97)


def live_through(operations: str) -> dict[str, Any]:
    """Syncs of DAYS days, then a comparison, differences and held removals; everything derived from it anew."""
    tenant = Tenant.objects.get()
    now = timezone.now()
    Tenant.objects.update(enabled=True, enabled_changed_at=now - timedelta(days=DAYS))
    tenant.runs.update(created_at=now - timedelta(days=DAYS), started_at=now - timedelta(days=DAYS))
    Link.objects.update(pending="")
    people = list(Link.objects.filter(object_type="user").values_list("object_id", "pk", "scim_id", "wanted_name"))
    for run, rows in runs_of(tenant, people, int(operations), now):
        store(run, rows)
    compare(tenant, now)
    hold(tenant, now)
    refresh_all(tenant)
    check_now(tenant)
    analyse()
    return {"people": len(people), "operations": Operation.objects.count(), "runs": Run.objects.count()}


Person = tuple[str, int, str, str]


def runs_of(tenant: Tenant, people: list[Person], operations: int, now: datetime) -> Iterator[tuple[Run, list[Person]]]:
    """Large ones and small ones, oldest first; the last of them is large and carried out today."""
    small = min(SMALL_RUNS, operations // 10 // SMALL_RUN)
    large = max(1, (operations - small * SMALL_RUN) // len(people))
    sizes = sorted([(n + 1) / large for n in range(large)] + [n / small for n in range(small)])
    largest = {(n + 1) / large for n in range(large)}
    chosen = itertools.cycle(people)
    first = tenant.runs.count() + 1
    for number, share in enumerate(sizes, start=first):
        began = now - timedelta(days=DAYS * (1 - share), minutes=30)
        rows = people if share in largest else list(itertools.islice(chosen, SMALL_RUN))
        yield new_run(tenant, number, began, len(rows)), rows


def new_run(tenant: Tenant, number: int, began: datetime, size: int) -> Run:
    counts = {
        "updated": size - 3 * size // 100,
        "failed": size // 100,
        "skipped": size // 100,
        "will_retry": size // 100,
    }
    run = Run.objects.create(
        tenant=tenant,
        number=number,
        kind=Run.Kind.CHANGES,
        trigger=Run.Trigger.SCHEDULE,
        state=Run.State.COMPLETED_WITH_ERRORS,
        counts=counts,
        problems={"rejected": size // 100},
        planned=size,
        started_at=began,
        finished_at=began + timedelta(minutes=20),
        scim_requests={"PATCH": size},
    )
    Run.objects.filter(pk=run.pk).update(created_at=began)
    return run


NAMES = (
    *("run", "tenant", "stage", "wave", "link", "people", "moves_key", "wanted_keys", "approved", "object_type"),
    *("object_id", "display_name", "detail_name", "scim_id", "action", "result", "changes", "causes", "desired"),
    *("epoch", "sent_at", "finished_at", "created_at", "milliseconds", "attempts", "problem", "attribute", "error"),
    *("status", "request_id", "request", "answer"),
)


def store(run: Run, people: list[Person]) -> None:
    assert run.started_at is not None
    young = timezone.now() - run.started_at < timedelta(days=BODIES_DAYS)
    bodies = (REQUEST, ANSWER) if young else ("{}", "{}")
    changes = json.dumps({"title": {"before": "Clerk", "after": f"Clerk {run.number}", "mapping": "title"}})
    rows = []
    for n, (object_id, link, scim_id, name) in enumerate(people):
        at = str(run.started_at + timedelta(milliseconds=20 * n))
        result = RESULTS[n % 100]
        failed = result in ("failed", "will_retry")
        rows.append(
            (
                *(run.pk, run.tenant_id, 1, 0, link, 1, False, "", False, "user"),
                *(object_id, name.title(), f"{name}@contoso.example", scim_id, "update", result, changes, "[]", "{}"),
                *(1, at, at, at, 55, 1, "rejected" if failed else "", "", "No." if failed else ""),
                *(400 if failed else 204, f"r-{run.pk}-{n}", *bodies),
            )
        )
    for start in range(0, len(rows), 5_000):
        insert_values(Operation, NAMES, rows[start : start + 5_000])
    named = [(run.tenant_id, object_id, name.title(), f"{name}@contoso.example") for object_id, _, _, name in people]
    add_values(LoggedName, NAMED, named)


def compare(tenant: Tenant, now: datetime) -> None:
    number = tenant.runs.count() + 1
    facts = {"kind": "verify", "trigger": "schedule", "state": "completed_with_differences", "started_at": now}
    run = Run.objects.create(tenant=tenant, number=number, compared_at=now, finished_at=now, **facts)
    links = Link.objects.filter(object_type="user").exclude(scim_id="").order_by("pk")
    for n, link in enumerate(links[: min(DRIFTS, len(links) // PART)]):
        kind = "missing" if n % 2 else "differs"
        mine = {"object_type": "user", "object_id": link.object_id, "scim_id": link.scim_id}
        title = {} if n % 2 else {"title": {"written": "A", "held": "B"}}
        Drift.objects.create(run=run, tenant=tenant, kind=kind, link=link, facts=title, **mine)


def hold(tenant: Tenant, now: datetime) -> None:
    run = tenant.runs.order_by("-number")[1]
    made = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 10, "planned": HELD})
    links = Link.objects.filter(object_type="user").exclude(scim_id="").order_by("-pk")
    HeldChange.objects.bulk_create(
        HeldChange(
            hold=made,
            tenant=tenant,
            action="disable",
            object_type="user",
            object_id=link.object_id,
            display_name=link.wanted_name,
        )
        for link in links[: min(HELD, len(links) // PART)]
    )


def analyse() -> None:
    """As PostgreSQL's autovacuum, or our own pruning at night, has done within a day."""
    count_for_sqlite()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


# Milliseconds at the 95th percentile.
PAGE, PERSON, FRAGMENT, SEARCH, POLL, FILTERED = 300, 250, 200, 200, 60, 400
QUERIES = 15
MANY_QUERIES = {
    # Where somebody is missing in AWS: who, and what keeps the next run from adding them.
    "group": QUERIES + 2,
    # With the six that write the entry of the audit log: who looked at whom.
    "person": QUERIES + 6,
    # Fifteen checks, each of another table: no tenant's page, and no more of many tenants than of one.
    "health": 21,
}
COLD, WARM, COLD_HISTORY = 130_000, 20_000, 195_000
HTMX = {"HX-Request": "true"}
SUGGESTED = HTMX | {"HX-Target": "search-suggestions"}
Ask = tuple[str, int, str, dict[str, str]]


def asked_for(tenant: Tenant) -> list[Ask]:
    """Name, budget, address, headers."""
    here = f"/t/{tenant.slug}/"
    person = Standing.objects.filter(kind="user", word="in_aws").order_by("-pk")[:1].get()
    group = Standing.objects.filter(kind="group").exclude(object_id="").order_by("pk")[:1].get()
    # More rows than any other.
    run = tenant.runs.syncs().order_by("-planned", "-pk")[:1].get()
    plan = tenant.runs.filter(kind=Run.Kind.PREVIEW).latest("pk")
    entry = Operation.objects.order_by("-pk")[:1].get()
    held = Hold.objects.get()
    return [
        ("tenants", PAGE, "/t/?stay=1", {}),
        ("overview", PAGE, here, {}),
        ("overview, fragment", FRAGMENT, here, HTMX),
        ("run pill", POLL, f"{here}run-pill/", HTMX),
        ("people", PAGE, f"{here}people/", {}),
        ("people, failed", PAGE, f"{here}people/?word=failed", {}),
        ("people, last page", PAGE, f"{here}people/?page=last", {}),
        *(
            (f"people, search of {len(text)}", SEARCH, f"{here}people/?q={text}", HTMX)
            for text in beginnings(person.name)
        ),
        *(
            (f"search, {len(text)} letters", SEARCH, f"/search/?q={text}&here={tenant.slug}", SUGGESTED)
            for text in beginnings(person.name)
        ),
        ("person", PERSON, f"{here}people/{person.object_id}/", {}),
        ("group", PAGE, f"{here}groups/{group.object_id}/", {}),
        ("assignments", PAGE, f"{here}assignments/", {}),
        ("scope", PAGE, f"{here}scope/", {}),
        ("readiness", PAGE, f"{here}readiness/", {}),
        ("mappings", PAGE, f"{here}mappings/people/", {}),
        ("approvals", PAGE, f"{here}approvals/", {}),
        ("approval", PAGE, f"{here}approvals/{held.pk}/", {}),
        ("drift", PAGE, f"{here}drift/", {}),
        ("history", PAGE, f"{here}runs/", {}),
        ("run", PAGE, f"{here}runs/{run.number}/", {}),
        ("plan of a preview", PAGE, f"{here}runs/{plan.number}/", {}),
        ("run, failed", FRAGMENT, f"{here}runs/{run.number}/?result=failed", HTMX),
        ("logs", PAGE, f"{here}logs/", {}),
        ("logs, failed", FILTERED, f"{here}logs/?result=failed", HTMX),
        ("logs, one person", FILTERED, f"{here}logs/?q={person.object_id}", HTMX),
        ("logs, text", FILTERED, f"{here}logs/?q={person.name.split()[0]}", HTMX),
        ("logs, text that nobody has", FILTERED, f"{here}logs/?q=nobodyhasthis", HTMX),
        ("log entry", PAGE, f"{here}logs/{entry.pk}/", {}),
        ("provisioning", PAGE, f"{here}provisioning/", {}),
        ("connection", PAGE, f"{here}connection/", {}),
        ("versions", PAGE, f"{here}versions/", {}),
        ("audit", PAGE, f"{here}audit/", {}),
        ("incidents", PAGE, f"{here}incidents/", {}),
        ("health", PAGE, "/settings/health/", {}),
    ]


def beginnings(name: str) -> list[str]:
    return [name[:2], name[:3], name[:6].strip()]


def pages(times: str, client: Client) -> dict[str, Any]:
    found = {one[0]: measured(client, one, int(times)) for one in asked_for(Tenant.objects.get())}
    return {"pages": found, "missed": [name for name, one in found.items() if one["missed"]]}


def measured(client: Client, asked: Ask, times: int) -> dict[str, Any]:
    name, budget, address, headers = asked
    body = ask(client, address, headers)
    questions = questions_of(lambda: ask(client, address, headers))
    spent = time.process_time()
    taken = sorted(milliseconds(lambda: ask(client, address, headers)) for _ in range(times))
    processor = (time.process_time() - spent) * 1000 / times
    p95 = p95_of(taken)
    warm = len(gzip.compress(body))
    facts = {
        "budget_ms": budget,
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(p95, 1),
        # Of this process, on average: what a busy machine leaves as it is. With SQLite the database's own is in it.
        "processor_ms": round(processor, 1),
        "queries": questions,
        "bytes": len(body),
        "warm_bytes": warm,
    }
    limits = [("time", p95, budget)]
    if budget in (PAGE, PERSON):
        facts["cold_bytes"] = warm + files_of(body)
        cold = COLD_HISTORY if address.endswith("/runs/") else COLD
        limits += [
            ("queries", questions, MANY_QUERIES.get(name, QUERIES)),
            ("cold", facts["cold_bytes"], cold),
            ("warm", warm, WARM),
        ]
    return facts | {"missed": [name for name, value, limit in limits if value > limit]}


def questions_of(act: Callable[[], object]) -> int:
    """To the database."""
    asked = 0

    def count(execute: Callable[..., Any], *statement: Any) -> Any:
        nonlocal asked
        asked += 1
        return execute(*statement)

    with connection.execute_wrapper(count):
        act()
    return asked


def ask(client: Client, address: str, headers: dict[str, str]) -> bytes:
    answer = client.get(address, headers=headers)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    return answer.content


def p95_of(ordered: Sequence[float]) -> float:
    return ordered[max(0, round(len(ordered) * 0.95) - 1)]


def milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def files_of(page: bytes) -> int:
    """Compressed bytes of the styles, scripts and preloaded fonts that a browser asks for with the page, over HTTPS."""
    named = re.findall(rb'<(?:link|script)[^>]+(?:href|src)="/static/([^"]+)"', page)
    return sum(compressed(Path(settings.STATIC_ROOT) / name.decode()) for name in set(named))


def compressed(path: Path) -> int:
    small = path.with_name(path.name + ".br")
    return (small if small.exists() else path).stat().st_size
