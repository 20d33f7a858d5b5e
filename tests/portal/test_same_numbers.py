"""The same number everywhere: one company that holds every standing, and all places that say how it stands."""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from portal.models import User
from sync.health.queries.figures import FIGURES
from sync.models import Delivery, DirectoryGroup, DirectoryUser, Hold, Standing, Tenant, Word
from sync.standings import queries as standings
from tests.world.api import script_of
from tests.world.every_standing import GROUPS, PEOPLE, in_scope

pytestmark = pytest.mark.django_db

PROBLEMS = ("gone", "conflict", "not_ready", "failed")
# Whom nobody reaches by waiting.
WAIT_FOR_SOMEBODY = (*PROBLEMS, "only_in_aws", "held")


# Every place: what it shows, and what that has to be


def overview(jo: Client) -> Iterator[tuple[str, object, object]]:
    context = jo.get("/t/acme/").context
    figures = context["figures"]
    yield "people that reach AWS", (figures.reaching, figures.in_scope), (PEOPLE["in_aws"], in_scope(PEOPLE))
    yield "groups", figures.groups, GROUPS["in_aws"]
    yield "problems", figures.problems, sum(PEOPLE[word] + GROUPS[word] for word in PROBLEMS)
    path = [one["step"].count for one in context["path"]]
    entra = sum(PEOPLE.values()) - PEOPLE["only_in_aws"]
    ready = in_scope(PEOPLE) - PEOPLE["not_ready"]
    yield "path of data", path[:1] + path[2:], [entra, in_scope(PEOPLE), ready, PEOPLE["in_aws"] + PEOPLE["differs"]]
    for cause in (need["cause"] for need in context["needs"] if "cause" in need):
        named = f"/t/acme/people/?kind={cause.kind}&word={cause.word}&code={cause.code}&attribute={cause.attribute}"
        yield f"needs {cause.kind} {cause.code}", cause.count, jo.get(named).context["count"]
    kinds = Standing.objects.filter(word__in=[*PROBLEMS, "only_in_aws", "differs"]).values("kind", "code").distinct()
    yield "kinds of needs", context["needs_count"], kinds.count() + Hold.objects.count()


def people(jo: Client) -> Iterator[tuple[str, object, object]]:
    for kind, counts in (("user", PEOPLE), ("group", GROUPS)):
        page = jo.get(f"/t/acme/people/?kind={kind}").context
        shown = {chip["word"]: chip["n"] for chip in page["chips"]}
        yield f"chips of {kind}", shown, {"": sum(counts.values())} | counts
        yield f"list of {kind}", page["count"], sum(counts.values())
        for word, n in counts.items():
            listed = jo.get(f"/t/acme/people/?kind={kind}&word={word}").context
            yield f"list of {kind} {word}", (listed["count"], len(listed["people"])), (n, n)


def one_person(jo: Client) -> Iterator[tuple[str, object, object]]:
    for row in Standing.objects.filter(kind="user").exclude(object_id=""):
        page = jo.get(f"/t/acme/people/{row.object_id}/")
        yield (
            f"page of {row.name}",
            (page.context["person"].word, f">{row.get_word_display()}<" in page.content.decode()),
            (row.word, True),
        )


def readiness(jo: Client) -> Iterator[tuple[str, object, object]]:
    context = jo.get("/t/acme/readiness/").context
    for kind, counts in (("people", PEOPLE), ("groups", GROUPS)):
        yield f"{kind} ready", context[kind], (in_scope(counts) - counts["not_ready"], in_scope(counts))
    listed = sum(one["failing"].objects for one in context["failing"] if one["failing"].outcome == "refuses")
    yield "listed as refused", listed + context["found_since"], PEOPLE["not_ready"] + GROUPS["not_ready"]
    text = b"".join(jo.get("/t/acme/readiness/export/")).decode().removeprefix("\ufeff")
    rows = {row["entra_id"] for row in csv.DictReader(io.StringIO(text)) if row["outcome"] == "refuses"}
    yield "exported as refused", len(rows), PEOPLE["not_ready"]


def approvals(jo: Client) -> Iterator[tuple[str, object, object]]:
    held = {"user": PEOPLE["held"], "group": GROUPS["held"]}
    context = jo.get("/t/acme/approvals/").context
    yield "held", context["held"], held
    yield "changes that wait", sum(one.waiting for one in context["holds"]), sum(held.values())
    shown = jo.get("/t/acme/runs/2/").context
    yield "changes that wait, on the run's page", sum(n for _hold, n in shown["holds"]), sum(held.values())


def drift(jo: Client) -> Iterator[tuple[str, object, object]]:
    context = jo.get("/t/acme/drift/").context
    yield "compared", context["numbers"], {w: PEOPLE[w] + GROUPS[w] for w in ("gone", "differs", "only_in_aws")}
    only = jo.get("/t/acme/drift/only-in-aws/").context["count"]
    lists = (len(context["gone"]["rows"]), sum(one["count"] for one in context["sections"]), only)
    yield "lists", lists, tuple(context["numbers"].values())


