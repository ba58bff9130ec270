"""Reasons have names and add up to what they explain."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("scipy")

from befit.align.rewards.default import Default, DefaultFit
from befit.align.rewards.pairs import Pairs, Texts
from befit.core.preference import Pair
from befit.features.explaining import names
from befit.features.style import FEATURES
from befit.testing.rewards import population


@pytest.fixture(scope="module")
def fitted() -> DefaultFit:
    everyone = population(30)
    users = list(everyone.people)
    return Default(steps=60).fit(everyone.part(users[:20]), everyone.part(users[20:]), seed=0)


def test_the_parts_add_up_to_the_logit_whoever_asks(fitted: DefaultFit) -> None:
    for person in population(4, seed=5):
        history = replace(person, pairs=person.pairs.take(slice(0, 6)))
        state, query = fitted.adapt([history])[0], person.pairs.take(slice(6, None))
        told = fitted.explain(state, query)
        assert [sum(each.values()) for each in told] == pytest.approx(fitted.logits(state, query))
        assert all(len(each) == 2 * len(names(query.texts.features)) for each in told)


def test_who_said_nothing_differs_in_nothing(fitted: DefaultFit) -> None:
    query = population(2, seed=5).people["u0"].pairs
    for told in fitted.explain(fitted.prior, query):
        assert not any(value for name, value in told.items() if name.startswith("person: "))


def test_who_likes_it_short_is_told_so(fitted: DefaultFit) -> None:
    short, long = (population(2, seed=6).people[user] for user in ("u0", "u1"))
    states = fitted.adapt(
        [replace(each, pairs=each.pairs.take(slice(0, 8))) for each in (short, long)]
    )
    query = short.pairs.take(slice(8, None))  # the chosen texts are the short ones
    style = [f"person: {name}" for name in ("length", "paragraph_length")]
    one, other = (
        np.mean([[told[name] for name in style] for told in fitted.explain(state, query)])
        for state in states
    )
    assert one > 0.0 > other


def test_turning_a_pair_round_turns_every_part(fitted: DefaultFit) -> None:
    person = population(2, seed=5).people["u1"]
    (state,) = fitted.adapt([person])
    given, turned = (fitted.explain(state, p) for p in (person.pairs, person.pairs.swapped()))
    for one, other in zip(given, turned, strict=True):
        assert one == pytest.approx({name: -value for name, value in other.items()})


class Given:
    """Features that have no names."""

    name, width = "given", 3

    def vectors(self, _prompts: object, texts: list[str]) -> object:
        return np.eye(3)[: len(texts)]


def test_features_without_names_are_meaning() -> None:
    texts = Texts(["a", "b"], Given())  # type: ignore[arg-type]
    fitted = DefaultFit(
        basis=np.array([[1.0, -2.0, 0.0]]),
        own=np.zeros((0, 1)),
        known=(),
        mean=np.ones(1),
        covariance=np.full((1, 1), 1e-12),
    )
    pairs = Pairs.of(texts, [Pair(prompt="", chosen="a", rejected="b")])
    (told,) = fitted.explain(fitted.prior, pairs)
    assert told["everyone: meaning"] == pytest.approx(3.0)
    assert len(told) == 4
    assert names(population(2).texts.features)[: len(FEATURES)] == FEATURES
