"""The promoted head is followed, whole, at most once a second, by many threads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import ModelFileError
from befit.core.people import UserId
from befit.core.preference import Dimension, Gaussian, Pair, PreferenceSpace
from befit.core.protocols import ArtifactStore, Explains, RewardModel, Taste
from befit.features.feature_map import FeatureMap
from befit.reward.active import ActiveReward
from befit.reward.hierarchical import WEIGHTS, HierarchicalReward

SPACE = PreferenceSpace("test", "1", (Dimension("brevity", "short", "long", feature="length"),))
AT = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = Context(user=UserId("ada"), messages=(), at=AT)
PAIR = Pair(prompt="", chosen="aa", rejected="bb bb bb.")
DRAFTS = [Draft(text="aa", policy="test"), Draft(text="bb bb bb.", policy="test")]


class Letters:
    name = "letters"
    width = 2

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [[1.0, 0.0] if "a" in text else [0.0, 1.0] for text in texts]


@dataclass
class Shelf:
    """Artifacts in folders of one folder, the active one by name."""

    root: Path
    promoted: str = ""
    looks: int = 0

    def active(self, owner: UserId | None, kind: str) -> Artifact | None:
        self.looks += 1
        if not self.promoted or kind != "reward" or owner is not None:
            return None
        return Artifact(id=self.promoted, kind=kind, owner=None, base="letters", at=AT)

    def folder(self, artifact_id: str) -> Path:
        return self.root / artifact_id

    def put(self, artifact: Artifact, folder: Path) -> None:
        raise NotImplementedError

    def promote(self, artifact_id: str) -> None:
        self.promoted = artifact_id

    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None:
        raise NotImplementedError

    def erase(self, owner: UserId) -> int:
        raise NotImplementedError


@dataclass
class Clock:
    now: float = 0.0
    calls: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


def saved(shelf: Shelf, name: str, seed: int, rank: int = 3) -> HierarchicalReward:
    features = FeatureMap(Letters())
    rng = np.random.default_rng(seed)
    head = HierarchicalReward(
        features=features,
        basis=rng.normal(size=(rank, features.width)),
        mean=rng.normal(size=rank),
        covariance=np.eye(rank),
    )
    head.save(shelf.root / name)
    return head


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def active(shelf: Shelf, clock: Clock) -> ActiveReward:
    return ActiveReward(artifacts=shelf, encoder=Letters(), space=SPACE, clock=clock)


def test_before_anything_was_promoted_style_alone_scores(shelf: Shelf) -> None:
    assert isinstance(shelf, ArtifactStore)
    reward = active(shelf, Clock())
    assert isinstance(reward, RewardModel)
    assert isinstance(reward, Taste)
    assert reward.version == ""
    assert reward.prior == Gaussian((), ())
    assert reward.difference(PAIR) == ()
    assert reward.posterior([()], [1.0]) == Gaussian((), ())
    assert reward.score(CONTEXT, Conditioning(), DRAFTS) == [0.0, 0.0]
    short, long = reward.score(CONTEXT, Conditioning(objectives={"brevity": -1.0}), DRAFTS)
    assert short > long
    assert reward.uncertainty(CONTEXT, Conditioning(), DRAFTS) == [0.0, 0.0]


def test_without_an_encoder_style_alone_scores(shelf: Shelf) -> None:
    saved(shelf, "one", 1)
    shelf.promote("one")
    reward = ActiveReward(artifacts=shelf, space=SPACE)
    assert reward.version == ""
    assert reward.score(CONTEXT, Conditioning(), DRAFTS) == [0.0, 0.0]


def test_a_promotion_is_seen_within_the_second_and_not_looked_for_more_often(shelf: Shelf) -> None:
    clock = Clock()
    one, two = saved(shelf, "one", 1), saved(shelf, "two", 2)
    shelf.promote("one")
    reward = active(shelf, clock)
    assert reward.version == one.version
    assert reward.prior == one.prior
    assert reward.difference(PAIR) == one.difference(PAIR)
    assert reward.score(CONTEXT, Conditioning(), DRAFTS) == one.score(
        CONTEXT, Conditioning(), DRAFTS
    )
    assert reward.uncertainty(CONTEXT, Conditioning(), DRAFTS) == one.uncertainty(
        CONTEXT, Conditioning(), DRAFTS
    )
    shelf.promote("two")
    clock.now = 0.9
    assert reward.version == one.version
    assert shelf.looks == 1
    clock.now = 1.0
    assert reward.version == two.version
    shelf.promote("")
    clock.now = 2.0
    assert reward.version == ""
    assert shelf.looks == 3


def test_head_and_style_add_up(shelf: Shelf) -> None:
    head = saved(shelf, "one", 1)
    shelf.promote("one")
    wanted = Conditioning(objectives={"brevity": -1.0})
    reward = active(shelf, Clock())
    style = ActiveReward(artifacts=shelf, space=SPACE).score(CONTEXT, wanted, DRAFTS)
    learned = head.score(CONTEXT, wanted, DRAFTS)
    assert reward.score(CONTEXT, wanted, DRAFTS) == [
        a + b for a, b in zip(learned, style, strict=True)
    ]


def test_differences_of_another_head_are_left_out(shelf: Shelf) -> None:
    head = saved(shelf, "one", 1)
    shelf.promote("one")
    reward = active(shelf, Clock())
    delta = head.difference(PAIR)
    assert reward.posterior([delta, (1.0,)], [1.0, 1.0]) == head.posterior([delta], [1.0])


def test_a_damaged_head_is_an_error_until_it_is_replaced(shelf: Shelf) -> None:
    saved(shelf, "one", 1)
    (shelf.root / "one" / WEIGHTS).write_bytes(b"")
    shelf.promote("one")
    reward = active(shelf, Clock())
    for _ in range(2):
        with pytest.raises(ModelFileError):
            reward.score(CONTEXT, Conditioning(), DRAFTS)
    two = saved(shelf, "two", 2)
    shelf.promote("two")
    assert reward.version == two.version


def test_many_threads_see_whole_heads(shelf: Shelf) -> None:
    heads = {saved(shelf, name, seed).version for name, seed in (("one", 1), ("two", 2))}
    shelf.promote("one")
    reward = ActiveReward(artifacts=shelf, encoder=Letters(), space=SPACE, seconds=0.0)

    def look(turn: int) -> str:
        shelf.promote("one" if turn % 2 else "two")
        found = reward.head()
        assert found is not None
        return found.version

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(200))) <= heads


def test_reasons_add_up_to_the_scores(shelf: Shelf) -> None:
    wishes = Conditioning(objectives={"brevity": -0.8})
    saved(shelf, "red", 0)
    for promoted in ("", "red"):
        shelf.promoted = promoted
        reward = active(shelf, Clock())
        assert isinstance(reward, Explains)
        scores = reward.score(CONTEXT, wishes, DRAFTS)
        reasons = reward.explain(CONTEXT, wishes, DRAFTS)
        assert [sum(own.values()) for own in reasons] == pytest.approx(scores)
        assert all("wish: brevity" in own for own in reasons)
        assert any(name.startswith("person: ") for name in reasons[0]) is bool(promoted)
        sizes = [abs(value) for value in reasons[0].values()]
        assert sizes == sorted(sizes, reverse=True)
        assert reward.explain(CONTEXT, wishes, []) == []
