"""Messages to the workers."""

import pytest
from celery import Celery

from sync import queue


def test_without_a_broker_whoever_asks_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is a row: it is found by whoever looks next."""
    nowhere = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr("sync.queue.current_app", nowhere)
    queue.send(queue.DELIVER, 1)
