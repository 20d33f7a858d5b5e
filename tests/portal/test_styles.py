"""The stylesheet as a text: what a browser forgives in silence."""

import re
from pathlib import Path

import pytest

CSS = sorted((Path(__file__).parent.parent.parent / "static" / "css").glob("*.css"))


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_every_block_of_the_stylesheet_is_closed(path: Path) -> None:
    """One that stays open takes in all that follows: after a media query, that would hold for some widths only."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    depth = 0
    for one in re.findall("[{}]", text):
        depth += 1 if one == "{" else -1
        assert 0 <= depth <= 2
    assert depth == 0
