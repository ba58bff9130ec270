"""Versions of the file: one made by version 1 is brought up to date; a newer one is refused."""

import gzip
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from befit.core.errors import CorruptStoreError, StoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair
from befit.memory.journal import SqliteJournal
from befit.memory.schema import VERSION
from befit.memory.sqlite import SqliteMemory
from befit.memory.store import Store

ADA = UserId("ada")
AT = datetime(2026, 3, 1, tzinfo=UTC)
#: Made by befit when its files had version 1.
OLD = Path(__file__).parent / "files" / "version_1.db.gz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "befit.db"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
    return path


def test_a_file_of_version_1_keeps_what_it_had(old: Path) -> None:
    memory = SqliteMemory(old)
    stated, compared = memory.evidence(ADA)
    assert stated == Evidence(
        id="e1",
        user=ADA,
        kind=EvidenceKind.STATED,
        at=AT,
        text="keep it short",
        values={"length": -0.8},
    )
    assert compared.pair == Pair(prompt="p", chosen="c", rejected="r", weight=0.5)
    assert (compared.by, compared.scope, compared.source) == ("ai", "work", "r1")
    memory._store.check()


def test_a_file_of_version_1_takes_what_version_2_has(old: Path) -> None:
    graded = Graded(prompt="p", text="t", value=0.25, weight=0.5)
    new = Evidence(
        id="e3",
        user=ADA,
        kind=EvidenceKind.BEHAVIOUR,
        at=AT,
        graded=graded,
        learned=AT + timedelta(microseconds=1),
        origin="tool",
    )
    memory = SqliteMemory(old)
    memory.remember([new])
    assert memory.evidence(ADA)[-1] == new


def test_a_migrated_file_is_like_a_new_one(old: Path, tmp_path: Path) -> None:
    def columns(path: Path) -> list[tuple[object, ...]]:
        return Store(path).read(lambda c: c.execute("PRAGMA table_info(evidence)").fetchall())

    def version(path: Path) -> int:
        return int(Store(path).read(lambda c: c.execute("PRAGMA user_version").fetchone()[0]))

    assert columns(old) == columns(tmp_path / "new.db")
    assert version(old) == version(tmp_path / "new.db") == VERSION


def test_a_newer_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    store = Store(path)
    store.write(lambda c: c.execute(f"PRAGMA user_version={VERSION + 1}").rowcount)
    store.close()
    with pytest.raises(StoreError, match=f"version {VERSION + 1}") as caught:
        SqliteMemory(path).evidence(ADA)
    assert "install" in caught.value.hint
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    connection.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "rumour"),
        ("vals", "{"),
        ("pair", '{"colour":1}'),
        ("graded", "[]"),
        ("at", 1 << 62),
        ("latent", b"abc"),
    ],
)
def test_a_damaged_row_is_told_and_can_be_forgotten(
    tmp_path: Path, column: str, value: object
) -> None:
    memory = SqliteMemory(tmp_path / "befit.db")
    pair = Pair(prompt="p", chosen="c", rejected="r")
    for name in ("e1", "e2"):
        memory.remember([Evidence(id=name, user=ADA, kind=EvidenceKind.STATED, at=AT, pair=pair)])
    query = f"UPDATE evidence SET {column} = ? WHERE id = 'e1'"
    memory._store.write(lambda c: c.execute(query, (value,)).rowcount)
    with pytest.raises(CorruptStoreError, match="e1"):
        SqliteMemory(tmp_path / "befit.db").evidence(ADA)
    assert memory.forget(ADA, ["e1"]) == 1
    assert [e.id for e in memory.evidence(ADA)] == ["e2"]


def test_a_damaged_turn_is_told(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "befit.db")
    journal.rows.add(ADA, "r1", '{"context":{}}', []).result()
    with pytest.raises(CorruptStoreError):
        journal.read(ADA)
    assert journal.erase(ADA) == 1
    assert journal.read(ADA) == []


def test_somebody_elses_file_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE evidence (a)")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    with pytest.raises(CorruptStoreError):
        SqliteMemory(path).evidence(ADA)
    assert sqlite3.connect(path).execute("SELECT * FROM evidence").description[0][0] == "a"
