"""The methods an evaluation compares: the default reward, and what it must beat.

A method is fitted on the pairs of some people; what it fitted reads a few pairs of an unseen
person into a state and answers, for other pairs of theirs, how probable the chosen side was. None
sees which pairs it is asked about while it fits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import pi
from typing import Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from befit.align.train.reward_model import fit_population
from befit.belief.gaussian import unpack
from befit.core.preference import Pair
from befit.core.protocols import Encoder
from befit.evaluate.metrics.calibration import log_loss
from befit.evaluate.schema import PairRow, people_of
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.features.feature_map import FeatureMap
from befit.models.cache import cache_dir
from befit.reward.hierarchical import HierarchicalReward

Array = NDArray[np.float64]
Report = Callable[[int, int], None]
# strong to weak, so that each starts near the last one's optimum
RIDGES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
_CHUNK = 64


class Fitted(Protocol):
    """What a method learned from the people it was fitted on."""

    def state(self, support: Sequence[PairRow]) -> Any:
        """What it makes of a few pairs of one unseen person."""

    def probabilities(self, state: Any, query: Sequence[PairRow]) -> Array:
        """That the chosen text beats the rejected one, shape (len(query),), in [0, 1]."""


class Method(Protocol):
    """A way to predict preferences.

    ``history`` says whose pairs it is shown at k shots; ``learner`` is the method whose fit it
    shares; ``embeds`` whether it reads texts through the encoder.
    """

    @property
    def history(self) -> Literal["none", "own", "another"]: ...
    @property
    def learner(self) -> "Method": ...
    @property
    def embeds(self) -> bool: ...
    def fit(self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int) -> Fitted: ...


@lru_cache(maxsize=1)
def feature_map() -> FeatureMap:
    """The default features: cached sentence embeddings beside style."""
    encoder = CachedEncoder(MiniLM(), str(cache_dir() / "embeddings" / "evaluate.db"))
    return FeatureMap(cast("Encoder", encoder))  # an array is not typed as a sequence of sequences


def embed(rows: Sequence[PairRow], report: Report) -> None:
    """Put the embedding of every text into the cache, telling how far it is."""
    texts = list(dict.fromkeys(text for row in rows for text in (row.chosen, row.rejected)))
    encoder = feature_map().encoder
    for start in range(0, len(texts), _CHUNK):
        report(start, len(texts))
        encoder.encode(texts[start : start + _CHUNK])
    report(len(texts), len(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default reward: a population fit, then each person's posterior over its coordinates.

    Source: specification of the default, a hierarchical Bayesian factorised Bradley-Terry model.

    Attributes:
        rank: How many latent coordinates.
    """

    rank: int = 16

    @property
    def history(self) -> Literal["own"]:
        return "own"

    @property
    def learner(self) -> Self:
        return self

    @property
    def embeds(self) -> bool:
        return True

    def fit(
        self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int
    ) -> "PersonalFit":
        people = people_of([*train, *validation])  # the fit keeps some aside by itself
        pairs = {user: [_pair(row) for row in rows] for user, rows in people.items()}
        return PersonalFit(fit_population(pairs, feature_map(), rank=self.rank, seed=seed))


