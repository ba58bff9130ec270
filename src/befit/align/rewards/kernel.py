"""A training-free reward: a pair is preferred as far as it looks like pairs that were preferred.

``logit(d) = slope (w . d + gain * sum_i cos(d_i, d) / (n + prior))``: beside the user-blind weights
``w``, the mean similarity to the person's own choices, shrunk while they are few. Nothing is
trained but the user-blind weights; three numbers are chosen on people kept aside. It is the sanity
bar that every learned reward must pass.

Source: cosine similarity to history, survey arXiv:2503.17003 section 4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from befit.align.rewards.blind import UserBlind
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes

PRIORS = (1.0, 4.0, 16.0, 64.0)  # pairs that the population counts as
GAINS = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0)  # logits of a history that is all alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosine:
    """Similarity to the person's own choices, beside what everyone prefers.

    Attributes:
        priors: How many pairs the population may count as; one is chosen.
        gains: Logits that a history that is all alike may be worth; one is chosen.
    """

    priors: tuple[float, ...] = PRIORS
    gains: tuple[float, ...] = GAINS

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "CosineFit":
        blind = UserBlind().fit(train, validation, seed=seed)
        tried = [
            CosineFit(weights=blind.weights, prior=prior, gain=gain, slope=1.0)
            for prior in self.priors
            for gain in self.gains
        ]
        asked = episodes(validation, seed)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CosineFit:
    """User-blind weights and how much a history counts.

    Attributes:
        weights: Of the features, for everyone, shape (width,).
        prior: Pairs that the population counts as.
        gain: Logits that a history that is all alike is worth.
        slope: Of all of it.
    """

    weights: Array
    prior: float
    gain: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """The shrunk mean direction of each person's choices, shape (width,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            total = (unit(pairs.differences) * pairs.weights[:, None]).sum(axis=0)
            found.append(total / (pairs.weights.sum() + self.prior))
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        differences = pairs.differences
        found: Array = self.slope * (
            differences @ self.weights + self.gain * (unit(differences) @ state)
        )
        return found


def unit(differences: Array) -> Array:
    """Rows of length 1; zero stays zero."""
    lengths = np.linalg.norm(differences, axis=1, keepdims=True)
    found: Array = differences / np.maximum(lengths, 1e-9)
    return found
