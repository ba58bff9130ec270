"""The rules of asking: what they value, what they cannot see, and that they find out sooner."""

from math import log, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.align.rewards.asking import RULES, bald, d_optimal, rule_named, values
from befit.align.rewards.blind import RandomGuess
from befit.align.rewards.default import Default
from befit.core.errors import InputError, UnknownComponentError
from befit.testing.rewards import population

logits = st.floats(-8.0, 8.0)
doubts = st.floats(0.0, 6.0)


def one(name: str, mean: float, deviation: float) -> float:
    return float(RULES[name](np.array([mean]), np.array([deviation]))[0])


@given(st.sampled_from(sorted(RULES)), logits, doubts)
def test_the_other_side_first_is_the_same_question(
    name: str, mean: float, deviation: float
) -> None:
    assert one(name, mean, deviation) == pytest.approx(one(name, -mean, deviation), abs=1e-9)


@given(st.sampled_from(sorted(RULES)), logits, doubts)
def test_what_is_known_is_worth_nothing_and_doubt_is_worth_more(
    name: str, mean: float, deviation: float
) -> None:
    assert one(name, mean, 0.0) == pytest.approx(0.0, abs=1e-9)
    assert one(name, mean, deviation) >= -1e-12
    if name != "bald":  # where one is nearly sure, more doubt may still be less of a surprise
        assert one(name, mean, deviation + 1.0) > one(name, mean, deviation)


@given(st.sampled_from(sorted(RULES)), doubts)
def test_of_two_as_doubtful_the_more_even_is_asked(name: str, deviation: float) -> None:
    assert one(name, 0.0, deviation + 0.1) > one(name, 3.0, deviation + 0.1)


def test_bald_is_the_information_found_by_sampling() -> None:
    rng = np.random.default_rng(0)
    for mean, deviation in ((0.0, 1.0), (1.0, 2.0), (-2.0, 0.5)):
        p = 1.0 / (1.0 + np.exp(-(mean + deviation * rng.standard_normal(400_000))))

        def entropy(q: np.ndarray) -> np.ndarray:
            return np.asarray(-(q * np.log(q) + (1 - q) * np.log(1 - q)))

        sampled = entropy(np.array(p.mean())) - entropy(p).mean()
        found = bald(np.array([mean]), np.array([deviation]))[0]
        assert found == pytest.approx(float(sampled), abs=1e-3)
        assert found < log(2)


def test_d_optimal_is_what_the_posterior_loses_in_volume() -> None:
    rng = np.random.default_rng(1)
    root, x = rng.standard_normal((4, 4)), rng.standard_normal(4)
    covariance, mean = root @ root.T, 0.7
    slope = 1.0 / (1.0 + np.exp(-mean)) * (1.0 - 1.0 / (1.0 + np.exp(-mean)))
    after = np.linalg.inv(np.linalg.inv(covariance) + slope * np.outer(x, x))
    lost = np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(after)[1]
    deviation = np.sqrt([x @ covariance @ x])
    assert d_optimal(np.array([mean]), deviation)[0] == pytest.approx(lost)


def test_the_moderation_of_calibrated_logits_is_undone() -> None:
    everyone = population()
    users = sorted(everyone.people)
    fitted = Default(rank=3).fit(everyone.part(users[:10]), everyone.part(users[10:]), seed=0)
    (state,) = fitted.adapt([everyone.people[users[0]]])
    query = everyone.people[users[1]].pairs
    deviation = fitted.spread(state, query)
    mean = fitted.logits(state, query) * np.sqrt(1.0 + pi * deviation**2 / 8.0)
    assert values(fitted, state, query, "bald") == pytest.approx(bald(mean, deviation))
    turned = values(fitted, state, query.swapped(), "bald")
    assert turned == pytest.approx(values(fitted, state, query, "bald"))


def test_an_unknown_rule_and_a_method_without_doubts_are_refused() -> None:
    with pytest.raises(UnknownComponentError) as caught:
        rule_named("bold")
    assert "bald" in caught.value.hint
    everyone = population(4, 4)
    fitted = RandomGuess().fit(everyone, everyone, seed=0)
    (state,) = fitted.adapt([everyone.people["u0"]])
    with pytest.raises(InputError) as refused:
        values(fitted, state, everyone.people["u0"].pairs, "bald")
    assert refused.value.field == "method"
