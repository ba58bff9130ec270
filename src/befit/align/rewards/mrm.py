"""MRM: a meta-learned mixture of reward directions that a few steps make a person's own.

``r_u(y) = softmax(w_u)' W e(y)``. A person's ``w_u`` is ``w_0`` after a few gradient steps on their
pairs; ``W`` and ``w_0`` are trained through those steps on the pairs that were not shown. The outer
objective favours the people it serves worst: ``sum_u sigmoid((L_u - tau) / gamma) L_u`` with
``tau`` the middle of the batch.

Source: Cai et al. 2026, MRM, arXiv:2601.18731.

Found when checking: with the published settings (two directions, one inner step of 1e-3) a weight
can move by half a thousandth, so that nothing is personal; the epoch is picked on the people
tested. With eight directions, five inner steps of 0.5 and stopping on other people it personalises
and is the strongest peer; those are the settings tried here, and the inner step is chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.histories import Histories, batches
from befit.align.rewards.kernel import unit
from befit.align.rewards.method import softmax
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.rehearsing import LOGIT, Episode, Rehearsal, asked_loss, rehearse
from befit.align.rewards.tuning import chosen, episodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrm:
    """Meta-learned rewards.

    Attributes:
        directions: How many.
        inner_steps: Of a person's adaptation.
        inner_rates: Step sizes of it, to try.
        steps: Of the training; a look every twentieth part, the best look is kept.
        people_per_step: Of each.
        learning_rate: Of the training.
        robustness: Width ``gamma`` of the weight on people served badly; 0 weighs all alike.
    """

    directions: int = 8
    inner_steps: int = 5
    inner_rates: tuple[float, ...] = (0.5, 2.0, 8.0)
    steps: int = 300
    people_per_step: int = 64
    learning_rate: float = 0.01
    robustness: float = 0.5

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "MrmFit":
        rehearsal = Rehearsal.of(train, _unit)
        tried = [
            MrmFit(matrix=matrix, start=start, steps=self.inner_steps, rate=rate, slope=1.0)
            for rate in self.inner_rates
            for matrix, start in self._looks(rehearsal, rate, seed)
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    def _looks(self, rehearsal: Rehearsal, rate: float, seed: int) -> Iterator[tuple[Array, Array]]:
        """The directions (directions, width) and the starting weights at each look."""
        random = torch.Generator().manual_seed(seed)
        x = rehearsal.rows
        matrix = torch.randn(self.directions, x.shape[1], generator=random) / x.shape[1] ** 0.5
        matrix.requires_grad_()
        start = torch.zeros(self.directions, requires_grad=True)

        def losses(episode: Episode) -> torch.Tensor:
            own = self._losses(x, matrix, start, episode, rate)
            excess = (own - own.median()).detach()
            doubt = torch.sigmoid(excess / self.robustness) if self.robustness else 1.0
            return doubt * own

        for _ in rehearse(
            rehearsal,
            [matrix, start],
            losses,
            seed=seed,
            steps=self.steps,
            people_per_step=self.people_per_step,
            learning_rate=self.learning_rate,
        ):
            yield (
                matrix.detach().numpy().astype(np.float64),
                start.detach().numpy().astype(np.float64),
            )

    def _losses(
        self,
        x: torch.Tensor,
        matrix: torch.Tensor,
        start: torch.Tensor,
        episode: Episode,
        rate: float,
    ) -> torch.Tensor:
        """Log loss of each person on what is asked, after the steps on what is shown."""
        shown = x[torch.from_numpy(episode.shown)] @ matrix.T
        asked = x[torch.from_numpy(episode.asked)] @ matrix.T
        counts = torch.from_numpy(episode.shown_weights)
        share = counts / counts.sum(1, keepdim=True).clamp(min=1e-12)
        weights = start.expand(len(shown), -1)
        for _ in range(self.inner_steps):
            point = torch.softmax(weights, 1)
            margin = (shown * point[:, None]).sum(2)
            pull = (shown * (share * torch.sigmoid(-margin))[..., None]).sum(1)
            weights = weights + rate * point * (pull - (point * pull).sum(1, keepdim=True))
        return asked_loss((asked * torch.softmax(weights, 1)[:, None]).sum(2), episode)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MrmFit:
    """Directions, where a person starts among them, and how they step.

    Attributes:
        matrix: Shape (directions, width).
        start: Shape (directions,).
        steps: Of an adaptation.
        rate: Size of a step.
        slope: Of the logits.
    """

    matrix: Array
    start: Array
    steps: int
    rate: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """Each person's weights of the directions, shape (directions,)."""
        return [
            point
            for some in batches(people, self._seen, len(self.matrix))
            for point in self._stepped(some)
        ]

    def logits(self, state: Array, pairs: Pairs) -> Array:
        found: Array = self.slope * (self._seen(pairs) @ state)
        return found

    def _seen(self, pairs: Pairs) -> Array:
        found: Array = _unit(pairs) @ self.matrix.T
        return found

    def _stepped(self, histories: Histories) -> list[Array]:
        counts = histories.weights
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
        weights = np.tile(self.start, (len(histories), 1))
        for _ in range(self.steps):
            point = softmax(weights)
            margin = np.einsum("umk,uk->um", histories.rows, point)
            pull = np.einsum("um,umk->uk", share / (1.0 + np.exp(margin)), histories.rows)
            weights = weights + self.rate * point * (
                pull - (point * pull).sum(axis=1, keepdims=True)
            )
        return list(softmax(weights))


def _unit(pairs: Pairs) -> Array:
    return LOGIT * unit(pairs.differences)
