"""A real Chromium against Django's live server. Every page is watched: what goes wrong unseen fails the test."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from portal.models import User
from sync import queue
from sync.connection import services
from sync.worker import execution
from tests.lab_process import Lab

AXE = (Path(__file__).parent.parent / "samples" / "axe-core-4.14.1" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Playwright's event loop runs in this thread; Django would refuse the ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


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


@pytest.fixture(scope="module")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), "--aws-tps", "0") as running:
        yield running


@pytest.fixture
def lab(lab_process: Lab, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Tasks run at once, in the web server's own thread: there is no broker here. AWS is empty."""
    lab_process.call("DELETE", "aws/users")
    settings.EXTRA_CLOUDS = lab_process.clouds
    settings.EXTRA_SCIM_HOSTS = lab_process.scim_hosts
    carried_out = {queue.TEST_CONNECTION: services.run_test, queue.EXECUTE_RUN: execution.execute_run}
    monkeypatch.setattr("sync.queue.send", lambda task, key: carried_out.get(task, int)(key))
    settings.SCIM_RATE = 1000
    return lab_process


@pytest.fixture
def watched(live_server: Any) -> Iterator[Watched]:
    watch = Watched(live_server.url)
    yield watch
    assert watch.faults == []


@pytest.fixture
def open_page(context: BrowserContext, live_server: Any, watched: Watched) -> Callable[[User | None], Page]:
    """A page of the live server, signed in as the given person."""

    def opened(user: User | None) -> Page:
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = client.cookies["session"].value
            context.add_cookies([{"name": "session", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        watched.watch(page)
        page.goto(live_server.url)
        return page

    return opened


def axe(page: Page) -> list[Any]:
    """Violations, each with its first elements. Over CDP: the page's own policy forbids added scripts."""
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE})
    run = (
        f"axe.run({{runOnly: {json.dumps(RULES)}}}).then(found => JSON.stringify(found.violations.map("
        "one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))])))"
    )
    answer = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True})
    violations: list[Any] = json.loads(answer["result"]["value"])
    return violations


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
