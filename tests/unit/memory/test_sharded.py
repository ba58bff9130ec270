"""Several files as one store: the same promises, people spread, another number refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import ConfigError, StoreError
from befit.core.feedback import Choice, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.erasure import search_bytes
from befit.memory.journal import SqliteJournal
from befit.memory.sharded import Shards
from befit.memory.sqlite import SqliteMemory
from befit.testing import check_journal, check_memory, check_options

AT = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = [UserId(f"person-{n}") for n in range(40)]


def said(user: UserId, text: str = "I drink tea") -> Evidence:
    return Evidence(
        id=f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT,
        text=text,
        values={"length": -0.5},
    )


def turn(user: UserId, response: str) -> Interaction:
    made = Response(id=response, text="t", draft=Draft(text="t", policy="toy"), verdicts=())
    return Interaction(
        context=Context(user=user, messages=(Message("user", "?"),), at=AT), response=made
    )


@pytest.fixture
def memory(tmp_path: Path) -> SqliteMemory:
    return SqliteMemory(tmp_path / "befit.db", shards=4)


def test_conforms(memory: SqliteMemory) -> None:
    check_memory(memory)
    check_journal(SqliteJournal(memory.path, shards=4))
    check_options(memory)


def test_people_are_spread_and_found(memory: SqliteMemory, tmp_path: Path) -> None:
    memory.remember([said(user) for user in PEOPLE])
    assert memory.people() == sorted(PEOPLE)
    assert [memory.evidence(user) for user in PEOPLE] == [[said(user)] for user in PEOPLE]
    files = sorted(path.name for path in tmp_path.glob("*.db"))
    assert files == [f"befit.0{n}-of-04.db" for n in range(4)]
    counts = [search_bytes([tmp_path / f"{name}-wal"], [b"I drink tea"]) for name in files]
    assert all(counts)
    memory.close()
    again = SqliteMemory(memory.path, shards=4)
    assert again.evidence(PEOPLE[7]) == [said(PEOPLE[7])]


def test_turns_are_spread_and_found(memory: SqliteMemory) -> None:
    journal = SqliteJournal(memory.path, shards=4)
    for user in PEOPLE:
        journal.record(turn(user, f"{user}-1"))
        journal.record(turn(user, f"{user}-2"))
    chosen = Choice(response=f"{PEOPLE[3]}-1", at=AT, over=f"{PEOPLE[3]}-2")
    seen = journal.react(PEOPLE[3], chosen)
    assert [each.id for each in seen.compared] == [f"{PEOPLE[3]}-2"]
    assert len(journal.read()) == 2 * len(PEOPLE)
    assert journal.read(PEOPLE[3])[0] == seen


def test_forgetting_leaves_no_byte_in_any_file(memory: SqliteMemory, tmp_path: Path) -> None:
    memory.remember([said(user, f"a secret of {user}!") for user in PEOPLE])
    assert memory.forget(PEOPLE[5]) == 1
    assert search_bytes([tmp_path], [b"a secret of person-5!"]) == 0
    assert search_bytes([tmp_path], [b"a secret of person-6!"])


def test_a_failure_in_one_file_is_told(
    memory: SqliteMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = memory._shards.of(PEOPLE[0])
    broken.close()
    monkeypatch.setattr(broken, "path", memory.path)
    broken._writer._closing = True
    with pytest.raises(StoreError, match="closed"):
        memory.remember([said(user) for user in PEOPLE])


@pytest.mark.parametrize("before", [1, 2, 8])
def test_another_number_of_files_is_refused(tmp_path: Path, before: int) -> None:
    path = tmp_path / "befit.db"
    first = SqliteMemory(path, shards=before)
    first.remember([said(PEOPLE[0])])
    first.close()
    other = SqliteMemory(path, shards=4)
    for use in (lambda: other.evidence(PEOPLE[0]), lambda: other.remember([said(PEOPLE[0])])):
        with pytest.raises(ConfigError) as caught:
            use()
        assert caught.value.field == "memory.shards"
    if before > 1:
        with pytest.raises(ConfigError):
            SqliteMemory(path).evidence(PEOPLE[0])


@pytest.mark.parametrize("count", [0, -1, 5000])
def test_a_number_of_files_that_cannot_be_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(ConfigError):
        SqliteMemory(tmp_path / "befit.db", shards=count)


def test_a_place_is_for_ever() -> None:
    shards = Shards("befit.db", 8)
    assert [shards.place(UserId(name)) for name in ("ada", "bob", "cy", "")] == [7, 2, 0, 4]
