"""The stylesheets as texts: what a browser forgives in silence."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "templates"
CSS = sorted((ROOT / "static" / "css").glob("*.css"))
# Every page has these; the others are named for the folder of the pages that load them.
OF_ALL = ("tokens", "frame")
OF_PAGES = [path for path in CSS if path.stem not in OF_ALL]
ONE = r"[^\s;}]+"
PHYSICAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right)\b|(?<![\w-])(?:left|right):[^;}]*|(?:text-align|float):\s*(?:left|right)"
    # Top, right, bottom, left: the second and the fourth differ.
    rf"|(?:margin|padding):\s*{ONE} ({ONE}) {ONE} (?!\1[;}} ]|!){ONE}(?=[;}} ])"
    rf"|border-radius:\s*({ONE}) (?!\2 ){ONE} {ONE} {ONE}"
)


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_every_block_of_the_stylesheet_is_closed(path: Path) -> None:
    """One that stays open takes in all that follows: after a media query, that would hold for some widths only."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    depth = 0
    for one in re.findall("[{}]", text):
        depth += 1 if one == "{" else -1
        assert 0 <= depth <= 2
    assert depth == 0


@pytest.mark.parametrize("path", CSS, ids=lambda path: path.name)
def test_a_side_is_named_by_the_direction_of_writing(path: Path) -> None:
    """`inline-start` in place of `left`: where lines begin at the right, pages turn around with them."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    # Half of the way from either side is the same place.
    assert [found.group() for found in PHYSICAL.finditer(text) if "50%" not in found.group()] == []


@pytest.mark.parametrize(
    ("rule", "physical"),
    [
        ("margin-left: auto", True),
        ("border-right-color: red", True),
        ("left: 4px", True),
        ("text-align:right", True),
        ("margin: 4px 0 14px 38px", True),
        ("border-radius: 4px 0 0 4px", True),
        ("padding: 4px 8px 14px 8px", False),
        ("margin-inline-start: auto", False),
        ("inset-inline-start: 4px", False),
        ("text-align: start", False),
    ],
)
def test_what_names_a_side_is_found(rule: str, physical: bool) -> None:
    assert bool(PHYSICAL.search(f".ls-one {{ {rule}; }}")) is physical


@pytest.mark.parametrize("path", OF_PAGES, ids=lambda path: path.name)
def test_a_stylesheet_is_loaded_by_every_page_of_its_folder(path: Path) -> None:
    pages = [one for one in (TEMPLATES / path.stem).rglob("*.html") if is_page(one)]
    assert pages
    assert [one.name for one in pages if f'"css/{path.name}"' not in one.read_text()] == []


def is_page(template: Path) -> bool:
    """A question is shown in the dialog of any page, so the frame's styles are all it has."""
    return not template.name.startswith("_") and "partials/confirm.html" not in template.read_text()


@pytest.mark.parametrize("path", OF_PAGES, ids=lambda path: path.name)
def test_what_other_pages_use_stands_in_the_frame_s_stylesheet(path: Path) -> None:
    """Their look would depend on a stylesheet that they do not load."""
    in_frame = names_in(ROOT / "static/css/frame.css")
    others = [one for one in TEMPLATES.rglob("*.html") if one.relative_to(TEMPLATES).parts[0] != path.stem]
    used = {name for one in others for name in re.findall(r"ls-[\w-]+", one.read_text())}
    assert (names_in(path) - in_frame) & used == set()


def names_in(stylesheet: Path) -> set[str]:
    return set(re.findall(r"\.(ls-[\w-]+)", stylesheet.read_text()))
