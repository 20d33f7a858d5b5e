"""The lab's parts over real HTTPS, each fresh."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.aws.app import AwsApp
from lab.aws.store import AwsStore
from lab.faults import Faults
from lab.http import serve
from lab.tls import server_context
from tests.lab.callers import Aws


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    folder = tmp_path_factory.mktemp("tls")
    return server_context(folder), folder / "ca.pem"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def aws(tmp_path: Path, tls: tuple[ssl.SSLContext, Path], faults: Faults) -> Iterator[Aws]:
    store = AwsStore(tmp_path / "aws.sqlite3")
    server = serve(AwsApp(store, faults, tps=0), "127.0.0.1", 0, tls[0])
    caller = Aws(store, server, tls[1])
    yield caller
    caller.session.close()
    server.close()
    store.db.close()
