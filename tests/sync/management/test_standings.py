"""`manage.py standings`: the same numbers as on the pages, and whether they are what the facts say."""

import json
from typing import Any

import pytest
from django.core.management import call_command

from sync.models import Standing, Tenant, Word
from sync.standings import services
from tests.world.mirrored import linked, mirrored_person

pytestmark = pytest.mark.django_db


def asked(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    call_command("standings", "acme", "--json", *options)
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.fixture
def known(tenant: Tenant) -> Tenant:
    linked(mirrored_person(tenant, "Ada"))
    linked(mirrored_person(tenant, "Bob"), "", refused_code="too-long", refused_attribute="title")
    services.refresh_all(tenant)
    return tenant


def test_it_counts_by_word_and_names_what_is_the_matter(known: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    report = asked(capsys)
    assert {word: n for word, n in report["user"].items() if n} == {"in_aws": 1, "not_ready": 1}
    [cause] = report["causes"]
    assert (cause["code"], cause["attribute"], cause["objects"], cause["names"]) == ("too-long", "title", 1, ["Bob"])
    call_command("standings", "acme")
    words = capsys.readouterr().out
    assert "1          0  Not ready" in words
    assert "Not ready, too-long title: 1 since" in words


def test_a_check_finds_nothing_or_ends_with_the_code_for_it(known: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "--check")["differences"] == []
    Standing.objects.filter(name="Ada").update(word=Word.FAILED)
    with pytest.raises(SystemExit) as ended:
        asked(capsys, "--check")
    assert ended.value.code == 3
    [difference] = json.loads(capsys.readouterr().out)["differences"]
    assert difference["fields"] == {"word": ["failed", "in_aws"]}
    with pytest.raises(SystemExit):
        call_command("standings", "acme", "--check")
    assert "Ada" in capsys.readouterr().out
    assert Standing.objects.get(name="Ada").word == Word.FAILED, "a check stores nothing"
