"""One step of a benchmark in a process of its own; prints one JSON line with what it cost."""

import contextlib
import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pages_steps import live_through, p95_of, pages

from portal.models import Role
from sync.configuration import assignments, drafts, mappings, versions
from sync.configuration.filters import save_filter
from sync.connection import services
from sync.db.bulk import insert_rows, update_rows
from sync.directory.live import Found
from sync.engine.export import stages
from sync.models import Assignment, DirectoryUser, Link, MembershipLink, Run, Tenant
from sync.preview import services as previews
from sync.preview.queries.previews import PREVIEWED
from sync.runs.requests import request_run
from sync.tenants import services as tenants
from sync.worker import execution
from tests.world.people import person, sign_in

ACTOR = "bench"
# A collection of what the imports made would fall into one step or another by chance.
gc.freeze()


def prepare() -> dict[str, Any]:
    """A tenant that is wired to the lab, with every team of the company assigned."""
    call_command("migrate", verbosity=0)
    facts = json.loads(os.environ["BENCH_LAB"])
    tenant = tenants.create_tenant(actor=ACTOR, name="Bench")
    services.connect(tenant, facts, actor=ACTOR)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    return {}


def assign() -> dict[str, Any]:
    """Group ids come on standard input, one a line."""
    tenant = Tenant.objects.get()
    chosen = [Found("group", line.strip(), f"Team {n:04}", "", "") for n, line in enumerate(sys.stdin, start=1)]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    return {"assigned": Assignment.objects.count()}


def sync(kind: str = "changes") -> dict[str, Any]:
    tenant = Tenant.objects.get()
    run = request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=kind != "preview")
    with export_timed() as export:
        finished = execution.execute_run(run.pk)
    if finished is None or finished.state != Run.State.COMPLETED:
        run.refresh_from_db()
        raise SystemExit(f"{run.state}: {run.problem} {run.problem_detail} {run.counts}")
    phases = {name: phase["seconds"] for name, phase in finished.phases.items() if phase["seconds"]}
    export_cpu = round(export["cpu_seconds"], 3)
    return {"planned": finished.planned, "counts": finished.counts, "export_cpu_seconds": export_cpu, "phases": phases}


@contextlib.contextmanager
def export_timed() -> Iterator[dict[str, float]]:
    """The processor time of the stages that write, all threads together; reading and planning stand apart."""
    spent, stage = {"cpu_seconds": 0.0}, stages.export_stage

    def timed(*arguments: Any) -> None:
        began = time.process_time()
        try:
            stage(*arguments)
        finally:
            spent["cpu_seconds"] += time.process_time() - began

    stages.export_stage = timed
    try:
        yield spent
    finally:
        stages.export_stage = stage


def settle() -> dict[str, Any]:
    """As if the plan had been written: the next run looks at changes only."""
    tenant = Tenant.objects.get()
    newest = tenant.snapshots.exclude(sealed_at=None).latest("pk")
    tenant.evaluated_snapshot, tenant.evaluated_changed_at = newest.pk, timezone.now()
    tenant.save(update_fields=["evaluated_snapshot", "evaluated_changed_at"])
    return {}


def preview(count: str = "200") -> dict[str, Any]:
    """Milliseconds of previews of different expressions for one person and the proposed cast."""
    client, people = _admin(), list(DirectoryUser.objects.order_by("pk")[:6])
    person = people.pop()
    for one in people:
        client.post("/t/bench/mappings/cast/", {"pin": one.object_id})
    address = f"/t/bench/mappings/people/title/?person={person.object_id}"
    form = {"target": "title", "kind": "expression", "apply": "always", "preview": "1"}
    times = []
    for number in range(int(count)):
        expression = f'Left(Join(" ", NormalizeDiacritics([displayName]), [department], "{number}"), 64)'
        began = time.perf_counter()
        answer = client.post(address, form | {"expression": expression}, headers={"HX-Request": "true"})
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200 or b"AWS takes it" not in answer.content:
            raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    times.sort()
    return {"requests": len(times), "p50_ms": round(statistics.median(times), 1), "p95_ms": round(p95_of(times), 1), "max_ms": round(times[-1], 1), "bytes": len(answer.content)}  # fmt: skip


def _admin() -> Client:
    call_command("collectstatic", interactive=False, verbosity=0)
    client = Client(headers={"host": "localhost"})
    sign_in(client, person("bench@acme.example", Role.OWNER))
    return client


def pretend() -> dict[str, Any]:
    """As if AWS held all that the last preview planned: links and memberships, without a request."""
    run = Run.objects.filter(kind=Run.Kind.PREVIEW).latest("pk")
    links = {link.object_id: link for link in Link.objects.all()}
    created = run.operations.filter(action="create")
    for n, row in enumerate(created, start=1):
        link = links[row.object_id]
        link.scim_id, link.written, link.active = f"aws-{n}", row.desired, bool(row.desired.get("active", True))
        link.held_name, link.held_email, link.held_external = link.wanted_name, link.wanted_email, link.wanted_external
    names = ["scim_id", "written", "active", "held_name", "held_email", "held_external"]
    update_rows([links[row.object_id] for row in created], names)
    members = {(row.object_id, member) for row in run.operations.all() for member in row.member_ids}
    insert_rows(
        [MembershipLink(tenant=run.tenant, group=links[group], user=links[member]) for group, member in sorted(members)]
    )
    versions.make_version(run.tenant.configurations.get(), actor=ACTOR)
    return {"people": len(created), "memberships": len(members)}


def draft() -> dict[str, Any]:
    """A filter that half the company does not pass, and a mapping that changes a field of everybody else."""
    tenant = Tenant.objects.get()
    clause = {"attribute": "department", "operator": "REGEX MATCH", "value": "^[A-L]", "ignore_case": False}
    save_filter(actor=ACTOR, tenant=tenant, object_type="user", title="Half", clauses=[clause])
    row = drafts.draft_or_current(tenant).mappings.get(object_type="user", target="title")
    rule = replace(row.rule(), kind="expression", source='Join(", ", [jobTitle], [department])')
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)
    return {"changes": len(drafts.differs(tenant))}


def impact() -> dict[str, Any]:
    run = previews.request_preview(tenant=Tenant.objects.get(), actor=ACTOR, enqueue=False)
    finished = execution.execute_run(run.pk)
    if finished is None or finished.state not in PREVIEWED:
        run.refresh_from_db()
        raise SystemExit(f"{run.state}: {run.problem} {run.problem_detail}")
    phases = {name: phase["seconds"] for name, phase in finished.phases.items() if phase["seconds"]}
    return {"planned": finished.planned, "people": finished.impact["people"], "phases": phases}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "prepare": prepare,
    "assign": assign,
    "settle": settle,
    "sync": sync,
    "preview": preview,
    "pretend": pretend,
    "draft": draft,
    "impact": impact,
    "live_through": live_through,
    "pages": lambda times: pages(times, _admin()),
}


def main() -> None:
    step, arguments = sys.argv[1], sys.argv[2:]
    wall, cpu = time.monotonic(), time.process_time()
    found = STEPS[step](*arguments)
    cost = {
        "seconds": round(time.monotonic() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(cost | found))


if __name__ == "__main__":
    main()
