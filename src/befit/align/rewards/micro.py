"""MiCRo: a mixture of rewards whose weights depend on the prompt, then on the person.

``P = sum_k a_k sigmoid(r_k(chosen) - r_k(rejected))``. For the population ``a_k`` is a gate over
the prompt, ``softmax(G x)_k``, trained with the heads on ``-log P``. A person's history shifts it
online by Hedge: ``a_k ~ softmax(G x)_k exp(-eta sum_i loss_k(i))``.

Source: Shen et al. 2025, MiCRo, EMNLP 2025, arXiv:2505.24846; Hedge, Freund and Schapire 1997.

Found when checking: where every pair of a data set answers one prompt, the gate is one constant
mixture, and all that is personal comes from Hedge.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from befit.align.rewards.histories import pooled
from befit.align.rewards.kernel import unit
from befit.align.rewards.method import sigmoid, softmax
from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.pal import asked
from befit.align.rewards.rehearsing import LOGIT
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.core.errors import NotEnoughFeedbackError

_LOOKS = (50, 100, 200, 400)
_SURE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class MiCRo:
    """A gated mixture, shifted by Hedge.

    Attributes:
        heads: How many, to try.
        rates: ``eta`` of Hedge, to try.
        learning_rate: Of the fit.
        decay: L2 on heads and gate.
    """

    heads: tuple[int, ...] = (4, 10)
    rates: tuple[float, ...] = (0.1, 0.3, 1.0)
    learning_rate: float = 0.05
    decay: float = 1e-5

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "MiCRoFit":
        tried = [
            MiCRoFit(heads=heads, gate=gate, rate=rate, slope=1.0)
            for count in self.heads
            for heads, gate in self._looks(train, count, seed)
            for rate in self.rates
        ]
        found = episodes(validation, seed, most_people=100)
        return chosen(tried, found, lambda fit, slope: replace(fit, slope=slope))

    def _looks(self, train: Population, count: int, seed: int) -> Iterator[tuple[Array, Array]]:
        """Heads (width, count) and gate (width + 1, count) at each look."""
        pairs, _, weights = pooled(train)
        if not len(pairs):
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        random = torch.Generator().manual_seed(seed)
        x = torch.tensor(LOGIT * unit(pairs.differences), dtype=torch.float32)
        prompts = torch.tensor(asked(pairs), dtype=torch.float32)
        counts = torch.tensor(weights / weights.sum(), dtype=torch.float32)
        heads = (torch.randn(x.shape[1], count, generator=random)).requires_grad_()
        gate = torch.zeros(prompts.shape[1], count, requires_grad=True)
        optimizer = torch.optim.Adam([heads, gate], lr=self.learning_rate)
        for step in range(1, max(_LOOKS) + 1):
            with one_thread():
                votes = torch.nn.functional.logsigmoid(x @ heads)
                said = torch.logsumexp(torch.log_softmax(prompts @ gate, 1) + votes, 1)
                size = heads.square().sum() + gate.square().sum()
                total = -(said * counts).sum() + self.decay * size
                optimizer.zero_grad()
                total.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            if step in _LOOKS:
                yield (
                    heads.detach().numpy().astype(np.float64),
                    gate.detach().numpy().astype(np.float64),
                )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MiCRoFit:
    """Heads and gate.

    Attributes:
        heads: Shape (width, k).
        gate: Shape (width + 1, k).
        rate: ``eta`` of Hedge.
        slope: Of the logits.
    """

    heads: Array
    gate: Array
    rate: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """What Hedge adds to the logits of the gate, shape (k,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            lost = np.logaddexp(0.0, -self._votes(pairs)) * pairs.weights[:, None]
            found.append(-self.rate * lost.sum(axis=0))
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        votes = self._votes(pairs)
        mixture = softmax(asked(pairs) @ self.gate + state)
        won, lost = ((mixture * sigmoid(v)).sum(axis=1) for v in (votes, -votes))
        found: Array = self.slope * (np.log(won + _SURE) - np.log(lost + _SURE))
        return found

    def _votes(self, pairs: Pairs) -> Array:
        found: Array = LOGIT * unit(pairs.differences) @ self.heads
        return found
