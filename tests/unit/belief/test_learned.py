"""What was learned from everybody, saved, followed, and put under what is set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from befit.belief.fold import BayesFold
from befit.belief.learned import KIND, Learned, Live
from befit.belief.prior import Prior
from befit.core.artifact import Artifact
from befit.core.errors import StoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, PreferenceSpace
from befit.memory.artifacts import SqliteArtifacts

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "test", "1", (Dimension("a", "l", "h"), Dimension("kind", "l", "h", universal=True))
)
LEARNED = Learned(
    prior=Prior(
        population={"a": (0.4, 0.3), "kind": (-1.0, 0.2)},
        effects={"age:old": {"a": -0.2}},
        correlations={"a": {"b": 0.5}},
    ),
    half_life_days={"a": 30.0},
)


def promoted(tmp_path: Path, learned: Learned) -> SqliteArtifacts:
    store = SqliteArtifacts(path=tmp_path / "befit.db")
    key = learned.save(tmp_path / "made")
    store.put(Artifact(id=key, kind=KIND, owner=None, base="test 1", at=AT), tmp_path / "made")
    store.promote(key)
    return store


def said(value: float, days: float = 0.0, name: str = "a") -> Evidence:
    return Evidence(
        id=f"{name}{value}{days}",
        user=UserId("u"),
        kind=EvidenceKind.STATED,
        at=AT - timedelta(days=days),
        values={name: value},
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    key = LEARNED.save(tmp_path)
    assert Learned.load(tmp_path, key) == replace(LEARNED, version=key)
    assert LEARNED.save(tmp_path) == key


def test_what_is_promoted_is_believed_and_fades_as_learned(tmp_path: Path) -> None:
    fold = BayesFold(artifacts=promoted(tmp_path, LEARNED))
    told = [said(0.0, days=60)]
    by_hand = BayesFold(prior=LEARNED.prior, half_life_days={"a": 30.0, "": 365.0})
    assert list(fold.infer(SPACE, told, AT, "")) == list(by_hand.infer(SPACE, told, AT, ""))
    assert list(fold.infer(SPACE, told, AT, "")) != list(BayesFold().infer(SPACE, told, AT, ""))
    assert fold.version


def test_what_is_set_counts_over_what_was_learned(tmp_path: Path) -> None:
    own: dict[str, Any] = {
        "prior": Prior(population={"a": (-0.4, 0.3)}),
        "half_life_days": {"a": 900.0},
    }
    fold = BayesFold(artifacts=promoted(tmp_path, LEARNED), **own)
    told = [said(0.1, days=60)]
    assert list(fold.infer(SPACE, told, AT, "")) == list(
        BayesFold(**own).infer(SPACE, told, AT, "")
    )


def test_a_universal_dimension_has_no_learned_prior(tmp_path: Path) -> None:
    fold = BayesFold(artifacts=promoted(tmp_path, LEARNED))
    told = [said(0.5, name="kind")]
    assert list(fold.infer(SPACE, told, AT, "")) == list(BayesFold().infer(SPACE, told, AT, ""))


def test_a_promotion_and_a_rollback_are_noticed_after_a_while(tmp_path: Path) -> None:
    store, now = promoted(tmp_path, LEARNED), 0.0
    live = Live(seconds=1.0, clock=lambda: now)
    first = live.follow(store)
    assert first.half_life_days == {"a": 30.0}
    promoted(tmp_path / "other", Learned())
    made = Learned(half_life_days={"a": 7.0})
    key = made.save(tmp_path / "next")
    store.put(Artifact(id=key, kind=KIND, owner=None, base="", at=AT), tmp_path / "next")
    store.promote(key)
    assert live.follow(store) == first
    now = 1.5
    assert live.follow(store).half_life_days == {"a": 7.0}
    store.rollback(None, KIND)
    now = 3.0
    assert live.follow(store) == first
    store.rollback(None, KIND)
    now = 5.0
    assert live.follow(store) == Learned()


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"schema": "9"}', '{"schema": "1", "prior": null, "half_life_days": {"a": 0}}'],
)
def test_what_does_not_read_says_so(tmp_path: Path, text: str) -> None:
    store = promoted(tmp_path, LEARNED)
    active = store.active(None, KIND)
    assert active is not None
    (store.folder(active.id) / "beliefs.json").write_text(text, "utf-8")
    with pytest.raises(StoreError, match="does not read"):
        BayesFold(artifacts=store).infer(SPACE, [said(0.5)], AT, "")
