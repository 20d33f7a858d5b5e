"""Every state that can be stored or judged has a word and a look."""

import pytest

from portal.pages.setup.views import State
from portal.words.provisioning import Word
from portal.words.states import LOOKS, WORDS
from sync.connection.services import HalfState
from sync.models import Result, Run
from sync.runs.phases import STATES

pytestmark = pytest.mark.pure


def test_every_word_has_a_look_and_every_look_a_word() -> None:
    assert {kind: set(words) for kind, words in WORDS.items()} == {kind: set(looks) for kind, looks in LOOKS.items()}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("run", {*Run.State.values, "did_not_start"}),
        ("result", {*Result.values, "no_change"}),
        ("phase", set(STATES)),
        ("half", set(HalfState)),
        ("task", set(State)),
        ("provisioning", {*Word.__args__, "not_set_up"}),
    ],
)
def test_no_state_is_without_a_word(kind: str, values: set[str]) -> None:
    assert set(WORDS[kind]) == values
