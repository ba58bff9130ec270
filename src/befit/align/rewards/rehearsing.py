"""Training through the very adaptation that a new person's answers will go through.

Some people at a time are shown a few of their pairs and asked the others; the loss on what is
asked trains what everyone shares. Knows no method: the loss is handed in.

Source: MAML, Finn et al. 2017, arXiv:1703.03400; episodes, Vinyals et al. 2016, arXiv:1606.04080.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from befit.align.rewards.pairs import Array, Pairs, Population
from befit.align.rewards.tuning import together
from befit.align.train.episodic import Episode, People, draw, one_thread
from befit.core.errors import NotEnoughFeedbackError

LOGIT = 3.0  # length that a difference is brought to, so that steps mean the same everywhere

__all__ = ["LOGIT", "Episode", "Rehearsal", "asked_loss", "rehearse"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """Everyone's decided pairs, ready to be drawn from.

    Attributes:
        pairs: Side by side, person after person.
        people: Where each person's are, and which belong together.
    """

    pairs: Pairs
    people: People

    @classmethod
    def of(cls, population: Population, seen: Callable[[Pairs], Array]) -> "Rehearsal":
        """Prepare a population.

        Args:
            population: People, of whom those without decided pairs are passed over.
            seen: The rows that stand for pairs, shape (n, width).

        Raises:
            NotEnoughFeedbackError: Nobody has a decided pair.
        """
        parts = [part for person in population if len(part := person.pairs.decided())]
        if not parts:
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        pairs = Pairs.joined(parts)
        people = People(
            differences=seen(pairs),
            weights=pairs.weights,
            starts=np.cumsum([0, *map(len, parts)]),
            groups=tuple(together(part).astype(np.int64) for part in parts),
        )
        return cls(pairs=pairs, people=people)

    @property
    def rows(self) -> torch.Tensor:
        """What stands for each pair, shape (n, width)."""
        return torch.tensor(self.people.differences, dtype=torch.float32)


def rehearse(
    rehearsal: Rehearsal,
    parameters: Sequence[torch.Tensor],
    losses: Callable[[Episode], torch.Tensor],
    *,
    seed: int,
    steps: int = 300,
    looks: int = 6,
    people_per_step: int = 64,
    learning_rate: float = 0.01,
    weight_decay: float = 0.0,
) -> Iterator[int]:
    """Train by Adam; yields the step at each look, for the caller to keep what it has.

    Args:
        rehearsal: Whom to learn from.
        parameters: What is trained, in place.
        losses: Loss of each person of an episode, shape (people,), or one number.
        seed: Decides the episodes.
        steps: How many.
        looks: How often to look, evenly spread, the last step included.
        people_per_step: Of each episode.
        learning_rate: Of Adam.
        weight_decay: L2 on what is trained.
    """
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(list(parameters), lr=learning_rate, weight_decay=weight_decay)
    people = rehearsal.people
    every = max(1, steps // looks)
    for step in range(1, steps + 1):
        some = rng.choice(len(people), min(people_per_step, len(people)), replace=False)
        shots = rng.integers(0, 17, len(some)).tolist()
        with one_thread():
            total = losses(draw(people, some.tolist(), shots, rng)).mean()
            optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if step % every == 0:
            yield step


def asked_loss(logits: torch.Tensor, episode: Episode) -> torch.Tensor:
    """Mean log loss of each person on what is asked, in nats, shape (people,).

    Args:
        logits: That the chosen text wins, shape (people, asked).
        episode: Says which of them count.
    """
    counts = torch.from_numpy(episode.asked_weights)
    loss = torch.nn.functional.softplus(-logits) * counts
    return loss.sum(1) / counts.sum(1).clamp(min=1e-12)
