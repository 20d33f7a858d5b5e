"""`.venv/bin/python tools/pictures.py`: the pictures of the README, light and dark, from a new demo that the README's own steps lead through."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
# What the story that is followed imports asks for settings; `up` gets its own.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.journeys.test_first_steps import enter, follow, steps
from tests.world.chromium import CHROMIUM, FLAGS
from tests.world.up import Up

FOLDER = ROOT / "docs" / "pictures"
# Before the press of the name, what is seen is worth a picture.
BEFORE = {"Mappings": "run", "Preview impact": "mappings", "Publish version 2": "impact"}
LAST = ("overview", "/t/rehearsal/"), ("people", "/t/rehearsal/people/")
SCHEMES = ("dark", "light")
SIZE = (1280, 800)
PICTURES = (*BEFORE.values(), *(name for name, _path in LAST))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Up(Path(folder, "var"), "--demo") as up, chromium() as page:
        found = re.search(r"Sign in: +(\S+) / (\S+)", up.said())
        assert found
        page.goto(up.url)
        enter(page, *found.groups())
        for verb, name in steps():
            if name == "Lab":
                break
            if name in BEFORE:
                take(page, BEFORE[name])
            follow(page, verb, name)
        for name, path in LAST:
            page.goto(up.url + path)
            take(page, name)


@contextmanager
def chromium() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce")
        browser.close()


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("window.scrollTo(0, 0)")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
