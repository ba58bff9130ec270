"""PostgreSQL on a real server: first starts, versions, lost connections, forks, bad addresses."""

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.errors import ConfigError, StoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence

psycopg = pytest.importorskip("psycopg")
from befit.memory.erasure import search_bytes  # noqa: E402
from befit.memory.postgres import PostgresMemory  # noqa: E402
from befit.memory.postgres_server import (  # noqa: E402
    migrations,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")


def said(text: str, *, user: UserId = ADA, value: float = -0.5, key: str = "") -> Evidence:
    return Evidence(
        id=key or f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT,
        text=text,
        values={"length": value},
    )


@pytest.fixture
def memory(dsn: str, tenant: str) -> Iterator[PostgresMemory]:
    made = PostgresMemory(dsn, tenant)
    yield made
    made.close()


def test_gateways_that_come_first_together_make_the_tables_once(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE fresh")
    fresh = dsn.replace("/postgres?", "/fresh?")
    gateways = [PostgresMemory(fresh, "t", connections=1 + n) for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: pair[1].remember([said(f"{pair[0]}")]), enumerate(gateways)))
    assert len(gateways[0].evidence(ADA)) == 6
    with psycopg.connect(fresh) as connection:
        versions = connection.execute("SELECT version FROM befit.migrations").fetchall()
    assert versions == [(n + 1,) for n in range(len(migrations()))]
    for each in gateways:
        each.close()


def test_newer_tables_are_refused(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE newer")
    newer = dsn.replace("/postgres?", "/newer?")
    first = PostgresMemory(newer)
    first.remember([said("a")])
    first.close()
    with psycopg.connect(newer) as connection:
        connection.execute("INSERT INTO befit.migrations VALUES (99)")
    with pytest.raises(StoreError, match="version 99") as caught:
        PostgresMemory(newer).evidence(ADA)
    assert "install" in caught.value.hint


def test_a_server_that_does_not_answer_is_a_typed_error_without_the_password() -> None:
    memory = PostgresMemory("postgresql://ada:secret@127.0.0.1:9/befit?connect_timeout=2")
    for use in (lambda: memory.evidence(ADA), lambda: memory.remember([said("a")])):
        with pytest.raises(StoreError) as caught:
            use()
        assert caught.value.hint
        assert "secret" not in f"{caught.value} {memory!r}"


def test_a_connection_that_the_server_closed_is_replaced(memory: PostgresMemory) -> None:
    memory.remember([said("a")])
    assert memory.evidence(ADA)
    with psycopg.connect(memory.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    assert memory.evidence(ADA) == [said("a")]
    try:
        memory.remember([said("b")])
    except StoreError:
        memory.remember([said("b")])
    assert memory.evidence(ADA) == [said("a"), said("b")]


def test_a_forked_child_writes_for_itself(memory: PostgresMemory) -> None:
    memory.remember([said("parent")])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            memory.remember([said("child")])
            code = 0 if len(memory.evidence(ADA)) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    memory.remember([said("after")])
    assert [e.text for e in memory.evidence(ADA)] == ["parent", "child", "after"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dsn": "postgresql://[bad"}, "memory.dsn"),
        ({"tenant": ""}, "memory.tenant"),
        ({"connections": 0}, "memory.connections"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PostgresMemory(**options)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_server_that_is_not_used_is_not_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        port = listening.getsockname()[1]
        memory = PostgresMemory(f"postgresql://127.0.0.1:{port}/befit?connect_timeout=2")
        memory.close()
        with pytest.raises(TimeoutError):
            listening.accept()

        def ask() -> None:
            with pytest.raises(StoreError):
                memory.people()

        asking = threading.Thread(target=ask)
        asking.start()
        listening.settimeout(20)
        listening.accept()[0].close()  # used, it is asked
    asking.join()


def test_bytes_of_the_erased_go_with_a_rewrite_and_the_log(memory: PostgresMemory) -> None:
    """What docs/how-to/postgresql.md says: deleted they are there, and how they go."""
    for start in range(3):
        texts = [f"canary-of-{user} {start} {'x' * 40 * n}" for n in range(9) for user in range(30)]
        users = [UserId(text.partition(" ")[0]) for text in texts]
        memory.remember([said(t, user=u) for t, u in zip(texts, users, strict=True)])
    with psycopg.connect(memory.dsn, autocommit=True) as connection:
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        places = [Path(folder) / name for name in ("base", "pg_wal")]
        gone = [b"canary-of-7 "]
        connection.execute("CHECKPOINT")
        assert all(search_bytes([place], gone) for place in places)
        memory.forget(UserId("canary-of-7"))
        connection.execute("CHECKPOINT")
        assert all(search_bytes([place], gone) for place in places)  # deleted, and still there
        parts = connection.execute(
            "SELECT format('befit.%I', relname) FROM pg_class"
            " WHERE relnamespace = 'befit'::regnamespace AND relkind = 'r'"
        ).fetchall()
        for (part,) in parts:
            connection.execute(f"VACUUM FULL {part}")
        connection.execute("CHECKPOINT")
        assert search_bytes(places[:1], gone) == 0
        for segment in range(8):  # those that are done with are cut off or written over
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            memory.remember([said(f"later {segment}")])
        assert search_bytes(places, gone) == 0
        assert search_bytes(places[:1], [b"canary-of-8 "])
