"""The start in closed form, and the prior that is fitted last."""

import numpy as np
import pytest

pytest.importorskip("torch")

from befit.align.train.episodic import People, fixed_episodes, losses
from befit.align.train.population import calibrated, polish, start


def people(seed: int, count: int, spread: float) -> People:
    """Everyone likes the first of six directions; how much they like the second varies."""
    rng = np.random.default_rng(seed)
    wanted = np.zeros((count, 6))
    wanted[:, 0] = 1.0
    wanted[:, 1] = spread * rng.normal(size=count)
    x = rng.normal(size=(count, 20, 6))
    p = 1.0 / (1.0 + np.exp(-np.einsum("upd,ud->up", x, wanted)))
    x *= np.where(rng.random(p.shape) < p, 1.0, -1.0)[..., None]
    return People(
        differences=x.reshape(-1, 6),
        weights=np.ones(20 * count),
        starts=np.arange(0, 20 * count + 1, 20),
        groups=tuple(np.arange(20) for _ in range(count)),
    )


def test_the_start_finds_what_is_common_and_what_varies() -> None:
    head = start(people(1, 80, 2.0), people(2, 20, 2.0), 2)
    assert abs(head.basis[0, 0]) > 0.9
    assert abs(head.basis[1, 1]) > 0.9
    assert head.mean[0] > 0.5
    assert np.allclose(head.basis @ head.basis.T, np.eye(2), atol=0.05)


def test_more_coordinates_than_people_are_filled_from_the_pairs() -> None:
    head = start(people(1, 3, 1.0), people(2, 2, 1.0), 6)
    assert head.basis.shape == (6, 6)
    assert np.linalg.matrix_rank(head.basis) == 6


def test_the_fitted_prior_is_wide_where_people_differ() -> None:
    everyone = people(1, 80, 2.0)
    head = polish(start(everyone, people(2, 20, 2.0), 3), everyone)
    variances = np.diag(head.covariance)
    assert variances[1] > 2.0 * variances[0]
    assert variances[1] > 2.0 * variances[2]
    assert np.linalg.eigvalsh(head.covariance).min() > 0.0


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_the_width_chosen_tells_how_much_people_differ(spread: float) -> None:
    everyone, held_out = people(1, 60, spread), people(2, 40, spread)
    head = start(everyone, held_out, 3)
    chosen = calibrated([head], held_out, 0)
    assert (float(np.trace(chosen.covariance)) > 0.5) == (spread > 0.0)
    episodes = fixed_episodes(held_out, 1)
    before, after = (
        losses(held_out, episodes, h.basis, [(h.mean, h.covariance)])[0] for h in (head, chosen)
    )
    assert after <= before