def others(jo: Client) -> Iterator[tuple[str, object, object]]:
    reaching = (PEOPLE["in_aws"], in_scope(PEOPLE))
    [row] = jo.get("/t/?stay=1").context["rows"]
    yield "tenants", (row.summary.reaching, row.summary.worst), (reaching, (Word.HELD, PEOPLE["held"] + GROUPS["held"]))
    summary = jo.get("/t/acme/runs/").context["summary"]
    yield "history", (summary["people"], summary["in_scope"]), reaching
    ready = (in_scope(PEOPLE) - PEOPLE["not_ready"], in_scope(PEOPLE))
    yield "turn on", jo.get("/t/acme/provisioning/turn-on/").context["ready"], ready


def mail(_jo: Client) -> Iterator[tuple[str, object, object]]:
    """Which names people and groups with one problem together."""
    [delivery] = Delivery.objects.all()
    for cause in standings.causes(Tenant.objects.get()):
        [paragraph] = [part for part in delivery.body.split("\n\n") if ", ".join(cause.names) in part]
        n = Standing.objects.filter(code=cause.code, attribute=cause.attribute).count()
        yield f"mail, {cause.code}", f"({n} object" in paragraph, True


def metrics(_jo: Client) -> Iterator[tuple[str, object, object]]:
    [figure] = [one for one in FIGURES if one.name == "lockstep_problems"]
    counted = Counter[str]()
    for (_tenant, word, _code), n in figure.samples():
        counted[word] += int(n)
    yield "metrics", counted, {w: PEOPLE[w] + GROUPS[w] for w in (*WAIT_FOR_SOMEBODY, "differs")}


def commands(_jo: Client) -> Iterator[tuple[str, object, object]]:
    [facts] = report("status")["tenants"]
    yield "status", (facts["people_in_aws"], facts["people_in_scope"]), (PEOPLE["in_aws"], in_scope(PEOPLE))
    yield "status, problems", facts["problems"], sum(PEOPLE[word] + GROUPS[word] for word in PROBLEMS)
    counts = report("standings", "acme")
    yield "standings", (counts["user"], counts["group"]), (PEOPLE, GROUPS)
    yield "holds", report("holds", "acme")["held"], {"user": PEOPLE["held"], "group": GROUPS["held"]}
    checked = report("readiness", "acme")
    ready = [(in_scope(counts) - counts["not_ready"], in_scope(counts)) for counts in (PEOPLE, GROUPS)]
    shown = [(checked["people_ready"], checked["people"]), (checked["groups_ready"], checked["groups"])]
    yield "readiness", shown, ready


def api(_jo: Client) -> Iterator[tuple[str, object, object]]:
    script = script_of(User.objects.get(email="jo@acme.example"))
    for kind, counts in (("people", PEOPLE), ("groups", GROUPS)):
        everybody = script.all_of(f"/tenants/acme/{kind}", limit=9)
        yield f"{kind} by the API", Counter(one["standing"] for one in everybody), counts
        in_it = sum(one["in_scope"] for one in everybody)
        yield f"{kind} in scope by the API", in_it, in_scope(counts)
        for word, n in counts.items():
            yield f"{kind} {word} by the API", len(script.all_of(f"/tenants/acme/{kind}", standing=word)), n
    tenant = script.read("/tenants/acme")
    yield "counts by the API", tenant["standings"], {"people": PEOPLE, "groups": GROUPS}
    yield (
        "reaching, by the API",
        (tenant["people_in_aws"], tenant["people_in_scope"]),
        (PEOPLE["in_aws"], in_scope(PEOPLE)),
    )
    yield "problems by the API", tenant["problems"], sum(PEOPLE[word] + GROUPS[word] for word in PROBLEMS)
    [listed] = script.all_of("/tenants")
    yield "the same in the list", {name: tenant[name] for name in listed}, listed
    held = script.read("/tenants/acme/holds")["items"]
    yield "held by the API", sum(one["waiting"] for one in held), PEOPLE["held"] + GROUPS["held"]


def report(name: str, *words: str) -> dict[str, Any]:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(name, *words, "--json", stdout=out)
    facts: dict[str, Any] = json.loads(out.getvalue())
    return facts


PLACES = (overview, people, one_person, readiness, approvals, drift, others, mail, metrics, commands, api)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_shows_the_same_numbers(
    every_standing: Tenant, jo: Client, place: Callable[[Client], Iterator[tuple[str, object, object]]]
) -> None:
    shown = list(place(jo))
    assert {name: number for name, number, _expected in shown} == {name: expected for name, _n, expected in shown}


def test_the_numbers_add_up(every_standing: Tenant) -> None:
    for kind, model, counts in (("user", DirectoryUser, PEOPLE), ("group", DirectoryGroup, GROUPS)):
        known = model._default_manager.filter(tenant=every_standing).count()
        rows = standings.standings(every_standing, kind)
        assert {word.value for word in Word} == counts.keys()
        assert sum(counts.values()) == rows.count() == known + counts["only_in_aws"]
        assert in_scope(counts) + rows.filter(in_scope=False).exclude(object_id="").count() == known
    assert standings.differences(every_standing) == []
