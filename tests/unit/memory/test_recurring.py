"""Through a real store: what comes back with the clock, what was learned, where a talk is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from befit.belief.fold import BayesFold
from befit.belief.learned import KIND, Learned, Live
from befit.belief.prior import Prior
from befit.core.artifact import Artifact
from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.sqlite import SqliteMemory

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def said(value: float, scope: str) -> Evidence:
    return Evidence(
        id=f"{value}{scope}",
        user=UserId("ana"),
        kind=EvidenceKind.STATED,
        at=MONDAY - timedelta(days=9),
        values={"length": value},
        scope=scope,
    )


def length(memory: SqliteMemory, at: datetime, scope: str = "") -> float:
    context = Context(user=UserId("ana"), messages=(), at=at, scope=scope)
    found = {p.dimension: p.mean for p in memory.recall(context).preferences}
    return found.get("length", 0.0)


def test_an_evening_and_a_weekend_come_back(tmp_path: Path) -> None:
    memory = SqliteMemory(path=tmp_path / "befit.db")
    memory.remember([said(-0.8, "evening"), said(0.8, "weekend")])
    assert length(memory, MONDAY + timedelta(hours=20)) < -0.5
    assert length(memory, MONDAY + timedelta(hours=9)) == 0.0
    assert length(memory, MONDAY + timedelta(days=5, hours=9)) > 0.5
    assert length(memory, MONDAY + timedelta(hours=9), "evening") < -0.5


def test_the_wall_clock_of_the_zone_is_read_at_the_turn_and_not_at_midnight(tmp_path: Path) -> None:
    memory = SqliteMemory(path=tmp_path / "befit.db", inferer=BayesFold(zone="Asia/Tokyo"))
    memory.remember([said(0.8, "weekend")])
    friday = MONDAY + timedelta(days=4)
    assert length(memory, friday + timedelta(hours=9)) == 0.0  # 18 o'clock there
    assert length(memory, friday + timedelta(hours=16)) > 0.5  # Saturday there


def test_a_promotion_is_believed_at_once_by_a_memory_that_has_cached_the_person(
    tmp_path: Path,
) -> None:
    store = SqliteArtifacts(path=tmp_path / "befit.db")
    fold = BayesFold(artifacts=store, _live=Live(seconds=0.0))
    memory = SqliteMemory(path=tmp_path / "befit.db", inferer=fold)
    memory.remember([said(0.2, "")])
    before = length(memory, MONDAY)
    key = Learned(prior=Prior(population={"length": (-0.9, 0.2)})).save(tmp_path / "made")
    made = Artifact(id=key, kind=KIND, owner=None, base="style 1", at=MONDAY)
    store.put(made, tmp_path / "made")
    store.promote(key)
    assert length(memory, MONDAY) < before - 0.3
    store.rollback(None, KIND)
    assert length(memory, MONDAY) == before