@dataclass(frozen=True, slots=True)
class PersonalFit:
    """A population head, and each person's posterior under it.

    Attributes:
        head: The fitted population head.
    """

    head: HierarchicalReward
    _known: dict[PairRow, tuple[float, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def _differences(self, rows: Sequence[PairRow]) -> list[tuple[float, ...]]:
        for row in rows:
            if row not in self._known:
                self._known[row] = self.head.difference(_pair(row))
        return [self._known[row] for row in rows]

    def state(self, support: Sequence[PairRow]) -> tuple[Array, Array]:
        """Mean (r,) and covariance (r, r) after these pairs."""
        posterior = self.head.posterior(self._differences(support), [1.0] * len(support))
        return unpack(posterior)

    def probabilities(self, state: tuple[Array, Array], query: Sequence[PairRow]) -> Array:
        mean, covariance = state
        x = np.array(self._differences(query))
        variance = np.einsum("ij,jk,ik->i", x, covariance, x)
        return _sigmoid(x @ mean / np.sqrt(1.0 + pi * np.maximum(variance, 0.0) / 8.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongUser:
    """The default reward, shown another person's pairs: what it says beyond the person itself.

    Attributes:
        learner: The method whose fit is used.
    """

    learner: Method = field(default_factory=Default)

    @property
    def history(self) -> Literal["another"]:
        return "another"

    @property
    def embeds(self) -> bool:
        return self.learner.embeds

    def fit(self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int) -> Fitted:
        return self.learner.fit(train, validation, seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserBlind:
    """One Bradley-Terry model for everyone, on the same features, its ridge tuned on validation.

    Attributes:
        ridges: Penalties to choose from, strong to weak.
    """

    ridges: tuple[float, ...] = RIDGES

    @property
    def history(self) -> Literal["none"]:
        return "none"

    @property
    def learner(self) -> Self:
        return self

    @property
    def embeds(self) -> bool:
        return True

    def fit(
        self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int
    ) -> "PooledFit":
        x, held_out = _differences(train), _differences(validation)
        weights = np.zeros(x.shape[1])
        tried = []
        for ridge in self.ridges:
            weights = _pooled(x, ridge, weights)
            tried.append((float(log_loss(_sigmoid(held_out @ weights)).mean()), weights))
        return PooledFit(min(tried, key=lambda pair: pair[0])[1])


@dataclass(frozen=True, slots=True)
class PooledFit:
    """Weights over the features, for everyone.

    Attributes:
        weights: Shape (width,).
    """

    weights: Array

    def state(self, support: Sequence[PairRow]) -> None:
        """Nothing: it knows no person."""

    def probabilities(self, state: None, query: Sequence[PairRow]) -> Array:
        return _sigmoid(_differences(query) @ self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongerWins:
    """The longer text is preferred, as surely as it was among the people fitted on."""

    @property
    def history(self) -> Literal["none"]:
        return "none"

    @property
    def learner(self) -> Self:
        return self

    @property
    def embeds(self) -> bool:
        return False

    def fit(
        self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int
    ) -> "LengthFit":
        longer = [len(row.chosen) > len(row.rejected) for row in train]
        return LengthFit(float(np.clip(np.mean(longer), 0.501, 0.999)))


@dataclass(frozen=True, slots=True)
class LengthFit:
    """How sure it is of the longer text.

    Attributes:
        certainty: Probability of the longer text, above one half.
    """

    certainty: float

    def state(self, support: Sequence[PairRow]) -> None:
        """Nothing: it knows no person."""

    def probabilities(self, state: None, query: Sequence[PairRow]) -> Array:
        sign = np.array([np.sign(len(row.chosen) - len(row.rejected)) for row in query])
        return 0.5 + sign * (self.certainty - 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomGuess:
    """A fair coin, in expectation: one half for every pair."""

    @property
    def history(self) -> Literal["none"]:
        return "none"

    @property
    def learner(self) -> Self:
        return self

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Sequence[PairRow], validation: Sequence[PairRow], seed: int) -> "Coin":
        return Coin()


@dataclass(frozen=True, slots=True)
class Coin:
    """Knows nothing."""

    def state(self, support: Sequence[PairRow]) -> None:
        """Nothing: it knows no person."""

    def probabilities(self, state: None, query: Sequence[PairRow]) -> Array:
        return np.full(len(query), 0.5)


def _pair(row: PairRow) -> Pair:
    return Pair(prompt=row.prompt, chosen=row.chosen, rejected=row.rejected)


@lru_cache(maxsize=50_000)
def _vector(prompt: str, text: str) -> Array:
    return np.asarray(feature_map().vectors([prompt], [text])[0], dtype=np.float64)


def _differences(rows: Sequence[PairRow]) -> Array:
    """Features of the chosen less those of the rejected, shape (len(rows), width)."""
    return np.array(
        [_vector(row.prompt, row.chosen) - _vector(row.prompt, row.rejected) for row in rows]
    )


def _pooled(x: Array, ridge: float, start: Array) -> Array:
    """Weights that maximise sum log sigmoid(x w) - ridge |w|^2 / 2, by Newton from ``start``."""
    weights = start
    for _ in range(8):
        p = _sigmoid(x @ weights)
        gradient = x.T @ (1.0 - p) - ridge * weights
        curvature = (x.T * (p * (1.0 - p))) @ x + ridge * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(x @ step).max() < 1e-3:
            break
    return weights


def _sigmoid(logits: Array) -> Array:
    result: Array = np.exp(-np.logaddexp(0.0, -logits))
    return result
