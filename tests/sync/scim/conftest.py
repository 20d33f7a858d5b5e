"""The SCIM client's way to its host, answered by the test."""

import pytest

from sync.scim.transport import OneHost
from tests.world.web import Web


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    answering = Web()
    monkeypatch.setattr(OneHost, "exchange", lambda _host, *facts: answering.exchange(*facts))
    return answering
