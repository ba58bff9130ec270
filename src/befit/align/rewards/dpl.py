"""DPL: no person at all, but a distribution of rewards, because people hide in the data.

``DplGaussian`` gives each text a mean and a variance, ``P = Phi((m_c - m_r) / sqrt(v_c + v_r))``;
``DplCategorical`` a distribution over ten levels, ``P = sum_{i>j} p_c(i) p_r(j) + 1/2 sum_i
p_c(i) p_r(i)``, its entropy favoured a little. `hidden_context` says how much of the variance of
the rewards is what the texts do not tell: high where people disagree.

Source: Siththaranjan, Laidlaw and Hadfield-Menell 2024, "Distributional preference learning",
ICLR 2024, arXiv:2312.08358; r^2 = 1 - E[Var] / Var.

Found when checking: the gain over one Bradley-Terry model is calibration, not accuracy: a pair's
order is the order of the means in both.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import log_ndtr

from befit.align.rewards.histories import pooled
from befit.align.rewards.method import softmax
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import NotEnoughFeedbackError

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

_LOOKS = (50, 100, 200, 400)
_DECAYS = (1e-4, 1e-3, 1e-2)
_LEVELS = 10
_ENTROPY = 0.1
_SURE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class DplGaussian:
    """Each text's reward is normal.

    Attributes:
        learning_rate: Of the fit.
        decays: L2 on the weights, to try.
    """

    learning_rate: float = 0.02
    decays: tuple[float, ...] = _DECAYS

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "GaussianFit":
        def loss(chosen_at: torch.Tensor, rejected_at: torch.Tensor) -> torch.Tensor:
            gap = chosen_at[:, 0] - rejected_at[:, 0]
            scale = (chosen_at[:, 1].exp() + rejected_at[:, 1].exp()).sqrt()
            said: torch.Tensor = torch.special.log_ndtr(gap / scale)
            return -said

        tried = [
            GaussianFit(weights=weights, slope=1.0)
            for decay in self.decays
            for weights in _looks(train, 2, loss, self.learning_rate, decay)
        ]
        found = episodes(validation, seed, shots=(0,))
        return chosen(tried, found, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GaussianFit:
    """Mean and log variance of a text's reward.

    Attributes:
        weights: Shape (width + 1, 2); the last row is the constant.
        slope: Of the logits.
    """

    weights: Array
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        one, other = (self._moments(pairs, at) for at in (pairs.chosen, pairs.rejected))
        z = (one[:, 0] - other[:, 0]) / np.sqrt(np.exp(one[:, 1]) + np.exp(other[:, 1]))
        found: Array = self.slope * (log_ndtr(z) - log_ndtr(-z))
        return found

    def hidden_context(self, vectors: Array) -> float:
        """Share of the rewards' variance that the texts tell, in [0, 1]; low where people differ.

        Args:
            vectors: Features of texts, shape (n, width).
        """
        moments = _with_one(vectors) @ self.weights
        within = float(np.exp(moments[:, 1]).mean())
        return 1.0 - within / (within + float(moments[:, 0].var()))

    def _moments(self, pairs: Pairs, at: Indices) -> Array:
        found: Array = _with_one(pairs.texts.vectors[at]) @ self.weights
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DplCategorical:
    """Each text's reward is one of ten levels.

    Attributes:
        learning_rate: Of the fit.
        decays: L2 on the weights, to try.
    """

    learning_rate: float = 0.02
    decays: tuple[float, ...] = _DECAYS

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "CategoricalFit":
        above = torch.tril(torch.ones(_LEVELS, _LEVELS), -1) + 0.5 * torch.eye(_LEVELS)

        def loss(chosen_at: torch.Tensor, rejected_at: torch.Tensor) -> torch.Tensor:
            one, other = torch.softmax(chosen_at, 1), torch.softmax(rejected_at, 1)
            won = ((one @ above) * other).sum(1)
            said = (one * one.clamp(min=_SURE).log() + other * other.clamp(min=_SURE).log()).sum(1)
            return -won.clamp(min=_SURE).log() + _ENTROPY * said / 2.0

        tried = [
            CategoricalFit(weights=weights, slope=1.0)
            for decay in self.decays
            for weights in _looks(train, _LEVELS, loss, self.learning_rate, decay)
        ]
        found = episodes(validation, seed, shots=(0,))
        return chosen(tried, found, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CategoricalFit:
    """Logits of the levels of a text's reward.

    Attributes:
        weights: Shape (width + 1, levels); the last row is the constant.
        slope: Of the logits.
    """

    weights: Array
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        one, other = (
            self._levels(pairs.texts.vectors[at]) for at in (pairs.chosen, pairs.rejected)
        )
        above = np.tril(np.ones((_LEVELS, _LEVELS)), -1) + 0.5 * np.eye(_LEVELS)
        won, lost = ((one @ above) * other).sum(axis=1), ((other @ above) * one).sum(axis=1)
        found: Array = self.slope * (np.log(won + _SURE) - np.log(lost + _SURE))
        return found

    def hidden_context(self, vectors: Array) -> float:
        """Share of the rewards' variance that the texts tell, in [0, 1]; low where people differ.

        Args:
            vectors: Features of texts, shape (n, width).
        """
        levels, at = self._levels(vectors), np.arange(_LEVELS)
        means = levels @ at
        within = float((levels @ at**2 - means**2).mean())
        return 1.0 - within / (within + float(means.var()))

    def _levels(self, vectors: Array) -> Array:
        return softmax(_with_one(vectors) @ self.weights)


def _with_one(vectors: Array) -> Array:
    return np.hstack([vectors, np.ones((len(vectors), 1))])


def _looks(
    train: Population, outputs: int, loss: Loss, rate: float, decay: float
) -> Iterator[Array]:
    """The weights at each look of a fit to everyone's pairs, each person counting once."""
    pairs, _, weights = pooled(train)
    if not len(pairs):
        raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
    vectors = torch.tensor(_with_one(train.texts.vectors), dtype=torch.float32)
    at = [torch.tensor(side) for side in (pairs.chosen, pairs.rejected)]
    counts = torch.tensor(weights / weights.sum(), dtype=torch.float32)
    matrix = torch.zeros(vectors.shape[1], outputs)
    matrix[:, 0] = 1e-3  # the levels must not start all alike
    matrix.requires_grad_()
    optimizer = torch.optim.Adam([matrix], lr=rate)
    for step in range(1, max(_LOOKS) + 1):
        with one_thread():
            rewards = vectors @ matrix
            each = loss(rewards[at[0]], rewards[at[1]])
            total = (each * counts).sum() + decay * matrix[:-1].square().sum()
            optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if step in _LOOKS:
            yield matrix.detach().numpy().astype(np.float64)
