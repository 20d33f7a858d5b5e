"""Messages to the workers."""

import pytest
import redis
from celery import Celery

from sync import queue


def test_without_a_broker_whoever_asks_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is a row: it is found by whoever looks next."""
    nowhere = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr("sync.queue.current_app", nowhere)
    queue.send(queue.DELIVER, 1)


@pytest.mark.process
def test_a_broker_without_room_is_one_that_is_away(broker: str, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk, or `maxmemory-policy noeviction`: it answers, and takes nothing."""
    with redis.Redis(unix_socket_path=broker.partition("://")[2]) as client:
        client.config_set("maxmemory", 1)
    queue.send(queue.DELIVER, 1)
    assert "broker away" in caplog.text
