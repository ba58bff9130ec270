"""The rules of asking: what they value, what they cannot see, and that they find out sooner."""

from collections.abc import Sequence
from math import log, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.align.rewards.asking import (
    RULES,
    Beliefs,
    bald,
    covariance,
    d_optimal,
    rule_named,
    v_optimal,
    values,
)
from befit.align.rewards.blind import RandomGuess
from befit.align.rewards.default import Default
from befit.core.errors import InputError, UnknownComponentError
from befit.testing.rewards import population

logits = st.floats(-8.0, 8.0)
doubts = st.floats(0.0, 6.0)


def one(name: str, mean: float, deviation: float) -> float:
    return float(RULES[name](believed([mean], [deviation]))[0])


def believed(mean: Sequence[float], deviation: Sequence[float], shared: float = 0.0) -> Beliefs:
    """Comparisons of which every two share so much of their variance, as a correlation."""
    each = np.array(deviation)
    same = np.where(np.eye(len(each)) > 0, 1.0, shared)
    return Beliefs(
        mean=np.array(mean), deviation=each, covariance=lambda: same * np.outer(each, each)
    )


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), logits, doubts)
def test_the_other_side_first_is_the_same_question(
    name: str, mean: float, deviation: float
) -> None:
    assert one(name, mean, deviation) == pytest.approx(one(name, -mean, deviation), abs=1e-9)


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), logits, doubts)
def test_what_is_known_is_worth_nothing_and_doubt_is_worth_more(
    name: str, mean: float, deviation: float
) -> None:
    assert one(name, mean, 0.0) == pytest.approx(0.0, abs=1e-9)
    assert one(name, mean, deviation) >= -1e-12
    if name != "bald":  # where one is nearly sure, more doubt may still be less of a surprise
        assert one(name, mean, deviation + 1.0) > one(name, mean, deviation)


@settings(deadline=None)
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
        found = bald(believed([mean], [deviation]))[0]
        assert found == pytest.approx(float(sampled), abs=1e-3)
        assert found < log(2)


def test_d_optimal_is_what_the_posterior_loses_in_volume() -> None:
    rng = np.random.default_rng(1)
    root, x = rng.standard_normal((4, 4)), rng.standard_normal(4)
    spread, mean = root @ root.T, 0.7
    slope = 1.0 / (1.0 + np.exp(-mean)) * (1.0 - 1.0 / (1.0 + np.exp(-mean)))
    after = np.linalg.inv(np.linalg.inv(spread) + slope * np.outer(x, x))
    lost = np.linalg.slogdet(spread)[1] - np.linalg.slogdet(after)[1]
    deviation = float(np.sqrt(x @ spread @ x))
    assert d_optimal(believed([mean], [deviation]))[0] == pytest.approx(lost)


def test_v_optimal_is_what_all_the_probabilities_lose_in_variance() -> None:
    rng = np.random.default_rng(2)
    root, x = rng.standard_normal((4, 4)), rng.standard_normal((6, 4))
    spread, mean = root @ root.T, rng.standard_normal(6)
    slopes = 1.0 / (2.0 + np.exp(mean) + np.exp(-mean))
    lost = []
    for i in range(6):
        after = np.linalg.inv(np.linalg.inv(spread) + slopes[i] * np.outer(x[i], x[i]))
        lost.append(float(slopes**2 @ np.diag(x @ (spread - after) @ x.T)))
    known = x @ spread @ x.T
    of = Beliefs(mean=mean, deviation=np.sqrt(np.diag(known)), covariance=lambda: known)
    assert v_optimal(of) == pytest.approx(np.array(lost))


def test_of_two_as_doubtful_the_one_that_tells_of_others_is_asked() -> None:
    lonely = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.9], [0.0, 0.9, 1.0]])
    of = Beliefs(mean=np.zeros(3), deviation=np.ones(3), covariance=lambda: lonely)
    assert int(np.argmin(v_optimal(of))) == 0
    assert np.ptp(d_optimal(of)) == 0.0


def test_the_moderation_of_calibrated_logits_is_undone() -> None:
    everyone = population()
    users = sorted(everyone.people)
    fitted = Default(rank=3).fit(everyone.part(users[:10]), everyone.part(users[10:]), seed=0)
    (state,) = fitted.adapt([everyone.people[users[0]]])
    query = everyone.people[users[1]].pairs
    deviation = fitted.spread(state, query)
    mean = fitted.logits(state, query) * np.sqrt(1.0 + pi * deviation**2 / 8.0)
    expected = bald(believed(mean.tolist(), deviation.tolist()))
    assert values(fitted, state, query, "bald") == pytest.approx(expected)
    turned = values(fitted, state, query.swapped(), "bald")
    assert turned == pytest.approx(values(fitted, state, query, "bald"))
    shared = covariance(fitted, state, query)
    assert np.diag(shared) == pytest.approx(deviation**2)
    assert np.linalg.eigvalsh(shared)[0] > -1e-9
    halves = np.ptp(shared - covariance(fitted, state, query.swapped()))
    assert halves == pytest.approx(0.0, abs=1e-9)  # both turned round


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
