"""Encrypted at rest: it is the same memory, its files say nothing, and what is moved is refused."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import BefitError, CorruptStoreError, StoreError
from befit.core.feedback import Choice, Comment, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair
from befit.memory.journal import SqliteJournal
from befit.memory.sealed import SealedJournal, SealedMemory, vault_at
from befit.memory.sqlite import SqliteMemory
from befit.testing import check_memory

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "marzipan"


@dataclass(frozen=True)
class Tiny:
    """Counts two letters."""

    name: str = "tiny"
    width: int = 2

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        counts = [(1.0 + t.count("a"), 1.0 + t.count("m")) for t in texts]
        return [[a / (a * a + m * m) ** 0.5, m / (a * a + m * m) ** 0.5] for a, m in counts]


def _said(name: str, user: UserId = ADA, **more: object) -> Evidence:
    made = Evidence(
        id=name,
        user=user,
        kind=EvidenceKind.STATED,
        at=AT,
        text=f"I love {CANARY} {name}",
        values={f"topic:{CANARY}": 0.5, "length": -0.5},
        scope=CANARY if name == "2" else "",
        source=CANARY,
        learned=AT + timedelta(days=1),
    )
    return replace(made, **more)  # type: ignore[arg-type]


GIVEN = [
    _said("1"),
    _said("2"),
    _said("3", pair=Pair(prompt=CANARY, chosen=f"{CANARY}!", rejected="", weight=0.5)),
    _said("4", graded=Graded(prompt=CANARY, text=CANARY, value=0.3)),
    _said("5", text="", values={}, kind=EvidenceKind.BEHAVIOUR, by="ai"),
]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[SealedMemory]:
    made = SealedMemory(path=tmp_path / "befit.db", encoder=Tiny())
    yield made
    made.close()


def _files(folder: Path) -> bytes:
    return b"".join(f.read_bytes() for f in folder.rglob("*") if f.is_file())


def test_it_is_the_same_memory(memory: SealedMemory, tmp_path: Path) -> None:
    check_memory(memory)
    plain = SqliteMemory(path=tmp_path / "plain.db", encoder=Tiny())
    for each in (memory, plain):
        each.remember(GIVEN[:2])
        each.recall(Context(user=ADA, messages=(), at=AT))
        each.remember(GIVEN[2:])
    asked = Context(
        user=ADA, messages=(Message("user", f"more {CANARY} 2"),), at=AT + timedelta(days=2)
    )
    again = SealedMemory(path=memory.path, encoder=Tiny())
    for each in (memory, again):
        assert each.evidence(ADA) == plain.evidence(ADA)
        one, other = each.recall(asked), plain.recall(asked)
        assert one.evidence
        assert replace(one, version="") == replace(other, version="")
    again.close()
    plain.close()


def test_the_files_say_nothing(memory: SealedMemory, tmp_path: Path) -> None:
    memory.remember(GIVEN)
    journal = SealedJournal(path=memory.path)
    journal.record(_turn("r1"))
    found = _files(tmp_path)
    assert CANARY.encode() not in found
    assert b"topic:" not in found
    assert memory.evidence(ADA) == GIVEN


def test_derived_anew_it_stays_sealed(memory: SealedMemory, tmp_path: Path) -> None:
    memory.remember(GIVEN)
    other = SealedMemory(path=memory.path, encoder=Tiny(name="other"))
    asked = Context(user=ADA, messages=(Message("user", CANARY),), at=AT + timedelta(days=2))
    first = other.recall(asked)
    other.remember([])  # what was derived is written by now
    other.close()
    third = SealedMemory(path=memory.path, encoder=Tiny(name="other"))
    assert third.recall(asked) == first
    third.close()
    assert CANARY.encode() not in _files(tmp_path)


def test_rows_moved_between_people_or_places_are_refused(memory: SealedMemory) -> None:
    memory.remember([_said("1"), _said("2"), _said("1", BOB)])
    memory.close()
    moves = (
        "UPDATE evidence SET text = (SELECT text FROM evidence WHERE owner = 1 AND id = '2')"
        " WHERE owner = 1 AND id = '1'",
        "UPDATE evidence SET text = (SELECT text FROM evidence WHERE owner = 2)"
        " WHERE owner = 1 AND id = '1'",
        "UPDATE evidence SET text = 'befit-sealed-1:zzz' WHERE owner = 1 AND id = '1'",
        "UPDATE evidence SET vector = (SELECT vector FROM evidence WHERE owner = 1 AND id = '2')"
        " WHERE owner = 1 AND id = '1'",
    )
    whole = Path(memory.path).read_bytes()
    for move in moves:
        with sqlite3.connect(memory.path) as connection:
            assert connection.execute(move).rowcount == 1
        connection.close()
        fresh = SealedMemory(path=memory.path, encoder=Tiny())
        with pytest.raises(CorruptStoreError):
            fresh.evidence(ADA)
        fresh.close()
        Path(memory.path).write_bytes(whole)


def test_a_forgotten_person_has_no_key(memory: SealedMemory) -> None:
    memory.remember([_said("1"), _said("1", BOB)])
    shelf = vault_at(f"{memory.path}.keys", "evidence").shelf
    assert len(list(shelf.names())) == 2
    assert memory.forget(ADA, ["none"]) == 0
    assert len(list(shelf.names())) == 2
    assert memory.forget(ADA) == 1
    assert len(list(shelf.names())) == 1
    assert memory.evidence(BOB) == [_said("1", BOB)]
    memory.remember([_said("9")])
    assert memory.evidence(ADA) == [_said("9")]


def test_the_master_key_is_rotated_while_it_serves(memory: SealedMemory) -> None:
    memory.remember([_said("1")])
    assert vault_at(f"{memory.path}.keys", "evidence").rotate() == 1
    memory.remember([_said("2")])
    fresh = SealedMemory(path=memory.path)
    assert fresh.evidence(ADA) == [_said("1"), _said("2")]
    fresh.close()


def test_a_lost_key_and_a_plain_file_are_typed_errors(memory: SealedMemory, tmp_path: Path) -> None:
    memory.remember([_said("1")])
    memory.close()
    Path(f"{memory.path}.keys").unlink()
    with pytest.raises(CorruptStoreError, match="gone"):
        SealedMemory(path=memory.path).evidence(ADA)
    plain = SqliteMemory(path=tmp_path / "plain.db")
    plain.remember([_said("1")])
    SqliteJournal(path=tmp_path / "plain.db").record(_turn("r1"))
    plain.close()
    with pytest.raises(StoreError, match="without encryption"):
        SealedMemory(path=tmp_path / "plain.db").evidence(ADA)
    with pytest.raises(StoreError, match="without encryption"):
        SealedJournal(path=tmp_path / "plain.db").read(ADA)


def _turn(name: str, user: UserId = ADA) -> Interaction:
    asked = Context(user=user, messages=(Message("user", f"about {CANARY}"),), at=AT)
    draft = Draft(text=f"{CANARY} {name}", policy="toy")
    answer = Response(id=name, text=f"{CANARY} {name}", draft=draft, verdicts=())
    return Interaction(context=asked, response=answer)


def test_the_journal_is_the_same_and_says_nothing(tmp_path: Path) -> None:
    sealed, plain = SealedJournal(path=tmp_path / "s.db"), SqliteJournal(path=tmp_path / "p.db")
    for each in (sealed, plain):
        each.record(_turn("r1"))
        each.record(replace(_turn("r2"), feedback=(Comment(response="r2", at=AT, text=CANARY),)))
        each.record(_turn("r3", BOB))
    choice = Choice(response="r2", at=AT, over="r1")
    assert sealed.react(ADA, choice) == plain.react(ADA, choice)
    for user in (ADA, BOB, None):
        assert sealed.read(user) == plain.read(user)
    with pytest.raises(BefitError):
        sealed.react(ADA, replace(choice, response="r3"))
    assert CANARY.encode() not in b"".join(
        f.read_bytes() for f in tmp_path.glob("s.db*") if f.is_file()
    )
    assert sealed.erase(ADA) == 2
    assert sealed.read(ADA) == []
    assert sealed.read(BOB) == plain.read(BOB)
