"""The personal reward: exact fallback, antisymmetry, never backfiring, and files that keep bits."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.gaussian import pack
from befit.belief.logistic import rank_one
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.errors import ModelError, ModelFileError
from befit.core.people import UserId
from befit.core.preference import Gaussian, Pair
from befit.core.protocols import RewardModel, Taste
from befit.features.feature_map import FeatureMap
from befit.features.recognition import digest
from befit.reward import hierarchical
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
        own=rng.normal(size=(2, RANK)),
        known=(digest("met"), digest("aaa")),
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


@given(texts=st.tuples(TEXTS | st.just("met"), TEXTS, TEXTS))
def test_the_gap_of_two_scores_is_the_logit_of_their_pair(texts: tuple[str, str, str]) -> None:
    taste = HEAD.posterior([HEAD.difference(Pair(prompt="", chosen="aaa", rejected="b"))], [1.0])
    scores = HEAD.score(CONTEXT, Conditioning(taste=taste), drafts(*texts))
    delta = HEAD.difference(Pair(prompt="", chosen=texts[0], rejected=texts[1]))
    assert scores[0] - scores[1] == pytest.approx(np.dot(taste.mean, delta), abs=1e-9)


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_differences_add_up(a: str, b: str, c: str) -> None:
    first, second, both = HEAD.differences(
        [Pair(prompt="", chosen=x, rejected=y) for x, y in ((a, b), (b, c), (a, c))]
    )
    assert np.allclose(first + second, both, atol=1e-9)
    assert HEAD.difference(Pair(prompt="", chosen=a, rejected=b)) == pytest.approx(tuple(first))


def test_a_text_that_was_met_is_worth_more_than_its_features() -> None:
    """By exactly what it has of its own; a text of the same features that is new has nothing."""
    met, new = "aab", "aba"
    own = np.arange(1.0, RANK + 1.0)
    head = HierarchicalReward(
        features=HEAD.features,
        basis=HEAD.basis,
        mean=HEAD.mean,
        covariance=HEAD.covariance,
        own=own[None],
        known=(digest(met),),
    )
    assert head.difference(Pair(prompt="", chosen=met, rejected=new)) == pytest.approx(tuple(own))
    a, b = head.score(CONTEXT, Conditioning(), drafts(met, new))
    assert a - b == pytest.approx(float(own @ head.mean))


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


def _told(count: int, seed: int = 0) -> tuple[list[tuple[float, ...]], list[float]]:
    rng = np.random.default_rng(seed)
    told = [tuple(row) for row in rng.normal(size=(count, RANK)).tolist()]
    return told, rng.choice([0.25, 0.5, 1.0], count).tolist()


def test_of_very_many_comparisons_the_weightiest_are_folded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hierarchical, "MOST_FOLDED", 40)
    told, weights = _told(100)
    folded = HEAD.posterior(told, weights)
    order = np.random.default_rng(1).permutation(100).tolist()
    assert HEAD.posterior([told[i] for i in order], [weights[i] for i in order]) == folded
    heavy = [i for i, weight in enumerate(weights) if weight == 1.0]
    assert len(heavy) < 40
    moved = [0.25 if weight == 0.25 else 0.01 for weight in weights]
    without = HEAD.posterior(told, [1.0 if i in heavy else moved[i] for i in range(100)])
    assert without != folded
    light = [i for i, weight in enumerate(weights) if weight == 0.25]
    assert 100 - len(light) >= 40  # so that none of the lightest is among the 40
    assert HEAD.posterior(told, [0.1 if i in light else weights[i] for i in range(100)]) == folded


def test_a_million_reactions_are_a_state_like_any_other() -> None:
    told = [(1.0, -0.5, 0.25, 0.0), (-0.5, 1.0, 0.0, 0.125)] * 500_000
    taste = HEAD.posterior(told, [1.0] * len(told))
    assert np.isfinite([*taste.mean, *taste.covariance]).all()
    assert np.dot(taste.mean, told[0]) > 3.0
    assert np.dot(taste.mean, told[1]) > 3.0
    rng = np.random.default_rng(0)
    wanted, rows = np.array([1.0, -1.0, 0.5, 0.0]), rng.normal(size=(60_000, RANK))
    rows *= np.where(rng.random(len(rows)) < 1 / (1 + np.exp(-rows @ wanted)), 1.0, -1.0)[:, None]
    differing = HEAD.posterior(list(map(tuple, rows.tolist())), [1.0] * len(rows))
    assert np.allclose(differing.mean, wanted, atol=0.15)


def test_reactions_all_alike_say_one_thing_ever_more_surely() -> None:
    delta = HEAD.difference(Pair(prompt="", chosen="a", rejected="b. b!"))
    few, many = (HEAD.posterior([delta] * n, [1.0] * n) for n in (2, 2_000))
    assert np.dot(HEAD.mean, delta) < np.dot(few.mean, delta) < np.dot(many.mean, delta) < 20.0


def test_reactions_that_contradict_one_another_leave_an_even_chance() -> None:
    pair = Pair(prompt="", chosen="a", rejected="b. b!")
    delta = HEAD.difference(pair)
    back = tuple(-x for x in delta)
    taste = HEAD.posterior([delta, back] * 500, [1.0] * 1000)
    assert HEAD.predict(pair, taste) == pytest.approx(0.5, abs=0.02)


def test_a_text_beside_itself_leaves_exactly_the_prior() -> None:
    delta = HEAD.difference(Pair(prompt="", chosen="aab", rejected="aab"))
    assert HEAD.posterior([delta] * 3, [1.0] * 3) == HEAD.prior


def test_an_empty_text_is_a_text() -> None:
    assert 0.0 < HEAD.predict(Pair(prompt="", chosen="", rejected="b. b!")) < 1.0
    assert np.isfinite(HEAD.score(CONTEXT, Conditioning(), drafts("", "b"))).all()


def test_features_that_are_no_numbers_are_a_typed_error() -> None:
    class Broken(Letters):
        def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
            return [[float("nan")] * self.width for _ in texts]

    head = reward(encoder=Broken())
    asked: list[Callable[[], object]] = [
        lambda: head.score(CONTEXT, Conditioning(), drafts("a", "b")),
        lambda: head.uncertainty(CONTEXT, Conditioning(), drafts("a", "b")),
        lambda: head.difference(Pair(prompt="", chosen="a", rejected="b")),
    ]
    for ask in asked:
        with pytest.raises(ModelError) as caught:
            ask()
        assert caught.value.field == "encoder"
        assert caught.value.hint


def test_arrays_that_do_not_fit_are_no_head() -> None:
    for wrong in (
        {"basis": HEAD.basis[:, 1:]},
        {"mean": HEAD.mean[1:]},
        {"covariance": HEAD.covariance * np.nan},
        {"known": ("0" * 16,)},
    ):
        with pytest.raises(ValueError, match=r"shape|no number"):
            replace(HEAD, **wrong)


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
    assert back.known == HEAD.known
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
    content[-100] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelFileError, match="not what was saved"):
        HierarchicalReward.load(tmp_path, Letters())


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    with pytest.raises(ModelFileError, match="learned on letters"):
        HierarchicalReward.load(tmp_path, Letters("other"))


def test_an_encoder_of_another_width_is_refused(tmp_path: Path) -> None:
    HEAD.save(tmp_path)

    class Wider(Letters):
        width = 5

    with pytest.raises(ModelFileError, match="shape") as caught:
        HierarchicalReward.load(tmp_path, Wider())
    assert caught.value.field == "folder"


def test_a_head_of_an_older_version_is_to_be_learned_again(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps({**facts, "format": 1}))
    with pytest.raises(ModelFileError, match="format 1") as caught:
        HierarchicalReward.load(tmp_path, Letters())
    assert "befit learn" in caught.value.hint


def test_facts_of_another_shape_are_refused(tmp_path: Path) -> None:
    HEAD.save(tmp_path)
    (tmp_path / FACTS).write_text(json.dumps(["not", "facts"]))
    with pytest.raises(ModelFileError):
        HierarchicalReward.load(tmp_path, Letters())
