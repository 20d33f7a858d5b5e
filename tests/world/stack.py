"""Room on Python's own stack for all that a test calls, and for the threads of its servers.

It grows by pieces of 16 KiB, each asked of the kernel and given back at once (push_chunk and _PyThreadState_PopFrame in
CPython's Python/pystate.c): a page whose templates go up and down at the end of a piece does so thousands of times, a tenth
of its time. A piece is as large as its first frame needs and as much again: here that frame is a large one.
"""

import functools
from socketserver import ThreadingMixIn
from typing import Any

import pytest

# Of eight bytes: the piece has two mebibytes, and half of it is free.
SLOTS = 140_000


def pytest_configure() -> None:
    ThreadingMixIn.process_request_thread = with_room(ThreadingMixIn.process_request_thread)  # type: ignore[method-assign]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function):
            item.obj = with_room(item.obj)


def with_room(test: Any) -> Any:
    @functools.wraps(test)
    def calling(*arguments: Any, **named: Any) -> Any:
        return test(*arguments, **named)

    calling.__code__ = calling.__code__.replace(co_stacksize=SLOTS)
    return calling
