"""docs/expressions.md is what the table says."""

import pytest

from sync.expressions.docs import PAGE, page

pytestmark = pytest.mark.pure


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m sync.expressions.docs"
