"""Episodes never show what they ask, and training starts from no worse than it ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from befit.align.train.episodic import Head, People, draw, fixed_episodes, losses, train
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


HEAD = Head(basis=np.eye(5)[:3], mean=np.array([0.5, 0.0, -0.2]), covariance=0.3 * np.eye(3))


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


def test_the_loss_is_that_of_the_reward_itself() -> None:
    everyone = people(3)
    episode = draw(everyone, range(6), [2] * 6, np.random.default_rng(0))
    expected = []
    for person in range(6):
        shown = episode.shown[person][episode.shown_weights[person] > 0]
        asked = episode.asked[person][episode.asked_weights[person] > 0]
        latent = everyone.differences @ HEAD.basis.T
        posterior = newton(HEAD.mean, HEAD.covariance, latent[shown], everyone.weights[shown])
        own = [-np.log(predictive(*posterior, latent[i])) for i in asked]
        expected.append(np.average(own, weights=everyone.weights[asked]))
    (loss,) = losses(everyone, [episode], HEAD.basis, [(HEAD.mean, HEAD.covariance)])
    assert loss == pytest.approx(float(np.mean(expected)), abs=1e-4)


def test_training_never_ends_worse_than_it_began() -> None:
    everyone, held_out = people(1, 20), people(2, 20)
    found = train(HEAD, everyone, held_out, steps=40, seed=5)
    episodes = fixed_episodes(held_out, 5)
    before, after = (
        losses(held_out, episodes, head.basis, [(head.mean, head.covariance)])[0]
        for head in (HEAD, found)
    )
    assert after <= before + 1e-6


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    train(HEAD, people(1), people(2), steps=20, report=lambda *at: told.append(at))
    assert told == [(0, 20), (20, 20)]
