"""How readily people tie is found from their ties, and predicts the next ones."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

from befit.align.rewards.default import Default, DefaultFit
from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Array, Pairs, Person, Population, Texts
from befit.align.rewards.strictness import answered, joint, strictness
from befit.belief.ties import chances
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder

MEAN, COVARIANCE = np.zeros(2), 0.5 * np.eye(2)
NAMES = [f"text {i}" for i in range(40)]


def answers(threshold: float, seed: int, count: int = 60) -> tuple[Array, np.ndarray, Array]:
    """Comparisons of somebody with a threshold, the preferred side named first."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2))
    d = x @ rng.normal(0.0, np.sqrt(0.5), 2)
    said = np.array([rng.choice(3, p=p) for p in chances(d, threshold)])
    return np.where((said == 1)[:, None], -x, x), said == 2, np.ones(count)


def test_the_thresholds_of_a_population_are_found() -> None:
    rng = np.random.default_rng(0)
    people = [answers(t, i) for i, t in enumerate(rng.normal(0.5, 1.2, 80))]
    mean, variance = strictness(MEAN, COVARIANCE, people)
    assert mean == pytest.approx(0.5, abs=0.35)
    assert variance == pytest.approx(1.44, rel=0.5)


def test_few_ties_are_as_good_as_none() -> None:
    x, _, w = answers(0.0, 1)
    tied = np.arange(len(w)) < 19
    assert strictness(MEAN, COVARIANCE, [(x, tied, w)]).shape == (0,)
    assert strictness(MEAN, COVARIANCE, []).shape == (0,)


def test_a_taste_and_a_threshold_are_believed_in_apart() -> None:
    mean, covariance = joint(MEAN, COVARIANCE, np.array([0.3, 2.0]))
    assert mean.tolist() == [0.0, 0.0, 0.3]
    assert (covariance[:2, :2] == COVARIANCE).all()
    assert covariance[2].tolist() == [0.0, 0.0, 2.0]


def tying(people: int, seed: int) -> Population:
    """Every other person ties nearly always, the rest never; all agree what is better."""
    texts = Texts(NAMES, FeatureMap(LetterEncoder(), style_weight=0.0))
    worth = np.random.default_rng(9).normal(0.0, 1.5, len(NAMES))
    rng, made = np.random.default_rng(seed), {}
    for number in range(people):
        at = rng.permutation(len(NAMES)).reshape(-1, 2)
        first = rng.random(len(at)) < sigmoid(worth[at[:, 0]] - worth[at[:, 1]])
        own = [
            Pair(prompt="", chosen=NAMES[a if yes else b], rejected=NAMES[b if yes else a])
            for (a, b), yes in zip(at.tolist(), first, strict=True)
        ]
        neither = (number % 2 == 0) & (rng.random(len(at)) < 0.8)
        preferred = np.where(neither, 0.5, 1.0).tolist()
        made[f"{seed}-{number}"] = Person(pairs=Pairs.of(texts, own, preferred=preferred))
    return Population(texts=texts, people=made)


@pytest.fixture(scope="module")
def fitted() -> DefaultFit:
    return Default(steps=0).fit(tying(40, 0), tying(16, 1), seed=0)


def test_ties_tell_who_will_tie(fitted: DefaultFit) -> None:
    one, other = tying(2, 2)
    states = fitted.adapt([Person(pairs=each.pairs.take(slice(0, 8))) for each in (one, other)])
    query = other.pairs.take(slice(8, None))
    readily, never = (fitted.ties(state, query).mean() for state in states)
    nobody = fitted.ties(fitted.prior, query).mean()
    assert never < 0.15 < nobody < 0.65 < readily
    assert fitted.ties(states[0], query) == pytest.approx(fitted.ties(states[0], query.swapped()))


def test_who_said_nothing_is_still_the_crowd_and_no_tie_is_a_taste(fitted: DefaultFit) -> None:
    assert len(fitted.prior.mean) == len(fitted.mean) + 1
    (nobody,) = fitted.adapt([Person(pairs=Pairs.of(tying(1, 2).texts, []))])
    assert nobody == fitted.prior
    pairs = next(iter(tying(1, 2))).pairs
    assert len(fitted.spread(nobody, pairs)) == len(pairs)
    assert len(answered(pairs)) == len(pairs)


def test_where_nobody_ties_a_state_is_a_taste_alone() -> None:
    people = [tying(12, seed) for seed in (3, 4)]
    one, other = (
        Population(
            texts=each.texts,
            people={u: Person(pairs=p.pairs.decided()) for u, p in each.people.items()},
        )
        for each in people
    )
    fitted = Default(steps=0).fit(one, other, seed=0)
    assert not len(fitted.threshold)
    assert len(fitted.prior.mean) == len(fitted.mean)
    assert not fitted.ties(fitted.prior, next(iter(one)).pairs).any()
