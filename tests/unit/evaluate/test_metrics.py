import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from befit.evaluate.metrics.accuracy import hits
from befit.evaluate.metrics.calibration import (
    bin_by_confidence,
    brier,
    expected_error,
    log_loss,
)

probabilities = arrays(float, st.integers(1, 50), elements=st.floats(0, 1))


@given(probabilities)
def test_swapping_the_sides_of_every_pair_swaps_hits_and_misses(p: np.ndarray) -> None:
    assert np.allclose(hits(p) + hits(1 - p), 1.0, atol=0.5 * np.any(np.abs(p - 0.5) < 1e-15))


def test_a_tie_is_half_a_hit() -> None:
    assert hits(np.array([0.5, 0.6, 0.4])).tolist() == [0.5, 1.0, 0.0]


def test_a_fair_coin_has_the_known_losses() -> None:
    coin = np.array([0.5])
    assert log_loss(coin)[0] == pytest.approx(np.log(2))
    assert brier(coin)[0] == 0.25
    assert np.isfinite(log_loss(np.array([0.0]))[0])


def test_predictions_that_mean_what_they_say_are_calibrated_and_boasts_are_not() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 20_000)
    said = np.where(rng.random(20_000) < p, p, 1 - p)  # the chosen side's probability
    person = rng.integers(10, size=20_000)
    assert expected_error(bin_by_confidence(said, person, 10))[0] < 0.02
    boast = np.where(said > 0.5, 0.99, 0.01)
    assert expected_error(bin_by_confidence(boast, person, 10))[0] > 0.15


def test_the_error_of_resampled_people_is_theirs() -> None:
    p = np.array([0.9, 0.9, 0.1, 0.1])
    bins = bin_by_confidence(p, np.array([0, 0, 1, 1]), 2, bins=1)
    first, second = expected_error(bins, np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert first == pytest.approx(0.1)
    assert second == pytest.approx(0.9)
