"""LoRe: a few reward directions for all, a point of their simplex for each person.

``r_u(y) = softmax(omega_u)' V' e(y)``. ``V`` and the ``omega_u`` of the people learned from are
fitted together by Adam on the Bradley-Terry loss, each person counting once; of a new person only
``omega`` is, with ``V`` frozen. Rank, step size and where to stop are chosen on people kept aside.

Source: Bose et al. 2025, LoRe, arXiv:2504.14439.

Found when checking: the simplex cannot hold the reverse of a taste unless the basis holds both
signs; the published recipe has no prior on ``omega``, so that two answers move a person as far as
the steps allow. Without early stopping on other people it overfits, as its issue tracker reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.histories import Histories, batches, pooled
from befit.align.rewards.kernel import unit
from befit.align.rewards.method import softmax
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import NotEnoughFeedbackError

_LOGIT = 3.0  # scale of a unit difference, so that steps mean the same as in the default


@dataclass(frozen=True, slots=True, kw_only=True)
class LoRe:
    """Low-rank rewards on the simplex.

    Attributes:
        ranks: How many directions to try.
        steps: After how many joint steps to look; the best look is kept.
        learning_rate: Of the joint fit.
        adapt_steps: Of a new person's fit, to try.
        adapt_rate: Step size of a new person's fit.
        decay: L2 on the directions.
    """

    ranks: tuple[int, ...] = (2, 5, 10)
    steps: tuple[int, ...] = (50, 100, 200, 400)
    learning_rate: float = 0.02
    adapt_steps: tuple[int, ...] = (10, 40, 160)
    adapt_rate: float = 0.1
    decay: float = 1e-3

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "LoReFit":
        pairs, owners, weights = pooled(train)
        if not len(pairs):
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        x = torch.tensor(_LOGIT * unit(pairs.differences), dtype=torch.float32)
        whose, counts = torch.tensor(owners), torch.tensor(weights, dtype=torch.float32)
        tried = [
            LoReFit(basis=basis, steps=steps, rate=self.adapt_rate, slope=1.0)
            for rank in self.ranks
            for basis in self._looks(x, whose, counts, rank, seed)
            for steps in self.adapt_steps
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    @one_thread()
    def _looks(
        self, x: torch.Tensor, whose: torch.Tensor, counts: torch.Tensor, rank: int, seed: int
    ) -> list[Array]:
        """The directions after each number of steps, shape (width, rank) each."""
        random = torch.Generator().manual_seed(seed)
        basis = (
            torch.randn(x.shape[1], rank, generator=random) / x.shape[1] ** 0.5
        ).requires_grad_()
        omega = torch.zeros(int(whose.max()) + 1, rank).requires_grad_()
        optimizer = torch.optim.Adam([basis, omega], lr=self.learning_rate)
        people = omega.shape[0]
        looks = []
        for step in range(1, max(self.steps) + 1):
            logits = ((x @ basis) * torch.softmax(omega, 1)[whose]).sum(1)
            loss = (torch.nn.functional.softplus(-logits) * counts).sum() / people
            total = loss + self.decay * basis.square().sum()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            if step in self.steps:
                looks.append(basis.detach().numpy().astype(np.float64))
        return looks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoReFit:
    """The shared directions.

    Attributes:
        basis: Shape (width, rank).
        steps: Of a new person's fit.
        rate: Step size of it.
        slope: Of the logits.
    """

    basis: Array
    steps: int
    rate: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """Each person's point of the simplex, shape (rank,)."""
        rank = self.basis.shape[1]
        return [
            point
            for some in batches(people, self._seen, rank)
            for point in simplex(some, self.steps, self.rate)
        ]

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (self._seen(pairs) @ state)
        return found

    def _seen(self, pairs: Pairs) -> Array:
        found: Array = _LOGIT * unit(pairs.differences) @ self.basis
        return found


def simplex(histories: Histories, steps: int, rate: float) -> list[Array]:
    """Adam from the middle of the simplex on each person's mean Bradley-Terry loss.

    Args:
        histories: Margins of each head on each pair.
        steps: How many.
        rate: Step size.
    """
    x, counts = histories.rows, histories.weights
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    omega = np.zeros((len(x), x.shape[2]))
    first, second = np.zeros_like(omega), np.zeros_like(omega)
    for step in range(1, steps + 1):
        point = softmax(omega)
        margin = np.einsum("umk,uk->um", x, point)
        pull = np.einsum("um,umk->uk", share / (1.0 + np.exp(margin)), x)
        gradient = -point * (pull - (point * pull).sum(axis=1, keepdims=True))
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        omega -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return list(softmax(omega))
