"""The default: the crowd at first, then the person; deaf to a history only where nobody differs."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

from befit.align.rewards.default import SLOPES, Default, DefaultFit, DefaultNoItem, steadied
from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Pairs, Person, Population, Texts
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder, check_method, population

NAMES = [f"text {i}" for i in range(24)]  # letters do not tell them apart


def alike(people: int, seed: int, steep: float = 1.0) -> Population:
    """People who all think the same of some texts, whatever their features."""
    worth = steep * np.random.default_rng(9).permutation(np.linspace(-2.0, 2.0, len(NAMES)))
    texts = Texts(NAMES, FeatureMap(LetterEncoder(), style_weight=0.0))
    rng = np.random.default_rng(seed)
    made = {}
    for number in range(people):
        at = rng.permutation(len(NAMES)).reshape(-1, 2)
        right = rng.random(len(at)) < sigmoid(worth[at[:, 0]] - worth[at[:, 1]])
        own = [
            Pair(prompt="", chosen=NAMES[a if yes else b], rejected=NAMES[b if yes else a])
            for (a, b), yes in zip(at.tolist(), right, strict=True)
        ]
        made[f"{seed}-{number}"] = Person(pairs=Pairs.of(texts, own))
    return Population(texts=texts, people=made)


def hit_rate(fitted: DefaultFit, people: Population, shown: int) -> float:
    """Mean share of what is asked after ``shown`` pairs that is predicted."""
    found = []
    for person in people:
        history = replace(person, pairs=person.pairs.take(slice(0, shown)))
        (state,) = fitted.adapt([history])
        logits = fitted.logits(state, person.pairs.take(slice(8, None)))
        found.append(float(((logits > 0.0) + 0.5 * (logits == 0.0)).mean()))
    return float(np.mean(found))


@pytest.fixture(scope="module")
def fitted() -> DefaultFit:
    everyone = population(30)
    users = list(everyone.people)
    return Default(steps=100).fit(everyone.part(users[:20]), everyone.part(users[20:]), seed=0)


def test_without_items_it_keeps_the_promises_too() -> None:
    check_method(DefaultNoItem(steps=60), "befit.align.rewards.default:DefaultNoItem")


def test_a_few_pairs_tell_opposite_tastes_apart(fitted: DefaultFit) -> None:
    strangers = population(12, seed=7)
    assert hit_rate(fitted, strangers, 0) < 0.8
    assert hit_rate(fitted, strangers, 4) > 0.95


def test_a_state_is_at_most_a_kilobyte(fitted: DefaultFit) -> None:
    assert 4 * (len(fitted.prior.mean) + len(fitted.prior.covariance)) <= 1000


def test_the_rank_counts_what_everyone_thinks(fitted: DefaultFit) -> None:
    assert len(fitted.mean) <= Default().rank
    assert fitted.basis.shape[0] == len(fitted.mean)


def test_a_posterior_is_a_fold_to_the_bit(fitted: DefaultFit) -> None:
    person = population(2, seed=3).people["u0"]
    order = np.random.default_rng(0).permutation(len(person.pairs))
    turned = replace(person, pairs=person.pairs.take(order))
    ones, others = fitted.adapt([person]), fitted.adapt([turned])
    assert ones == others
    (nobody,) = fitted.adapt([replace(person, pairs=person.pairs.take([]))])
    assert nobody == fitted.prior


def test_what_others_thought_of_the_very_text_is_known_with_items_alone() -> None:
    train, aside, strangers = alike(40, 0), alike(12, 1), alike(12, 2, steep=50.0)
    own = Default(steps=40).fit(train, aside, seed=0)
    plain = DefaultNoItem(steps=40).fit(train, aside, seed=0)
    assert own.known
    assert not plain.known
    assert hit_rate(own, strangers, 0) > 0.85
    assert hit_rate(plain, strangers, 0) == pytest.approx(0.5, abs=0.2)


def test_where_nobody_differs_a_history_hardly_counts() -> None:
    fitted = Default(steps=40).fit(alike(60, 0), alike(30, 1), seed=0)
    person = next(iter(alike(1, 2)))
    history = replace(person, pairs=person.pairs.take(slice(0, 6)))
    query = person.pairs.take(slice(6, None))
    own, crowd = fitted.adapt([history])[0], fitted.prior
    moved = np.abs(sigmoid(fitted.logits(own, query)) - sigmoid(fitted.logits(crowd, query)))
    assert moved.max() < 0.1


def test_no_text_stands_in_what_is_kept(fitted: DefaultFit) -> None:
    assert fitted.known
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in fitted.known)


def test_few_people_hardly_move_the_slope_and_many_do() -> None:
    gain = np.array([0.01 * slope for slope in SLOPES])  # a steeper slope is a little better
    one, few, many = (
        SLOPES[int(np.argmin(steadied(np.repeat(0.6 - gain[:, None], count, axis=1))))]
        for count in (1, 100, 3000)
    )
    assert one == 1.0
    assert one < few < many == SLOPES[-1]
