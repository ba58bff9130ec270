"""SqliteMemory: what is forgotten leaves no byte in any file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Pair
from befit.memory.erasure import search_bytes
from befit.memory.sqlite import SqliteMemory

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")


def said(
    text: str,
    values: dict[str, float] | None = None,
    *,
    key: str = "",
    user: UserId = ADA,
    days: float = 0,
    scope: str = "",
    pair: Pair | None = None,
) -> Evidence:
    return Evidence(
        id=key or f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT - timedelta(days=days),
        text=text,
        values=values or {},
        scope=scope,
        pair=pair,
    )


@dataclass
class Letters:
    """An encoder that knows letters."""

    name: str = "letters"
    width: int = 26
    asked: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        counts = [[text.lower().count(chr(97 + i)) + 1e-6 for i in range(26)] for text in texts]
        return [[float(x) for x in np.array(row) / np.linalg.norm(row)] for row in counts]


def needle(number: int) -> str:
    return f"secret{number:06d}of a person"


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[tuple[SqliteMemory, Path]]:
    """People whose rows share pages with Ada's, and were moved about."""
    memory = SqliteMemory(tmp_path / "befit.db", encoder=Letters())
    rng = np.random.default_rng(7)
    number = 0
    for _ in range(40):
        batch = []
        for _ in range(20):
            user = [ADA, BOB, UserId("cy"), UserId("di")][rng.integers(4)]
            text = needle(number) + "y" * int(rng.integers(1, 900)) + needle(number)
            batch.append(said(text, {"length": 0.1}, user=user, key=f"k{number}"))
            number += 1
        memory.remember(batch)
        memory.forget(BOB, [e.id for e in batch if e.user == BOB][:3])
    yield memory, tmp_path
    memory._store.close()


def test_no_byte_of_a_forgotten_person_is_left(crowd: tuple[SqliteMemory, Path]) -> None:
    memory, folder = crowd
    mine = [e.text[:21].encode() for e in memory.evidence(ADA)]
    others = {user: memory.evidence(user) for user in (BOB, UserId("cy"), UserId("di"))}
    assert search_bytes([folder], mine) >= 2 * len(mine)
    assert memory.forget(ADA) == len(mine)
    assert search_bytes([folder], mine) == 0
    assert {user: memory.evidence(user) for user in others} == others
    memory._store.check()


def test_a_large_file_is_clear_once_it_has_settled(
    crowd: tuple[SqliteMemory, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, folder = crowd
    monkeypatch.setattr("befit.memory.store._AT_ONCE", 0)
    mine = [e.text[:21].encode() for e in memory.evidence(ADA)]
    assert memory.forget(ADA) == len(mine)
    memory.settle()
    assert search_bytes([folder], mine) == 0


def test_no_byte_of_a_forgotten_piece_is_left(crowd: tuple[SqliteMemory, Path]) -> None:
    memory, folder = crowd
    pieces = memory.evidence(ADA)
    gone, kept = pieces[::3], [e for i, e in enumerate(pieces) if i % 3]
    assert memory.forget(ADA, [e.id for e in gone]) == len(gone)
    assert search_bytes([folder], [e.text[:21].encode() for e in gone]) == 0
    assert memory.evidence(ADA) == kept
