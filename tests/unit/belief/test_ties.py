"""Ties: as the logistic model where nobody ties, and a threshold of one's own where one does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from befit.belief.logistic import newton as logistic
from befit.belief.ties import chances, newton

WIDTH = 3
MEAN, COVARIANCE = np.array([0.5, -0.2, 0.0, 0.3]), np.diag([1.0, 0.5, 2.0, 0.7])


def made(seed: int, count: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, WIDTH)), rng.random(count) < 0.4, rng.uniform(0.2, 1.0, count)


def lost(theta: np.ndarray, x: np.ndarray, tied: np.ndarray, w: np.ndarray) -> float:
    """Minus the log joint, written out."""
    d, t = x @ theta[:WIDTH], theta[WIDTH]
    below = np.exp(0.5 * d) + np.exp(-0.5 * d) + np.exp(t)
    said = np.where(tied, t, 0.5 * d)
    off = theta - MEAN
    return float(-(w @ (said - np.log(below))) + 0.5 * off @ np.linalg.solve(COVARIANCE, off))


@pytest.mark.parametrize("seed", range(3))
def test_the_mode_and_the_curvature_are_those_of_the_joint(seed: int) -> None:
    x, tied, w = made(seed)
    mode, covariance = newton(MEAN, COVARIANCE, x, tied, w)
    found = minimize(lost, MEAN, args=(x, tied, w), tol=1e-12).x
    assert mode == pytest.approx(found, abs=1e-4)
    step, hessian = 1e-3, np.empty((4, 4))
    for i, a in enumerate(step * np.eye(4)):
        for j, b in enumerate(step * np.eye(4)):
            corners = (mode + a + b, mode + a - b, mode - a + b, mode - a - b)
            signs = (1.0, -1.0, -1.0, 1.0)
            hessian[i, j] = sum(
                s * lost(c, x, tied, w) for s, c in zip(signs, corners, strict=True)
            ) / (4 * step**2)
    assert np.linalg.inv(covariance) == pytest.approx(hessian, rel=1e-3, abs=1e-3)


def test_where_nobody_ties_it_is_the_logistic_posterior() -> None:
    x, _, w = made(4)
    never = np.append(MEAN[:WIDTH], -40.0), np.diag([1.0, 0.5, 2.0, 1e-6])
    mode, covariance = newton(*never, x, np.zeros(len(x), dtype=bool), w)
    plain, around = logistic(MEAN[:WIDTH], COVARIANCE[:WIDTH, :WIDTH], x, w)
    assert mode[:WIDTH] == pytest.approx(plain, abs=1e-6)
    assert covariance[:WIDTH, :WIDTH] == pytest.approx(around, abs=1e-6)


@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_neither_order_nor_the_side_of_a_tie_changes_a_bit(
    order: list[int], turned: list[bool]
) -> None:
    x, tied, w = made(0)
    other = np.where((np.array(turned) & tied)[:, None], -x, x)
    one, same = (
        newton(MEAN, COVARIANCE, x, tied, w),
        newton(MEAN, COVARIANCE, other[order], tied[order], w[order]),
    )
    assert (one[0] == same[0]).all()
    assert (one[1] == same[1]).all()


def test_without_observations_it_is_the_prior() -> None:
    mode, covariance = newton(MEAN, COVARIANCE, np.empty((0, WIDTH)), [], np.empty(0))
    assert (mode == MEAN).all()
    assert (covariance == COVARIANCE).all()


def test_who_ties_often_has_a_higher_threshold() -> None:
    x, _, w = made(1)
    often, seldom = (
        newton(MEAN, COVARIANCE, x, np.full(len(x), tied), w)[0][WIDTH] for tied in (True, False)
    )
    assert often > MEAN[WIDTH] > seldom


@given(st.floats(-50.0, 50.0), st.floats(-20.0, 20.0))
def test_of_decided_pairs_the_chances_are_logistic(logit: float, threshold: float) -> None:
    ((first, second, tie),) = chances(np.array([logit]), threshold)
    assert first + second + tie == pytest.approx(1.0)
    assert first >= 0.0
    if logit < 20.0:
        assert first / max(second, 1e-300) == pytest.approx(np.exp(logit), rel=1e-6)
