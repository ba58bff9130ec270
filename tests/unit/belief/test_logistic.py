"""Laws of the fold: nothing said, nothing moved; order never matters; evidence never backfires."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from befit.belief.gaussian import Matrix, Vector, predictive
from befit.belief.logistic import newton, rank_one

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.integers(1, 40)
WIDTHS = st.integers(1, 16)


def problem(seed: int, count: int, width: int) -> tuple[Vector, Matrix, Matrix, Vector, Vector]:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(width, width))
    prior = root @ root.T + 0.1 * np.eye(width)
    mean = rng.normal(size=width)
    differences = rng.normal(size=(count, width)) * rng.choice([0.1, 1.0, 10.0])
    return mean, prior, differences, rng.uniform(0.0, 1.0, count), rng.normal(size=count)


@given(seed=SEEDS, width=WIDTHS)
def test_no_observation_gives_exactly_the_prior(seed: int, width: int) -> None:
    mean, prior, *_ = problem(seed, 1, width)
    got_mean, got = newton(mean, prior, np.empty((0, width)), np.empty(0))
    assert np.array_equal(got_mean, mean)
    assert np.array_equal(got, prior)


@given(seed=SEEDS, count=COUNTS, width=WIDTHS)
def test_any_order_gives_the_same_bits(seed: int, count: int, width: int) -> None:
    mean, prior, x, w, o = problem(seed, count, width)
    shuffled = np.random.default_rng(seed).permutation(count)
    one, other = (
        newton(mean, prior, x, w, o),
        newton(mean, prior, x[shuffled], w[shuffled], o[shuffled]),
    )
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


@given(seed=SEEDS, count=COUNTS, width=WIDTHS)
def test_the_mode_is_where_the_gradient_vanishes(seed: int, count: int, width: int) -> None:
    mean, prior, x, w, o = problem(seed, count, width)
    theta, covariance = newton(mean, prior, x, w, o, steps=50)
    p = 1.0 / (1.0 + np.exp(-np.clip(x @ theta + o, -500, 500)))
    # prior * gradient, so that a nearly singular prior does not magnify rounding
    pull = prior @ (x.T @ (w * (1.0 - p)))
    assert np.allclose(pull, theta - mean, atol=1e-3 * max(1.0, float(abs(pull).max())))
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    # evidence only ever narrows
    assert np.linalg.eigvalsh(prior - covariance).min() > -1e-8 * np.trace(prior)


@given(seed=SEEDS, count=COUNTS, width=WIDTHS)
def test_turning_every_comparison_round_mirrors_the_belief(
    seed: int, count: int, width: int
) -> None:
    _, prior, x, w, _ = problem(seed, count, width)
    there, spread = newton(np.zeros(width), prior, x, w)
    back, same = newton(np.zeros(width), prior, -x, w)
    assert np.allclose(there, -back, atol=1e-9)
    assert np.allclose(spread, same, atol=1e-9)


@given(seed=SEEDS, count=COUNTS, width=WIDTHS)
def test_one_more_observation_never_lowers_what_it_prefers(
    seed: int, count: int, width: int
) -> None:
    mean, prior, x, w, o = problem(seed, count, width)
    delta = x[0]
    before, _ = newton(mean, prior, x[1:], w[1:], o[1:], steps=50)
    after, _ = newton(mean, prior, x, w, o, steps=50)
    assert after @ delta >= before @ delta - 1e-4 * (1.0 + abs(float(before @ delta)))


def test_a_weight_of_two_counts_as_two_observations() -> None:
    mean, prior, x, w, o = problem(1, 5, 3)
    doubled = newton(mean, prior, x, 2 * w, o)
    twice = newton(mean, prior, np.vstack([x, x]), np.tile(w, 2), np.tile(o, 2))
    assert np.allclose(doubled[0], twice[0])
    assert np.allclose(doubled[1], twice[1])


def test_a_singular_prior_does_not_move_where_it_is_sure() -> None:
    prior = np.diag([1.0, 0.0])
    mean, covariance = newton(np.zeros(2), prior, np.array([[1.0, 1.0]]), np.ones(1))
    assert mean[0] > 0.1
    assert mean[1] == 0.0
    assert covariance[1, 1] == 0.0


def test_huge_differences_stay_finite() -> None:
    mean, covariance = newton(np.zeros(2), np.eye(2), np.full((3, 2), 1e6), np.ones(3))
    assert np.isfinite(mean).all()
    assert np.isfinite(covariance).all()


@given(seed=SEEDS, count=COUNTS, width=WIDTHS)
def test_one_by_one_stays_a_covariance_and_never_backfires(
    seed: int, count: int, width: int
) -> None:
    mean, covariance, x, w, _ = problem(seed, count, width)
    scale = np.trace(covariance)
    for delta, weight in zip(x, w, strict=True):
        kept = mean.copy(), covariance.copy()
        moved, narrowed = rank_one(mean, covariance, delta, float(weight))
        assert np.array_equal(mean, kept[0])
        assert np.array_equal(covariance, kept[1])
        assert moved @ delta >= mean @ delta - 1e-9
        assert predictive(moved, narrowed, delta) >= 0.0
        assert np.array_equal(narrowed, narrowed.T)
        assert np.linalg.eigvalsh(narrowed).min() > -1e-9 * scale
        assert (np.diag(narrowed) <= np.diag(covariance)).all()
        mean, covariance = moved, narrowed


@example(seed=103202, width=14, weight=1.0)  # Newton alone goes to and fro here
@given(seed=SEEDS, width=WIDTHS, weight=st.floats(0.01, 3.0))
def test_one_observation_is_folded_as_the_whole_fold_would(
    seed: int, width: int, weight: float
) -> None:
    mean, prior, x, _, _ = problem(seed, 1, width)
    moved, narrowed = rank_one(mean, prior, x[0], weight)
    whole, covariance = newton(mean, prior, x, np.array([weight]), steps=50)
    scale = 1.0 + float(np.abs(whole).max())
    assert np.allclose(moved, whole, atol=1e-4 * scale)
    assert np.allclose(narrowed, covariance, atol=1e-3 * float(np.trace(prior)))


def test_one_by_one_comes_near_the_whole_fold() -> None:
    rng = np.random.default_rng(7)
    truth = rng.normal(size=8)
    x = rng.normal(size=(64, 8))
    x *= np.sign(x @ truth)[:, None]
    mean, covariance = np.zeros(8), np.eye(8)
    for delta in x:
        mean, covariance = rank_one(mean, covariance, delta)
    whole, _ = newton(np.zeros(8), np.eye(8), x, np.ones(64))
    cosine = mean @ whole / np.linalg.norm(mean) / np.linalg.norm(whole)
    assert cosine == pytest.approx(1.0, abs=0.02)
