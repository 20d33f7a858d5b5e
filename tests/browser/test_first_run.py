"""The page that makes the first Owner, which is there only as long as nobody is one."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from portal.access import first_run
from portal.models import User
from tests.world.browser import axe_in_both_schemes, sideways

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_accessible_and_fits(open_page: Callable[[User | None], Page], live_server: Any) -> None:
    first_run.issue_code()
    page = open_page(None)
    answer = page.goto(f"{live_server.url}/first-run/")
    assert answer is not None
    assert answer.status == 200
    assert axe_in_both_schemes(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0
    assert page.locator("h1").count() == 1
