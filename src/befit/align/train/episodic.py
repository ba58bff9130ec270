"""What is asked of a shared basis in training: episodes, and their loss after a person's update.

An episode takes a few people, shows some of each one's pairs, lets an update by Newton learn them,
and asks the others. The gradient of that loss moves what all people share, so what is learned is
how to learn a person fast; with no pair shown, it is the population model. It trains nothing
itself, and nothing global is seeded.

Source: MAML, Finn et al. 2017, arXiv:1703.03400; MRM, arXiv:2601.18731 (learning a reward basis
through the personal update).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from numpy.typing import NDArray

from befit.belief.gaussian import Matrix, Vector

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]

NEWTON_STEPS = 3
MOST_SHOTS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """The pairs of some people, those of one person side by side.

    Attributes:
        differences: Chosen minus rejected, as whoever trains sees them, shape (N, width).
        weights: How much each counts, shape (N,).
        starts: Where each person's pairs begin, shape (people + 1,).
        groups: For each person, which of their pairs belong together, numbered from 0: pairs of
            one group are never both shown and asked.
    """

    differences: Matrix
    weights: Vector
    starts: Indices
    groups: tuple[Indices, ...]

    def __len__(self) -> int:
        return len(self.groups)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """Indices of the pairs shown and asked, and their weights (0 pads); a row a person."""

    shown: Indices
    shown_weights: Floats
    asked: Indices
    asked_weights: Floats


def draw(
    people: People,
    chosen: Sequence[int],
    shots: Sequence[int],
    rng: np.random.Generator,
    most_asked: int = MOST_SHOTS,
) -> Episode:
    """Divide the pairs of some people at random into what is shown and what is asked.

    A person whose pairs all belong together is shown none.

    Args:
        people: Everyone.
        chosen: Whose pairs.
        shots: How many to show of each, where they have as many.
        rng: Decides.
        most_asked: At most so many are asked of each person.
    """
    shape = (len(chosen), max(1, *shots)), (len(chosen), most_asked)
    shown, asked = np.zeros(shape[0], np.int64), np.zeros(shape[1], np.int64)
    shown_weights, asked_weights = np.zeros(shape[0], np.float32), np.zeros(shape[1], np.float32)
    for row, (person, wanted) in enumerate(zip(chosen, shots, strict=True)):
        groups = people.groups[person]
        place = rng.permutation(groups.max() + 1)[groups] + 0.5 * rng.random(len(groups))
        order = np.argsort(place)
        count = min(wanted, len(order))
        rest = order[count:]
        if count:  # the group that the cut went through is not asked
            rest = rest[groups[rest] != groups[order[count - 1]]]
        if not len(rest):
            count, rest = 0, order
        first = int(people.starts[person])
        some, others = first + order[:count], first + rest[:most_asked]
        shown[row, :count], shown_weights[row, :count] = some, people.weights[some]
        asked[row, : len(others)], asked_weights[row, : len(others)] = (
            others,
            people.weights[others],
        )
    return Episode(
        shown=shown, shown_weights=shown_weights, asked=asked, asked_weights=asked_weights
    )


def fixed_episodes(people: People, seed: int, fewest: int = 200) -> list[Episode]:
    """The same episodes each time, at 0 to 16 shots, to compare heads by."""
    rng = np.random.default_rng(seed)
    again = max(1, -(-fewest // max(1, len(people))))
    everyone = list(range(len(people))) * min(again, 16)
    return [draw(people, everyone, [k] * len(everyone), rng, 32) for k in (0, 2, 4, 8, 16)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Small matrices: more threads would wait for each other, and add in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def loss(
    shown: torch.Tensor,
    asked: torch.Tensor,
    prior: tuple[torch.Tensor, torch.Tensor],
    episode: Episode,
) -> torch.Tensor:
    """Negative log-likelihood per asked pair of each person, shape (people,); in nats.

    Newton on the latent differences shown, in coordinates in which the prior is the unit normal;
    then the calibrated prediction of those asked. ``prior`` is its mean and a square root of its
    covariance.
    """
    mean, root = prior
    weights = torch.from_numpy(episode.shown_weights)
    a, base = shown @ root, shown @ mean
    unit = torch.eye(len(mean))
    z = torch.zeros(len(weights), len(mean))

    def curvature(p: torch.Tensor) -> torch.Tensor:
        return unit + (a * (weights * p * (1 - p))[..., None]).transpose(1, 2) @ a

    for _ in range(NEWTON_STEPS):
        p = torch.sigmoid(base + (a @ z[..., None])[..., 0])
        gradient = (a * (weights * (1 - p))[..., None]).sum(1) - z
        z = z + torch.linalg.solve(curvature(p), gradient)
    p = torch.sigmoid(base + (a @ z[..., None])[..., 0])
    ahead = asked @ root
    spread = torch.linalg.solve(curvature(p), ahead.transpose(1, 2)).transpose(1, 2)
    logits = (asked @ (mean + z @ root.T)[..., None])[..., 0]
    logits = logits / torch.sqrt(1.0 + pi / 8.0 * (ahead * spread).sum(-1))
    counts = torch.from_numpy(episode.asked_weights)
    return (torch.nn.functional.softplus(-logits) * counts).sum(1) / counts.sum(1)
