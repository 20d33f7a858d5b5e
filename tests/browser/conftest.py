"""A real Chromium against Django's live server. Every page is watched: what goes wrong unseen fails the test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from portal.models import User
from sync import queue
from sync.connection import services
from sync.readiness.services import carry_out_check
from sync.worker import execution
from tests.world.browser import Watched
from tests.world.lab import Lab
from tests.world.people import sign_in

# Playwright's event loop runs in this thread; Django would refuse the ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Tasks run at once, in the web server's own thread: there is no broker here."""
    carried_out: dict[str, Callable[[int], object]] = {
        queue.TEST_CONNECTION: services.run_test,
        queue.EXECUTE_RUN: execution.execute_run,
        queue.CHECK_READINESS: carry_out_check,
    }
    monkeypatch.setattr("sync.queue.send", lambda task, key: carried_out.get(task, int)(key))
    return lab


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
            sign_in(client, user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(15_000)
        watched.watch(page)
        page.goto(live_server.url)
        return page

    return opened
