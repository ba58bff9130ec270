"""Plain numbers and back, and what a belief predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.gaussian import pack, predictive, sigmoid, unpack
from befit.core.preference import Gaussian

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, width=st.integers(1, 24))
def test_packing_loses_nothing(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(width, width))
    mean, covariance = rng.normal(size=width), root @ root.T
    covariance = (covariance + covariance.T) / 2
    back_mean, back_covariance = unpack(pack(mean, covariance))
    assert np.array_equal(back_mean, mean)
    assert np.array_equal(back_covariance, covariance)


def test_the_triangle_is_read_row_by_row() -> None:
    covariance = np.array([[1.0, 2.0, 4.0], [2.0, 3.0, 5.0], [4.0, 5.0, 6.0]])
    assert pack(np.zeros(3), covariance).covariance == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


def test_a_triangle_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        unpack(Gaussian((0.0, 0.0), (1.0, 0.0)))


@given(seed=SEEDS, scale=st.floats(0.0, 50.0))
def test_both_sides_of_a_prediction_sum_to_one(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    mean, delta = rng.normal(size=4), scale * rng.normal(size=4)
    covariance = np.eye(4)
    there, back = predictive(mean, covariance, delta), predictive(mean, covariance, -delta)
    assert 0.0 <= there <= 1.0
    assert there + back == pytest.approx(1.0)


@given(seed=SEEDS, more=st.floats(0.0, 100.0))
def test_knowing_less_moves_towards_one_half(seed: int, more: float) -> None:
    rng = np.random.default_rng(seed)
    mean, delta = rng.normal(size=4), rng.normal(size=4)
    sure = predictive(mean, np.eye(4), delta)
    unsure = predictive(mean, (1.0 + more) * np.eye(4), delta)
    assert abs(unsure - 0.5) <= abs(sure - 0.5) + 1e-12


def test_sigmoid_never_overflows() -> None:
    assert sigmoid(-1e6) == 0.0
    assert sigmoid(1e6) == 1.0
    assert sigmoid(0.0) == 0.5
