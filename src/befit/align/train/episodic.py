"""Trains the shared basis through the very update that a new person's answers will go through.

An episode takes a few people, shows the head some of each one's pairs, lets it update by Newton,
and asks it the others. The gradient of that loss moves the basis and the prior, so what is learned
is how to learn a person fast; with no pair shown, it is the population model. No file is read or
written here, and nothing global is seeded.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from befit.belief.gaussian import Matrix, Vector

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]
Prior = tuple[Vector, Matrix]  # mean (r,) and covariance (r, r)

NEWTON_STEPS = 3
MOST_SHOTS = 16
_PATIENCE = 6  # looks without improvement after which training ends
_LOOK_EVERY = 20  # steps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """The pairs of some people, those of one person side by side.

    Attributes:
        differences: Chosen minus rejected at the fixed norm, shape (N, width).
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
class Head:
    """What is trained: the basis (r, width), and the prior's mean (r,) and covariance (r, r)."""

    basis: Matrix
    mean: Vector
    covariance: Matrix


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


@one_thread()
def losses(
    people: People, episodes: Sequence[Episode], basis: Matrix, priors: Sequence[Prior]
) -> list[float]:
    """Mean loss of each prior in one basis over the episodes, in nats per pair."""
    latent = _tensor(people.differences) @ _tensor(basis).T
    with torch.no_grad():
        return [
            float(
                np.mean(
                    [
                        float(loss(latent[_at(e.shown)], latent[_at(e.asked)], p, e).mean())
                        for e in episodes
                    ]
                )
            )
            for p in (_prior(mean, covariance) for mean, covariance in priors)
        ]


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


def _at(indices: Indices) -> torch.Tensor:
    return torch.from_numpy(indices)


def _tensor(values: NDArray[np.floating[Any]]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def _prior(mean: Vector, covariance: Matrix) -> tuple[torch.Tensor, torch.Tensor]:
    return _tensor(mean), _tensor(np.linalg.cholesky(covariance))


@one_thread()
def train(
    start: Head,
    people: People,
    held_out: People,
    *,
    seed: int = 0,
    steps: int = 400,
    people_per_step: int = 128,
    learning_rate: float = 5e-3,
    weight_decay: float = 1e-4,
    report: Callable[[int, int], None] = lambda _step, _steps: None,
) -> Head:
    """The head that predicts held-out people best of those met on the way, the start included.

    Adam with a cosine schedule; it ends early when held-out people stop gaining.

    Args:
        start: Where to start; its covariance must be diagonal and stays so.
        people: Whom to learn from.
        held_out: Other people, to stop by.
        seed: Same seed and machine, same head.
        steps: At most so many.
        people_per_step: Of each episode.
        learning_rate: At the first step; it falls to 0.
        weight_decay: L2 on everything trained.
        report: Told the step and the steps, for a progress bar.

    Source: MRM, arXiv:2601.18731 (learning a reward basis through the personal update); MAML,
    Finn et al. 2017, arXiv:1703.03400.
    """
    rng = np.random.default_rng(seed)
    x = _tensor(people.differences)
    episodes = fixed_episodes(held_out, seed)
    basis = _tensor(start.basis).requires_grad_()
    mean = _tensor(start.mean).requires_grad_()
    width = _tensor(0.5 * np.log(np.diag(start.covariance))).requires_grad_()
    optimizer = torch.optim.Adam([basis, mean, width], lr=learning_rate, weight_decay=weight_decay)
    best, best_loss, looks = start, float("inf"), 0
    for step in range(steps + 1):
        if step % _LOOK_EVERY == 0:
            report(step, steps)
            now = _head(basis, mean, width)
            (left,) = losses(held_out, episodes, now.basis, [(now.mean, now.covariance)])
            looks += 1
            if left < best_loss:
                best, best_loss, looks = now, left, 0
            if looks > _PATIENCE or step == steps:
                break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (0.5 + 0.5 * cos(pi * step / steps))
        chosen = rng.choice(len(people), min(people_per_step, len(people)), replace=False)
        shots = rng.integers(0, MOST_SHOTS + 1, len(chosen))
        episode = draw(people, chosen.tolist(), shots.tolist(), rng)
        prior = mean, torch.diag(width.exp())
        shown, asked = x[_at(episode.shown)] @ basis.T, x[_at(episode.asked)] @ basis.T
        total = loss(shown, asked, prior, episode).mean()
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return best


def _head(basis: torch.Tensor, mean: torch.Tensor, width: torch.Tensor) -> Head:
    def array(tensor: torch.Tensor) -> Matrix:
        return tensor.detach().numpy().astype(np.float64)

    return Head(
        basis=array(basis), mean=array(mean), covariance=np.diag(np.exp(2.0 * array(width)))
    )
