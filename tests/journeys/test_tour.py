"""The lab console's tour, pressed button by button: each step is followed by what it promises."""

import re
from html import unescape

import pytest

from sync.models import HeldChange, Run, Standing, Tenant, Word
from tests.world.company import names
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]

TEAM = 24


def press_step(lab: Lab, step: int) -> None:
    """The one button of a step of the tour."""
    shown = lab.session.get(lab.facts["console"], params={"tour": step}, timeout=20).text
    section = shown.partition('<section class="tour"')[2].partition("</section>")[0]
    found = re.search(r'<form method="post" action="/actions/(\w+)">(.*?)</form>', section, re.DOTALL)
    assert found, f"step {step} has no button"
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[2]))
    pressed = {name: unescape(value) for name, value in fields.items()}
    answer = lab.session.post(f"{lab.facts['console']}actions/{found[1]}", data=pressed, timeout=20)
    assert "Not done" not in answer.text


def standing_of(name: str) -> Standing:
    return Standing.objects.get(name=name)


def test_somebody_arrives_something_breaks_and_a_deleted_group_is_held(wired: Tenant, lab: Lab) -> None:
    team = lab.entra_group("AWS-Developers")
    assign(wired, team)
    sync(wired)
    assert len(names(lab)) == TEAM
    press_step(lab, 2)
    sync(wired)
    assert standing_of("Grace Hopper").word == Word.IN_AWS

    press_step(lab, 4)
    assert sync(wired).state == Run.State.COMPLETED_WITH_ERRORS
    broken = standing_of("Grace Hopper")
    assert (broken.word, broken.code) == (Word.NOT_READY, "missing-family-name")
    press_step(lab, 6)
    sync(wired)
    assert standing_of("Grace Hopper").word == Word.IN_AWS

    press_step(lab, 7)
    sync(wired)
    held = HeldChange.objects.filter(decision="waiting", object_type="user")
    assert held.count() == TEAM + 1
    assert len([user for user in lab.aws()["users"] if user["active"]]) == TEAM + 1

    press_step(lab, 9)
    assert lab.entra_group("AWS-Developers")["id"] == team["id"]
    assert lab.aws()["users"] == []
    sync(wired, Run.Kind.FULL)
