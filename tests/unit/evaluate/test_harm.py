"""Noise makes half of all people look worse off; what is told of harm must not."""

import numpy as np
import pytest

from befit.evaluate.metrics.harm import gains, harmed, latent

PAIRS = 12


def _measured(true: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Twelve pairs of each person, each -1, 0 or 1 with the person's mean."""
    rng = np.random.default_rng(seed)
    up = (rng.random((len(true), PAIRS)) < (true[:, None] + 1) / 2).astype(float)
    return np.repeat(np.arange(len(true)), PAIRS), (2 * up - 1).ravel()


def test_where_nothing_differs_one_in_forty_is_harmed_beyond_noise() -> None:
    found = gains(*_measured(np.zeros(4000)))
    assert np.mean(found.mean < 0.0) > 0.35
    assert 0.01 < np.mean(harmed(found)) < 0.04


def test_who_lost_the_only_two_pairs_is_not_beyond_noise_where_people_vary() -> None:
    person, values = _measured(np.zeros(50))
    found = gains(np.append(person, [50, 50]), np.append(values, [-1.0, -1.0]))
    assert found.pairs[-1] == 2
    assert not harmed(found)[-1]


def test_the_share_and_the_loss_without_noise_are_those_that_people_were_made_with() -> None:
    true = np.clip(np.random.default_rng(1).normal(0.1, 0.2, 4000), -1, 1)
    found = gains(*_measured(true))
    share, loss = latent(found, np.ones((1, 4000)))
    assert share[0] == pytest.approx(np.mean(true < 0), abs=0.03)
    assert loss[0] == pytest.approx(-true[true < 0].mean(), abs=0.02)
    assert -found.mean[found.mean < 0].mean() > loss[0] + 0.05  # what the plain loss says


def test_equal_people_are_all_harmed_or_none() -> None:
    for mean, share in ((-0.3, 1.0), (0.3, 0.0)):
        found = gains(*_measured(np.full(4000, mean)))
        assert latent(found, np.ones((1, 4000)))[0][0] == pytest.approx(share, abs=0.05)
