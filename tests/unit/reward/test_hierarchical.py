"""The personal reward: exact fallback, antisymmetry, never backfiring, and files that keep bits."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.gaussian import pack
from befit.belief.logistic import rank_one
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import ModelFileError
from befit.core.people import UserId
from befit.core.preference import Gaussian, Pair
from befit.core.protocols import RewardModel, Taste
from befit.features.feature_map import FeatureMap
from befit.reward.hierarchical import FACTS, WEIGHTS, HierarchicalReward, state_bytes

CONTEXT = Context(user=UserId("ada"), messages=(), at=datetime(2026, 1, 1, tzinfo=UTC))
RANK = 4
TEXTS = st.text(alphabet="ab. -\n!?", min_size=1, max_size=40)


class Letters:
    """How often each of four letters comes, as a unit vector."""

    width = 4

    def __init__(self, name: str = "letters") -> None:
        self.name = name

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        counts = np.array([[1.0 + text.count(letter) for letter in "ab.!"] for text in texts])
        rows: list[list[float]] = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).tolist()
        return rows


def reward(seed: int = 0, encoder: Letters | None = None) -> HierarchicalReward:
    features = FeatureMap(encoder or Letters())
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(RANK, RANK))
    return HierarchicalReward(
        features=features,
        basis=rng.normal(size=(RANK, features.width)),
        mean=rng.normal(size=RANK),
        covariance=root @ root.T + 0.1 * np.eye(RANK),
        typical=0.7,
    )


HEAD = reward()


def drafts(*texts: str) -> list[Draft]:
    return [Draft(text=text, policy="test") for text in texts]


def test_it_is_a_reward_and_a_taste() -> None:
    assert isinstance(HEAD, RewardModel)
    assert isinstance(HEAD, Taste)


def test_who_said_nothing_has_exactly_the_population() -> None:
    pair = Pair(prompt="", chosen="aaa", rejected="bbb.")
    assert HEAD.posterior([], []) == HEAD.prior
    assert HEAD.predict(pair) == HEAD.predict(pair, HEAD.prior)
    mine = Conditioning(taste=HEAD.prior)
    two = drafts("aaa", "bbb.")
    assert HEAD.score(CONTEXT, mine, two) == HEAD.score(CONTEXT, Conditioning(), two)
    assert HEAD.uncertainty(CONTEXT, mine, two) == HEAD.uncertainty(CONTEXT, Conditioning(), two)


@given(chosen=TEXTS, rejected=TEXTS)
def test_the_sides_of_a_pair_mirror(chosen: str, rejected: str) -> None:
    there = HEAD.difference(Pair(prompt="", chosen=chosen, rejected=rejected))
    back = HEAD.difference(Pair(prompt="", chosen=rejected, rejected=chosen))
    assert np.allclose(there, -np.array(back))
    there_p = HEAD.predict(Pair(prompt="", chosen=chosen, rejected=rejected))
    back_p = HEAD.predict(Pair(prompt="", chosen=rejected, rejected=chosen))
    assert there_p + back_p == pytest.approx(1.0)


@given(chosen=TEXTS, rejected=TEXTS, more=st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_saying_so_never_makes_it_less_likely_to_be_preferred(
    chosen: str, rejected: str, more: list[tuple[str, str]]
) -> None:
    pair = Pair(prompt="", chosen=chosen, rejected=rejected)
    others = [HEAD.difference(Pair(prompt="", chosen=a, rejected=b)) for a, b in more]
    delta = np.array(HEAD.difference(pair))
    before = HEAD.posterior(others, [1.0] * len(others))
    after = HEAD.posterior([*others, tuple(delta)], [1.0] * (len(others) + 1))
    assert np.array(after.mean) @ delta >= np.array(before.mean) @ delta - 1e-4


@given(texts=st.lists(TEXTS, min_size=1, max_size=5), seed=st.integers(0, 99))
def test_scores_order_drafts_whatever_else_is_asked(texts: list[str], seed: int) -> None:
    head = reward(seed)
    scores = np.array(head.score(CONTEXT, Conditioning(), drafts(*texts)))
    doubts = np.array(head.uncertainty(CONTEXT, Conditioning(), drafts(*texts)))
    more = np.array(head.score(CONTEXT, Conditioning(), drafts(*texts, "a - b!")))
    assert np.allclose(scores - scores[0], more[:-1] - more[0], atol=1e-9)
    assert scores.sum() == pytest.approx(0.0, abs=1e-9)
    assert (doubts >= 0.0).all()


def test_scores_and_predictions_agree_on_which_is_better() -> None:
    a, b = HEAD.score(CONTEXT, Conditioning(), drafts("aaa", "b. b. b!"))
    assert (a > b) == (HEAD.predict(Pair(prompt="", chosen="aaa", rejected="b. b. b!")) > 0.5)


def test_two_equal_drafts_are_certainly_equal() -> None:
    two = drafts("same", "same")
    assert HEAD.score(CONTEXT, Conditioning(), two) == [0.0, 0.0]
    assert HEAD.uncertainty(CONTEXT, Conditioning(), two) == [0.0, 0.0]
    assert HEAD.predict(Pair(prompt="", chosen="same", rejected="same")) == 0.5


def test_no_draft_has_no_score() -> None:
    assert HEAD.score(CONTEXT, Conditioning(), []) == []
    assert HEAD.uncertainty(CONTEXT, Conditioning(), []) == []


def test_a_reaction_narrows_the_doubt_of_what_it_was_about() -> None:
    pair = Pair(prompt="", chosen="aaa", rejected="b. b!")
    taste = HEAD.posterior([HEAD.difference(pair)] * 4, [1.0] * 4)
    two = drafts("aaa", "b. b!")
    known = HEAD.uncertainty(CONTEXT, Conditioning(taste=taste), two)
    unknown = HEAD.uncertainty(CONTEXT, Conditioning(), two)
    assert max(known) < max(unknown)
    assert HEAD.predict(pair, taste) > HEAD.predict(pair)


def test_the_online_update_says_what_the_refit_says() -> None:
    pair = Pair(prompt="", chosen="aaa", rejected="b. b!")
    delta = HEAD.difference(pair)
    online = pack(*rank_one(HEAD.mean, HEAD.covariance, np.array(delta)))
    whole = HEAD.posterior([delta], [1.0])
    assert HEAD.predict(pair, online) == pytest.approx(HEAD.predict(pair, whole), abs=1e-3)


def test_a_taste_of_another_head_counts_as_none() -> None:
    two = drafts("aaa", "bbb.")
    foreign = Conditioning(taste=Gaussian((5.0,), (1.0,)))
    assert HEAD.score(CONTEXT, foreign, two) == HEAD.score(CONTEXT, Conditioning(), two)


def test_a_persons_state_is_under_a_kilobyte() -> None:
    assert state_bytes(16) == 608
    head = reward()
    numbers = len(head.prior.mean) + len(head.prior.covariance)
    assert state_bytes(RANK) == np.zeros(numbers, dtype=np.float32).nbytes


def test_saving_and_loading_changes_no_bit(tmp_path: Path) -> None:
    HEAD.save(tmp_path / "head")
    back = HierarchicalReward.load(tmp_path / "head", Letters())
    assert back.version == HEAD.version
    assert back.prior == HEAD.prior
    pair = Pair(prompt="", chosen="aaa", rejected="b. b!")
    assert back.difference(pair) == HEAD.difference(pair)
    assert back.predict(pair) == HEAD.predict(pair)
    assert reward(1).version != HEAD.version


@pytest.mark.parametrize("name", [WEIGHTS, FACTS])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "noise"])
def test_a_damaged_file_is_a_typed_error(tmp_path: Path, name: str, damage: str) -> None:
    HEAD.save(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        harmed = {"empty": b"", "cut": content[: len(content) // 2], "noise": bytes(range(256))}
        path.write_bytes(harmed[damage])
    with pytest.raises(ModelFileError) as caught:
        HierarchicalReward.load(tmp_path, Letters())
    assert "learn" in caught.value.hint


def test_a_changed_weight_is_noticed(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    content = bytearray((tmp_path / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelFileError, match="not what was saved"):
        HierarchicalReward.load(tmp_path, Letters())


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    with pytest.raises(ModelFileError, match="learned on letters"):
        HierarchicalReward.load(tmp_path, Letters("other"))


def test_facts_of_another_shape_are_refused(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    (tmp_path / FACTS).write_text(json.dumps(["not", "facts"]))
    with pytest.raises(ModelFileError):
        HierarchicalReward.load(tmp_path, Letters())
