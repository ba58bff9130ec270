"""Episodes never show what they ask, and their loss is that of the posterior itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch

from befit.align.train.episodic import People, draw, loss
from befit.belief.gaussian import predictive
from befit.belief.logistic import newton


def people(seed: int, count: int = 6, width: int = 5) -> People:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, count)
    groups = tuple(np.unique(rng.integers(0, size, size), return_inverse=True)[1] for size in sizes)
    return People(
        differences=rng.normal(size=(int(sizes.sum()), width)),
        weights=rng.uniform(0.5, 1.0, int(sizes.sum())),
        starts=np.cumsum([0, *sizes]),
        groups=groups,
    )


MEAN, COVARIANCE = np.array([0.5, 0.0, -0.2]), 0.3 * np.eye(3)


@given(seed=st.integers(0, 9999), shots=st.lists(st.integers(0, 16), min_size=6, max_size=6))
def test_a_group_is_never_shown_and_asked(seed: int, shots: list[int]) -> None:
    everyone = people(seed)
    episode = draw(everyone, range(6), shots, np.random.default_rng(seed))
    for person in range(6):
        first, last = everyone.starts[person], everyone.starts[person + 1]
        shown = episode.shown[person][episode.shown_weights[person] > 0]
        asked = episode.asked[person][episode.asked_weights[person] > 0]
        assert len(shown) <= shots[person]
        assert len(asked) >= 1
        assert ((first <= shown) & (shown < last)).all()
        assert ((first <= asked) & (asked < last)).all()
        groups = everyone.groups[person]
        assert not set(groups[shown - first].tolist()) & set(groups[asked - first].tolist())
        assert len(set(shown.tolist())) == len(shown)


def test_the_loss_is_that_of_the_posterior_itself() -> None:
    everyone = people(3)
    episode = draw(everyone, range(6), [2] * 6, np.random.default_rng(0))
    latent = everyone.differences[:, :3]
    expected = []
    for person in range(6):
        shown = episode.shown[person][episode.shown_weights[person] > 0]
        asked = episode.asked[person][episode.asked_weights[person] > 0]
        posterior = newton(MEAN, COVARIANCE, latent[shown], everyone.weights[shown])
        own = [-np.log(predictive(*posterior, latent[i])) for i in asked]
        expected.append(np.average(own, weights=everyone.weights[asked]))
    mean, root = (torch.tensor(a, dtype=torch.float32) for a in (MEAN, np.sqrt(COVARIANCE)))
    rows = torch.tensor(latent, dtype=torch.float32)
    found = loss(rows[episode.shown], rows[episode.asked], (mean, root), episode)
    assert found.tolist() == pytest.approx(expected, abs=1e-4)
