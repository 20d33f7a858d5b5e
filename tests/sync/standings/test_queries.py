"""Every number is the length of the list beside it, and they add up, whatever the company."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sync.models import DirectoryGroup, DirectoryUser, Link, Standing, Tenant, Word
from sync.standings import queries, services
from tests.world.examples import share
from tests.world.mirrored import found, held, linked, mirrored_group, mirrored_person, new_comparison
from tests.world.plans import on_sqlite, plans_of

pytestmark = [pytest.mark.django_db, pytest.mark.both]
FACTS = (
    {},
    {"pending": "update"},
    {"refused_code": "missing-family-name", "refused_attribute": "name.familyName"},
    {"refused_code": "same-value", "refused_attribute": "emails"},
    {"refused_code": "create-off"},
    {"failures": 2, "failure_code": "rejected"},
    {"failures": 1, "failure_code": "aws-contradicts"},
    {"match_code": "not-found-link"},
    {"active": False},
)
REASONS = ("not-assigned", "outside-filter", "account-disabled", "deleted")
PERSON = st.fixed_dictionaries(
    {
        "in_scope": st.booleans(),
        "reason": st.sampled_from(REASONS),
        "known": st.sampled_from(["nobody", "linked", "held by AWS"]),
        "facts": st.sampled_from(FACTS),
        "drift": st.sampled_from(["", "missing", "differs"]),
        "settled": st.sampled_from(["", "written_at", "read_at", "repaired"]),
        "waits": st.booleans(),
    }
)


def company(tenant: Tenant, people: list[dict[str, Any]], strangers: int) -> None:
    run = new_comparison(tenant)
    for number, one in enumerate(people):
        scope = {"in_scope": one["in_scope"], "reason": "" if one["in_scope"] else one["reason"]}
        make = mirrored_group if number % 5 == 4 else mirrored_person
        row = make(tenant, **(scope if make is mirrored_person else {"in_scope": one["in_scope"]}))
        if one["known"] != "nobody":
            link = linked(row, "" if one["known"] == "linked" else None, **one["facts"])
            if one["drift"] and link.scim_id:
                found(run, one["drift"], link, repaired=one["settled"] == "repaired")
                if one["settled"].endswith("_at"):
                    Link.objects.filter(pk=link.pk).update(**{one["settled"]: timezone.now()})
        if one["waits"]:
            held(row)
    for number in range(strangers):
        found(run, "only_in_aws", object_type="user", scim_id=f"u-{number}", name=f"root {number}")
    services.refresh_all(tenant)


def empty(tenant: Tenant) -> None:
    for rows in (tenant.standings, tenant.holds, tenant.links, tenant.drifts, tenant.runs):
        rows.all().delete()
    tenant.directory_users.all().delete()
    tenant.directory_groups.all().delete()


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=share(0.4)
)
@given(people=st.lists(PERSON, max_size=12), strangers=st.integers(0, 3))
def test_numbers_are_lengths_of_lists_and_add_up(tenant: Tenant, people: list[dict[str, Any]], strangers: int) -> None:
    empty(tenant)
    company(tenant, people, strangers)
    for kind, model in (("user", DirectoryUser), ("group", DirectoryGroup)):
        rows, counts = queries.standings(tenant, kind), queries.counts(tenant, kind)
        known = model.objects.filter(tenant=tenant).count()
        assert sum(counts.values()) == rows.count() == known + counts[Word.ONLY_IN_AWS]
        assert counts == {word: rows.filter(word=word).count() for word in Word}
        inside, outside = rows.filter(in_scope=True), rows.filter(in_scope=False, object_id__gt="")
        assert inside.count() + outside.count() == known
        assert queries.reaching_aws(tenant, kind)[1] == inside.count()
        for step in queries.path_of_data(tenant, kind):
            assert step.count == queries.come_to(tenant, step.name, kind).count()
            assert step.dropped == queries.dropped_at(tenant, step.name, kind).count()
        ready = rows.filter(in_scope=True).exclude(word=Word.NOT_READY).count()
        assert queries.ready_by_kind(tenant)[kind] == (ready, inside.count())
        assert queries.counts_by_kind(tenant)[kind] == counts
    figures = queries.figures(tenant)
    assert (figures.reaching, figures.in_scope) == queries.reaching_aws(tenant)
    assert (figures.problems, figures.problems_since) == queries.open_problems(tenant)
    assert figures.groups == queries.reaching_aws(tenant, "group")[0]
    assert list(figures.path) == queries.path_of_data(tenant)
    summary = queries.summaries([tenant])[tenant.pk]
    assert (summary.reaching, summary.problems) == (queries.reaching_aws(tenant), figures.problems)
    assert summary.worst == queries.worst(tenant)
    for cause in queries.causes(tenant):
        assert cause.count == queries.members_of(tenant, cause).count()
        assert list(cause.names) == [row.name for row in queries.members_of(tenant, cause)[:3]]
    waiting = Standing.objects.filter(tenant=tenant, word__in=queries.WAITS_FOR_SOMEBODY)
    assert sum(cause.count for cause in queries.causes(tenant)) == waiting.count()
    problems = waiting.exclude(word__in=(Word.HELD, Word.ONLY_IN_AWS))
    assert queries.open_problems(tenant)[0] == problems.count()
    assert queries.differences(tenant) == []
    differ = set(queries.differing(tenant).values_list("link__object_id", flat=True))
    gone = {"word": Word.GONE, "scim_id__gt": ""}
    for conditions in ({"word": Word.DIFFERS}, gone):
        assert set(queries.standings(tenant, **conditions).values_list("object_id", flat=True)) <= differ
    at = queries.standings(tenant, object_id__in=differ).values_list("word", flat=True)
    assert not set(at) & {Word.WAITING, Word.DISABLED, Word.IN_AWS}, "a word that comes after those of a comparison"


def test_the_path_of_data_drops_people_where_they_stop(tenant: Tenant) -> None:
    mirrored_person(tenant, "Unassigned", in_scope=False)
    mirrored_person(tenant, "Filtered", in_scope=False, reason="outside-filter")
    linked(mirrored_person(tenant, "Nameless"), "", refused_code="missing-family-name")
    linked(mirrored_person(tenant, "Newcomer"), "", pending="create")
    linked(mirrored_person(tenant, "Arrived"))
    mirrored_person(tenant, "Purged", in_scope=False, reason="deleted", deleted="purged")
    services.refresh_all(tenant)
    path = queries.path_of_data(tenant)
    assert [(step.name, step.count, step.dropped) for step in path] == [
        ("directory", 5, 0),
        ("assigned", 4, 1),
        ("in_scope", 3, 1),
        ("ready", 2, 1),
        ("in_aws", 1, 1),
    ]
    dropped = [[row.name for row in queries.dropped_at(tenant, step.name)] for step in path[1:]]
    assert dropped == [["Unassigned"], ["Filtered"], ["Nameless"], ["Newcomer"]]
    assert queries.reaching_aws(tenant) == (1, 3)
    assert queries.ready(tenant) == (2, 3)
    assert queries.people_at_the_end(tenant) == (1, 2, 3)


def test_pages_go_on_where_the_last_one_ended_though_names_are_the_same(tenant: Tenant) -> None:
    for name in ("Ada", "Bob", "Bob", "Bob", "Eve"):
        mirrored_person(tenant, name)
    services.refresh_all(tenant)
    rows, seen, after = queries.standings(tenant, "user"), [], None
    while page := queries.page(rows, 2, after):
        seen += [row.pk for row in page]
        after = (page[-1].name, page[-1].pk)
    assert seen == [row.pk for row in rows]


def test_what_is_the_matter_comes_worst_word_first_then_most_people(tenant: Tenant) -> None:
    for facts in (
        {"failures": 1, "failure_code": "rejected"},
        *[{"refused_code": "too-long"}] * 2,
        {"match_code": "not-found-link"},
    ):
        linked(mirrored_person(tenant), "", **facts)
    held(mirrored_person(tenant))
    services.refresh_all(tenant)
    assert [(cause.word, cause.count) for cause in queries.causes(tenant)] == [
        (Word.HELD, 1), (Word.GONE, 1), (Word.NOT_READY, 2), (Word.FAILED, 1),
    ]  # fmt: skip
    assert queries.worst(tenant) == (Word.HELD, 1)
    assert [len(cause.names) for cause in queries.causes(tenant, named=2)] == [1, 1, 0, 0]


def test_counting_a_tenant_is_one_query(tenant: Tenant, django_assert_num_queries: Any) -> None:
    mirrored_person(tenant)
    services.refresh_all(tenant)
    with django_assert_num_queries(1):
        queries.counts(tenant, "user")
    with django_assert_num_queries(1):
        queries.path_of_data(tenant)
    with django_assert_num_queries(1):
        queries.open_problems(tenant)


@on_sqlite
@pytest.mark.parametrize("number", [queries.figures, queries.path_of_data, queries.ready_by_kind, queries.reaching_aws])
def test_numbers_are_read_from_an_index_alone(tenant: Tenant, number: Callable[[Tenant], object]) -> None:
    assert "COVERING INDEX standing_numbers" in plans_of(lambda: number(tenant))


@on_sqlite
def test_somebody_is_found_by_the_index_of_entra_ids(tenant: Tenant) -> None:
    assert "one_standing" in plans_of(lambda: queries.standing_of(tenant, "user", "0d1e"))
    assert "one_standing" in plans_of(lambda: queries.by_object(tenant, ["0d1e", "1d2e"]))
