"""Python's collector of garbage leaves alone what is there before the first test: modules and thousands of tests are no garbage.

A fiftieth of the time of all tests (docs.python.org/3/library/gc.html#gc.freeze).
"""

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
