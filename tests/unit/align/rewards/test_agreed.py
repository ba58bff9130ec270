"""What everyone agrees on: the features, and the very text where it was met."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from befit.align.rewards.agreed import Agreed, agree, met, refit
from befit.align.rewards.blind import bradley_terry
from befit.align.rewards.pairs import Array, Pairs, Person, Population, Texts
from befit.core.errors import NotEnoughFeedbackError
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.features.recognition import digest
from befit.testing.rewards import LetterEncoder, population

NAMES = [f"text {chr(97 + i % 26)}{'xyz'[i % 3]} {i}" for i in range(40)]


def crowd(worth: Array, people: int, seed: int, pairs: int = 20) -> Population:
    """People who compare the same texts, of the worth given, and are right by chance."""
    texts = Texts(NAMES, FeatureMap(LetterEncoder(), style_weight=0.0))
    rng = np.random.default_rng(seed)
    made = {}
    for number in range(people):
        own = []
        for _ in range(pairs):
            a, b = rng.choice(30, 2, replace=False)  # the last ten texts are met by nobody
            if rng.random() > 1.0 / (1.0 + np.exp(worth[b] - worth[a])):
                a, b = b, a
            own.append(Pair(prompt="", chosen=NAMES[a], rejected=NAMES[b]))
        made[f"u{number:03d}"] = Person(pairs=Pairs.of(texts, own))
    return Population(texts=texts, people=made)


WORTH = np.random.default_rng(5).normal(0.0, 1.5, 40)


def test_the_worth_of_a_text_beyond_its_features_is_found() -> None:
    found = agree(crowd(WORTH, 60, 0), crowd(WORTH, 20, 1))
    utility = found.effects[:30] + crowd(WORTH, 1, 0).texts.vectors[:30] @ found.weights
    assert np.isfinite(found.shrink)
    assert np.corrcoef(utility, WORTH[:30])[0, 1] > 0.95
    assert (found.effects[30:] == 0.0).all()


def test_without_items_only_features_count() -> None:
    found = agree(crowd(WORTH, 30, 0), crowd(WORTH, 10, 1), items=False)
    assert not found.effects.any()
    assert found.shrink == np.inf


def test_features_alone_are_a_ridge_bradley_terry_model() -> None:
    people = crowd(WORTH, 20, 2)
    found = refit(people, 3.0, np.inf)
    x = people.joined()[0].differences
    exact = bradley_terry(x, 3.0, np.zeros(x.shape[1]))
    assert x @ found.weights == pytest.approx(x @ exact, abs=0.02)


def test_nobody_helps_to_say_what_others_think_of_their_pairs() -> None:
    people = crowd(WORTH, 8, 3)
    users = list(people.people)
    turned = {
        **people.people,
        users[0]: Person(pairs=people.people[users[0]].pairs.swapped()),
    }
    other = Population(texts=people.texts, people=turned)
    fixed = Agreed(weights=np.zeros(0), effects=np.zeros(0), shrink=1.0, ridge=3.0)
    pairs, owners = people.joined()
    mine = owners == 0
    before = fixed.of_others(people, pairs, owners)
    after = fixed.of_others(other, pairs, owners)
    assert (before[mine] == after[mine]).all()
    assert not np.allclose(before[~mine], after[~mine])


def test_a_text_is_met_when_two_people_compared_it() -> None:
    texts = Texts(NAMES[:4], FeatureMap(LetterEncoder()))

    def person(a: int, b: int) -> Person:
        return Person(
            pairs=Pairs.of(texts, [Pair(prompt="", chosen=NAMES[a], rejected=NAMES[b])] * 3)
        )

    people = Population(texts=texts, people={"a": person(0, 1), "b": person(1, 2)})
    assert met(people).tolist() == [False, True, False, False]


def test_no_pairs_is_a_typed_error() -> None:
    texts = Texts(NAMES, FeatureMap(LetterEncoder()))
    nobody = Population(texts=texts, people={"a": Person(pairs=Pairs.of(texts, []))})
    with pytest.raises(NotEnoughFeedbackError):
        agree(nobody, population(4))


@given(st.text())
def test_what_a_text_is_recognised_by_is_short_and_always_the_same(text: str) -> None:
    assert len(digest(text)) == 16
    assert digest(text) == digest(text)
    assert digest(text) != digest(text + "\ud800")
