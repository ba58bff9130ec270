"""DRM: the principal directions of preference are the heads; a person weighs them by their hits.

``r_u(y) = sum_k a_k(u) v_k . e(y)``, with ``v_k`` the eigenvectors of the second moment of the
differences of all pairs, each turned so that most people agree with it, and
``a_k(u) = softmax(beta * h_k(u))``, where ``h_k(u)`` is the share of the person's pairs that the
head alone puts right, shrunk to the population's share. No gradient is taken: it is the
training-free factorisation that the trained ones must beat.

Source: Luo et al. 2025, "Rethinking diverse human preference learning through principal component
analysis", arXiv:2502.13131.

Found when checking: a head that a person dislikes can only lose weight, never turn round; so both
orientations of each direction are heads here, without which reversed tastes stay out of reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from befit.align.rewards.histories import pooled
from befit.align.rewards.kernel import unit
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.core.errors import NotEnoughFeedbackError


@dataclass(frozen=True, slots=True, kw_only=True)
class Drm:
    """Principal heads, weighed by accuracy.

    Attributes:
        heads: How many directions to try.
        sharpness: ``beta`` to try.
        priors: How many pairs the population's share may count as.
    """

    heads: tuple[int, ...] = (8, 32, 100)
    sharpness: tuple[float, ...] = (5.0, 20.0, 60.0)
    priors: tuple[float, ...] = (4.0, 16.0)

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "DrmFit":
        pairs, _, weights = pooled(train)
        if not len(pairs):
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        x = unit(pairs.differences)
        moment = (x.T * weights) @ x
        _, vectors = np.linalg.eigh(moment)
        directions = vectors[:, ::-1].T
        shares = _shares(x @ directions.T, weights)
        tried = [
            DrmFit(
                directions=np.vstack([directions[:k], -directions[:k]]),
                shares=np.concatenate([shares[:k], 1.0 - shares[:k]]),
                sharpness=beta,
                prior=prior,
                slope=1.0,
            )
            for k in self.heads
            if k <= len(directions)
            for beta in self.sharpness
            for prior in self.priors
        ] or [
            DrmFit(
                directions=np.vstack([directions, -directions]),
                shares=np.concatenate([shares, 1.0 - shares]),
                sharpness=self.sharpness[0],
                prior=self.priors[0],
                slope=1.0,
            )
        ]
        asked = episodes(validation, seed)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrmFit:
    """The heads.

    Attributes:
        directions: Shape (heads, width).
        shares: What share of the population's pairs each head puts right, shape (heads,).
        sharpness: ``beta``.
        prior: Pairs that the population's share counts as.
        slope: Of the logits.
    """

    directions: Array
    shares: Array
    sharpness: float
    prior: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """The direction in which each person's reward grows, shape (width,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            right = _right(unit(pairs.differences) @ self.directions.T)
            hits = (right * pairs.weights[:, None]).sum(axis=0)
            share = (hits + self.prior * self.shares) / (pairs.weights.sum() + self.prior)
            power = np.exp(self.sharpness * (share - share.max()))
            found.append((power / power.sum()) @ self.directions)
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (unit(pairs.differences) @ state)
        return found


def _right(margins: Array) -> Array:
    """1 where a head puts the chosen text first, one half where it does not tell."""
    found: Array = 0.5 + 0.5 * np.sign(margins)
    return found


def _shares(margins: Array, weights: Array) -> Array:
    found: Array = weights @ _right(margins) / weights.sum()
    return found
