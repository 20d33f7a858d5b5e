"""Templates and scripts are where their page's name says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = {path.name for path in (ROOT / "portal/pages").iterdir() if path.is_dir()}
# allauth looks for its own in `account`, Django for what draws its forms in `django`.
BESIDE_PAGES = {"account", "django", "frame", "partials"}
INCLUDED = re.compile(r'(?:include |inclusion_tag\()"([^"#]+)"')


def test_every_folder_is_named_for_a_page() -> None:
    folders = {path.name for path in (ROOT / "templates").iterdir() if path.is_dir()}
    assert folders - PAGES == BESIDE_PAGES


@pytest.mark.parametrize("kind", ["css", "js"])
def test_every_file_of_a_page_is_named_for_it(kind: str) -> None:
    names = {path.stem for path in (ROOT / "static" / kind).glob(f"*.{kind}")}
    assert names <= PAGES | BESIDE_PAGES | {"tokens"}


def test_fragments_begin_with_an_underscore_and_pages_do_not() -> None:
    """A page is rendered by a view or built on by other pages; a fragment is drawn inside one."""
    sources = [*TEMPLATES, *(ROOT / "portal").rglob("*.py")]
    included = {name for path in sources for name in INCLUDED.findall(path.read_text())}
    assert [name for name in included if not Path(name).name.startswith("_")] == []
    bases = [path for path in TEMPLATES if path.name.startswith("_") and "{% extends" in path.read_text()]
    assert bases == []


def test_a_code_that_is_printed_leads_to_its_meaning() -> None:
    """By the tag `code`."""
    printed = re.compile(r">\s*\{\{ *(?:[\w.]+\.code|(?:run|operation)\.problem) *\}\}\s*<")
    assert [path.name for path in TEMPLATES if printed.search(path.read_text())] == []


def test_every_script_is_named_by_the_tag_that_gives_its_digest() -> None:
    """`{% script %}`: a browser runs it as this release holds it, or not at all."""
    assert [str(page) for page in TEMPLATES if "<script" in page.read_text()] == []
    assert any("{% script " in page.read_text() for page in TEMPLATES)


def test_what_opens_says_so() -> None:
    """By a mark that turns: without the browser's own, nobody would look for more."""
    summary = re.compile(r'<details class="ls-(?:problem|steps-of-one)".*?<summary>(.*?)</summary>', re.DOTALL)
    found = [(path.name, inside) for path in TEMPLATES for inside in summary.findall(path.read_text())]
    assert len(found) > 3
    assert [name for name, inside in found if '{% icon "chevron-right"' not in inside] == []


def test_nothing_is_kept_in_the_browser() -> None:
    """Neither by our scripts nor by htmx, whose history would keep pages there after signing out."""
    kept = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open|serviceWorker")
    scripts = sorted((ROOT / "static/js").glob("*.js"))
    assert len(scripts) > 3
    assert [path.name for path in scripts if kept.search(path.read_text())] == []
    assert '"historyCacheSize":0' in (ROOT / "templates/base.html").read_text()
