"""The default reward: a population's basis and prior, then each person's posterior over it.

The fit is `align.train.reward_model`, the prediction `reward.hierarchical`; this is their face as
one method among the others.

Source: specification of the default, a hierarchical Bayesian factorised Bradley-Terry model;
survey arXiv:2503.17003 section 4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.train.reward_model import fit_population
from befit.belief.logistic import newton
from befit.core.preference import Pair
from befit.reward.hierarchical import directions

State = tuple[Array, Array]  # mean (r,), covariance (r, r)


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default reward.

    Attributes:
        rank: How many latent coordinates.
    """

    rank: int = 16

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "DefaultFit":
        everyone = train | validation  # the fit keeps some aside by itself
        pairs = {user: _listed(person.pairs) for user, person in everyone.people.items()}
        head = fit_population(pairs, train.texts.features, rank=self.rank, seed=seed)
        return DefaultFit(basis=head.basis, mean=head.mean, covariance=head.covariance)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DefaultFit:
    """A population head.

    Attributes:
        basis: Features to latent coordinates, shape (r, width).
        mean: What the population's weights are, shape (r,).
        covariance: How people differ around it, shape (r, r).
    """

    basis: Array
    mean: Array
    covariance: Array

    def adapt(self, people: Sequence[Person]) -> Sequence[State]:
        return [self._posterior(person.pairs.decided()) for person in people]

    def logits(self, state: State, pairs: Pairs) -> Array:
        mean, _ = state
        x = self._latent(pairs)
        found: Array = x @ mean / np.sqrt(1.0 + pi * self.spread(state, pairs) ** 2 / 8.0)
        return found

    def spread(self, state: State, pairs: Pairs) -> Array:
        _, covariance = state
        x = self._latent(pairs)
        found: Array = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", x, covariance, x), 0.0))
        return found

    def _posterior(self, pairs: Pairs) -> State:
        if not len(pairs):
            return self.mean, self.covariance
        return newton(self.mean, self.covariance, self._latent(pairs), pairs.weights)

    def _latent(self, pairs: Pairs) -> Array:
        return directions(pairs.differences) @ self.basis.T


def _listed(pairs: Pairs) -> list[Pair]:
    names, decided = pairs.texts.names, pairs.decided()
    return [
        Pair(prompt=names[p] if p >= 0 else "", chosen=names[c], rejected=names[r], weight=float(w))
        for c, r, p, w in zip(
            decided.chosen, decided.rejected, decided.prompts, decided.weights, strict=True
        )
    ]
