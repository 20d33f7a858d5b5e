"""How a test looks at pages in Chromium, and the first steps of a story there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, expect

from tests.world.people import code_of_app
from tests.world.up import Up

AXE = (Path(__file__).parent.parent / "samples" / "axe-core-4.14.1" / "axe.min.js").read_text()
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Those of axe's category "color": what the other scheme can change.
COLOUR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
VIOLATIONS = (
    "JSON.stringify(found.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"
)
# Light last: pages are left as they were found.
Scheme = tuple[Literal["dark", "light"], dict[str, Any]]
SCHEMES: tuple[Scheme, ...] = (("dark", COLOUR_RULES), ("light", RULES))
PASSWORD = "four ordinary words here"


class Watched:
    """What a page must not do. `allowed`: statuses that the test provokes."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.faults: list[str] = []
        self.allowed: set[int] = set()

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        page.on("response", lambda response: self._response(response.status, response.url))

    def _console(self, kind: str, text: str) -> None:
        provoked = any(f"status of {status}" in text or f"Code {status}" in text for status in self.allowed)
        # A request that a newer one replaced (hx-sync), or whose row or page was left: htmx logs that as an error. A failed
        # one says htmx:sendError besides.
        replaced = text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
        if kind == "error" and not provoked and not replaced:
            self.faults.append(f"console: {text}")

    def _response(self, status: int, url: str) -> None:
        if status >= 500 and status not in self.allowed:
            self.faults.append(f"{status} {url}")
        if not url.startswith((self.base, "data:")):
            self.faults.append(f"another host: {url}")


def axe(page: Page, rules: dict[str, Any] = RULES, without: Sequence[str] = ()) -> list[Any]:
    """Violations of the page as it stands, each with its first elements. `without`: rules that it need not keep."""
    options = {"runOnly": rules, "resultTypes": ["violations"], "rules": {one: {"enabled": False} for one in without}}
    run = f"axe.run({json.dumps(options)}).then(found => {VIOLATIONS})"
    session = page.context.new_cdp_session(page)
    # Over CDP: the page's own policy forbids added scripts.
    if not page.evaluate("'axe' in window"):
        session.send("Runtime.evaluate", {"expression": AXE})
    answer = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True})
    session.detach()
    violations: list[Any] = json.loads(answer["result"]["value"])
    return violations


def axe_in_both_schemes(page: Page) -> list[Any]:
    """In light and in dark; the page is left in light."""
    return axe_in(SCHEMES, page)


def axe_in(schemes: Sequence[Scheme], page: Page) -> list[Any]:
    found = []
    for scheme, rules in schemes:
        # A colour on its way from one scheme to the other would be taken for poor contrast: nothing moves here (STILL).
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, violation) for violation in axe(page, rules)]
    return found


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def set_up_app(page: Page) -> str:
    """From the page that asks for a second factor on; the key that the app keeps."""
    page.get_by_role("link", name="Set up an app").click()
    key = page.locator("#totp-key").inner_text()
    page.get_by_label("Code").fill(code_of_app(key))
    page.get_by_role("button", name="Set up").click()
    page.get_by_role("link", name="I have kept them").click()
    return key


def become_owner(page: Page, up: Up) -> None:
    page.goto(up.url)
    page.get_by_role("link", name="Make the first Owner").click()
    page.get_by_label("One-time code").fill(up.code)
    page.get_by_label("Your name").fill("Jo Lin")
    page.get_by_label("E-mail").fill("jo@acme.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make me Owner").click()
    set_up_app(page)
    expect(page.get_by_role("heading", name="New tenant")).to_be_visible()
