"""PostgreSQL, encrypted: the same memory, a server that reads nothing, a key for each tenant."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import CorruptStoreError, StoreError
from befit.core.feedback import Choice, Comment, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Pair
from befit.memory.erasure import search_bytes
from befit.memory.ledger import Held
from befit.memory.sealed import vault_at
from befit.testing import check_journal, check_memory, check_options

psycopg = pytest.importorskip("psycopg")
from befit.memory.postgres import PostgresMemory  # noqa: E402
from befit.memory.postgres_sealed import (  # noqa: E402
    SealedPostgresJournal,
    SealedPostgresMemory,
)

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "marzipan"
GIVEN = [
    Evidence(
        id=f"{n}",
        user=ADA,
        kind=EvidenceKind.STATED,
        at=AT,
        text=f"I love {CANARY} \0 {n}",
        values={f"topic:{CANARY}": 0.5, "length": -0.5},
        scope=CANARY if n else "",
        pair=Pair(prompt=CANARY, chosen="a", rejected="b") if n == 2 else None,
    )
    for n in range(3)
]


def _turn(name: str, user: UserId = ADA) -> Interaction:
    made = Response(id=name, text=CANARY, draft=Draft(text=CANARY, policy="t"), verdicts=())
    asked = Context(user=user, messages=(Message("user", f"about {CANARY}"),), at=AT)
    said = Comment(response=name, at=AT, text=f"{CANARY} again")
    return Interaction(context=asked, response=made, feedback=(said,))


@pytest.fixture
def memory(dsn: str, tenant: str, tmp_path: Path) -> Iterator[SealedPostgresMemory]:
    made = SealedPostgresMemory(dsn, tenant, keys=tmp_path / "keys")
    yield made
    made.close()


def _journal(memory: SealedPostgresMemory) -> SealedPostgresJournal:
    return SealedPostgresJournal(memory.dsn, memory.tenant, keys=memory.keys)


def test_it_is_the_same_memory(memory: SealedPostgresMemory) -> None:
    check_memory(memory)
    check_options(memory)
    check_journal(_journal(memory))
    plain = PostgresMemory(memory.dsn, f"{memory.tenant}-plain")
    asked = Context(user=ADA, messages=(Message("user", CANARY),), at=AT)
    for each in (memory, plain):
        each.remember(GIVEN)
    again = replace(memory)
    assert again.evidence(ADA) == plain.evidence(ADA) == GIVEN
    one, other = again.recall(asked), plain.recall(asked)
    assert one.evidence
    assert replace(one, version="") == replace(other, version="")


def test_the_server_reads_nothing(memory: SealedPostgresMemory) -> None:
    memory.remember(GIVEN)
    journal = _journal(memory)
    for name in ("r1", "r2"):
        journal.record(_turn(name))
    journal.react(ADA, Choice(response="r2", at=AT, over="r1"))
    with psycopg.connect(memory.dsn) as connection:
        for table in ("people", "evidence", "turns", "reactions"):
            query = f"SELECT t::text FROM befit.{table} t WHERE tenant = %s"
            rows = connection.execute(query, (memory.tenant,)).fetchall()
            assert rows
            assert not [row for row in rows if CANARY in row[0]]
    assert journal.erase(ADA, ["r1"]) == 1
    assert journal.read(ADA) == [_turn("r2")]


def test_no_word_is_in_any_file_of_the_server(memory: SealedPostgresMemory) -> None:
    word = "zirconium-canary"
    for n in range(20):
        memory.remember([replace(GIVEN[0], id=f"{n}", text=f"{word} {n}", scope=word)])
    memory.ledger().hold([Held(replace(GIVEN[0], text=word, origin="tool"), "why")])
    with psycopg.connect(memory.dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    memory.forget(ADA, ["3"])
    assert search_bytes([Path(folder)], [b"befit-sealed-1:"])
    assert search_bytes([Path(folder)], [word.encode()]) == 0


def test_without_its_key_a_row_is_noise(memory: SealedPostgresMemory) -> None:
    memory.remember(GIVEN)
    memory.remember([replace(GIVEN[0], user=BOB)])
    assert vault_at(memory.keys, f"evidence/{memory.tenant}").forget(ADA)  # and the rows are there
    fresh = replace(memory)
    with pytest.raises(CorruptStoreError, match="gone"):
        fresh.evidence(ADA)
    assert len(fresh.evidence(BOB)) == 1
    assert fresh.forget(ADA) == 3
    fresh.remember(GIVEN)
    assert fresh.evidence(ADA) == GIVEN


def test_rows_moved_between_tenants_or_turns_are_refused(memory: SealedPostgresMemory) -> None:
    other = SealedPostgresMemory(memory.dsn, f"{memory.tenant}-other", keys=memory.keys)
    for each in (memory, other):
        each.remember(GIVEN[:1])
    journal = _journal(memory)
    for name in ("r1", "r2"):
        journal.record(_turn(name))
    find = "SELECT text FROM befit.evidence WHERE tenant = %s"
    move = "UPDATE befit.evidence SET text = %s WHERE tenant = %s"
    turn = "UPDATE befit.turns SET body = (SELECT body FROM befit.turns WHERE tenant = %s AND"
    turn += " response = 'r1') WHERE tenant = %s"
    with psycopg.connect(memory.dsn) as connection:
        (text,) = connection.execute(find, (memory.tenant,)).fetchone() or ("",)
        connection.execute(move, (text, other.tenant))
        connection.execute(turn, (memory.tenant,) * 2)
    with pytest.raises(CorruptStoreError):
        replace(other).evidence(ADA)
    with pytest.raises(CorruptStoreError, match="moved"):
        journal.read(ADA)


def test_what_was_written_without_encryption_is_refused(memory: SealedPostgresMemory) -> None:
    PostgresMemory(memory.dsn, memory.tenant).remember(GIVEN)
    with pytest.raises(StoreError, match="without encryption"):
        memory.evidence(ADA)
