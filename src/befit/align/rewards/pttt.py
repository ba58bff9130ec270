"""P-TTT: fast weights in closed form, one step of a personal head under a learned metric.

``r_u(y) = w_0 . e(y) + eta / (n + prior) * sum_i <A delta_i, A e(y)>``. On frozen features the fast
weights of the paper, which a transformer writes at each context pair, reduce to this: one gradient
step from the population's weights under the covariance ``A'A``. The metric ``A``, ``w_0`` and
``eta`` are trained end to end on pairs that were not shown.

Source: Wang et al. 2026, P-TTT, "Using context is not enough"; closed form on frozen features.

Found when checking: the sum without a mean lets long histories drown ``w_0``; dividing by
``n + prior``, with ``prior`` trained as well, is what keeps more shots from hurting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.blind import UserBlind
from befit.align.rewards.kernel import unit
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.rehearsing import LOGIT, Episode, Rehearsal, asked_loss, rehearse
from befit.align.rewards.tuning import chosen, episodes


@dataclass(frozen=True, slots=True, kw_only=True)
class PTtt:
    """Fast weights under a learned metric.

    Attributes:
        ranks: Width of the metric, to try.
        steps: Of the training.
        learning_rates: Of the training, to try.
        decay: L2 on what is trained.
    """

    ranks: tuple[int, ...] = (16, 64)
    steps: int = 300
    learning_rates: tuple[float, ...] = (0.003, 0.01)
    decay: float = 1e-4

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "PTttFit":
        rehearsal = Rehearsal.of(train, _unit)
        blind = UserBlind().fit(train, validation, seed=seed).weights
        lengths = np.linalg.norm(train.texts.vectors, axis=1).mean()
        start = blind * float(lengths) / LOGIT
        tried = [
            fit
            for rank in self.ranks
            for rate in self.learning_rates
            for fit in self._looks(rehearsal, start, rank, rate, seed)
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    def _looks(
        self, rehearsal: Rehearsal, start: Array, rank: int, rate: float, seed: int
    ) -> Iterator["PTttFit"]:
        random = torch.Generator().manual_seed(seed)
        x = rehearsal.rows
        common = torch.tensor(start, dtype=torch.float32, requires_grad=True)
        metric = torch.randn(rank, x.shape[1], generator=random) / rank**0.5
        metric.requires_grad_()
        prior = torch.tensor(1.5, requires_grad=True)  # softplus of it

        def losses(episode: Episode) -> torch.Tensor:
            shown, asked = x[torch.from_numpy(episode.shown)], x[torch.from_numpy(episode.asked)]
            counts = torch.from_numpy(episode.shown_weights)
            total = counts.sum(1, keepdim=True) + torch.nn.functional.softplus(prior)
            mean = (shown @ metric.T * (counts / total)[..., None]).sum(1)
            return asked_loss(asked @ common + ((asked @ metric.T) * mean[:, None]).sum(2), episode)

        for _ in rehearse(
            rehearsal,
            [common, metric, prior],
            losses,
            seed=seed,
            steps=self.steps,
            learning_rate=rate,
            weight_decay=self.decay,
        ):
            yield PTttFit(
                common=common.detach().numpy().astype(np.float64),
                metric=metric.detach().numpy().astype(np.float64),
                prior=float(torch.nn.functional.softplus(prior).detach()),
                slope=1.0,
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PTttFit:
    """The population's weights and the metric.

    Attributes:
        common: Weights for everyone, shape (width,).
        metric: ``A`` with ``eta`` in it, shape (rank, width).
        prior: Pairs that the population counts as.
        slope: Of the logits.
    """

    common: Array
    metric: Array
    prior: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """The fast weights of each person, shape (rank,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            keys = (_unit(pairs) * pairs.weights[:, None]).sum(axis=0) @ self.metric.T
            found.append(keys / (pairs.weights.sum() + self.prior))
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        x = _unit(pairs)
        found: Array = self.slope * (x @ self.common + (x @ self.metric.T) @ state)
        return found


def _unit(pairs: Pairs) -> Array:
    return LOGIT * unit(pairs.differences)
