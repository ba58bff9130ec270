"""Rewards that know no person: what any personal one must beat.

`UserBlind` is one Bradley-Terry model for everyone; `LongerWins` prefers the longer text;
`RandomGuess` is a fair coin.

Source: Bradley and Terry 1952; survey arXiv:2503.17003 table 4 (baselines of alignment accuracy).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.core.errors import NotEnoughFeedbackError

# strong to weak, so that each starts near the last one's optimum
RIDGES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserBlind:
    """One Bradley-Terry model for everyone, its ridge chosen by people kept aside.

    Attributes:
        ridges: Penalties to choose from, strong to weak.
    """

    ridges: tuple[float, ...] = RIDGES

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "PooledFit":
        x, held_out = (part.joined()[0].decided().differences for part in (train, validation))
        if not (len(x) and len(held_out)):
            raise NotEnoughFeedbackError(
                "there are no decided pairs to learn from", hint="give pairs of more people"
            )
        weights = np.zeros(x.shape[1])
        tried = []
        for ridge in self.ridges:
            weights = bradley_terry(x, ridge, weights)
            loss = float(np.logaddexp(0.0, -held_out @ weights).mean())
            tried.append((loss, weights))
        return PooledFit(weights=min(tried, key=lambda pair: pair[0])[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PooledFit:
    """Weights over the features, for everyone.

    Attributes:
        weights: Shape (width,).
    """

    weights: Array

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        return pairs.differences @ self.weights


def bradley_terry(x: Array, ridge: float, start: Array) -> Array:
    """Weights that maximise sum log sigmoid(x w) - ridge |w|^2 / 2, by Newton from ``start``.

    Args:
        x: Differences, shape (n, width).
        ridge: > 0.
        start: Shape (width,).
    """
    weights = start
    for _ in range(8):
        p = sigmoid(x @ weights)
        gradient = x.T @ (1.0 - p) - ridge * weights
        curvature = (x.T * (p * (1.0 - p))) @ x + ridge * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(x @ step).max() < 1e-3:
            break
    return weights


@dataclass(frozen=True, slots=True, kw_only=True)
class LongerWins:
    """The longer text is preferred, as surely as it was among the people fitted on."""

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> "LengthFit":
        sign = _longer(train.joined()[0].decided())
        share = (
            float(np.clip(np.mean(sign[sign != 0.0] > 0.0), 0.501, 0.999)) if sign.any() else 0.5
        )
        return LengthFit(logit=float(np.log(share / (1.0 - share))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthFit:
    """How sure it is of the longer text.

    Attributes:
        logit: Log-odds of the longer text, >= 0.
    """

    logit: float

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        return self.logit * _longer(pairs)


def _longer(pairs: Pairs) -> Array:
    """1 where the chosen text is the longer, -1 where it is the shorter."""
    lengths = np.array([len(name) for name in pairs.texts.names], dtype=float)
    sign: Array = np.sign(lengths[pairs.chosen] - lengths[pairs.rejected])
    return sign


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomGuess:
    """A fair coin, in expectation: one half for every pair."""

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> "Coin":
        return Coin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """Knows nothing."""

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        return np.zeros(len(pairs))
