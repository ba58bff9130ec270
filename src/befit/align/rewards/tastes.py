"""How people differ: latent coordinates of texts, trained through the update of a person.

Coordinate 0 of a text is what everyone thinks of it (`agreed`); a person's weight of it is around
1: how far they go along with the crowd. The others are ``c = B phi + e``: of its features, and of
the very text where several people met it. They start as the directions in which people's
disagreement with the crowd varies, and are trained episodically through the Newton steps of a
person; their weights have mean 0, so that who said nothing is the crowd. While training some texts
count as never met, so that the features learn to stand for them.

Source: LoRe arXiv:2504.14439 and PReF arXiv:2503.06358 (low-rank start), MRM arXiv:2601.18731
(training through the personal update); DropoutNet, Volkovs et al. 2017 (texts never met).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array

from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Array, Indices, Pairs, Population, Texts
from befit.align.rewards.tuning import together
from befit.align.train.episodic import (
    Episode,
    People,
    draw,
    fixed_episodes,
    loss,
    one_thread,
)
from befit.belief.logistic import newton

NORM = 3.0  # of a typical pair's features, before the basis
NEAR = 0.1  # features nearer than this say little, and are not blown up
GAIN = 1.0  # how large a text's own coordinates start beside those of its features
CROWD_SPREAD = 1.0  # of people's weight of what everyone thinks, at the start
SHARPEN = 1.5  # power of how much people vary: chance flattens what few people show
LEAST_SPREAD = 0.01  # of a coordinate, beside the first, as variances at the start
PRIOR_PEOPLE = 50.0  # who the belief that coordinates are independent counts as
MOST_POLISHED = 1000  # people whose posteriors the covariance is refitted to
_SHRINK = 4.0  # pairs of a crowd that a person's disagreement is averaged with
_MOST_SHOTS = 16
_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What is fixed of the texts while tastes are learned.

    Attributes:
        texts: The texts.
        slot: Where a text's own coordinates stand, -1 of one that was not met, shape (texts,).
        scale: What brings a typical difference of features to `NORM`.
    """

    texts: Texts
    slot: Indices
    scale: float

    @classmethod
    def of(cls, known: NDArray[np.bool_], pairs: Pairs) -> "Table":
        """Fix it.

        Args:
            known: Texts that have coordinates of their own.
            pairs: Tell how far apart texts typically are.
        """
        lengths = np.linalg.norm(pairs.differences, axis=1)
        return cls(
            texts=pairs.texts,
            slot=np.where(known, np.cumsum(known) - 1, -1),
            scale=NORM / max(float(np.median(lengths)), NEAR),
        )

    @property
    def met(self) -> int:
        """How many texts have coordinates of their own."""
        return int(self.slot.max(initial=-1)) + 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tastes:
    """Coordinates of texts, and how people's weights of them lie.

    Attributes:
        basis: Scaled features to coordinates, shape (r, width).
        own: What each text that was met has beyond its features, shape (met, r).
        mean: Of people's weights, shape (1 + r,): 1 of what everyone thinks, 0 of all else, until
            training moves the first.
        covariance: Of people's weights, shape (1 + r, 1 + r).
    """

    basis: Array
    own: Array
    mean: Array
    covariance: Array

    def rows(self, crowd: "Crowd", table: Table) -> Array:
        """Coordinates of the chosen less those of the rejected, shape (n, 1 + r)."""
        latent = crowd.pairs.differences @ self.basis.T
        for sign, at in ((1.0, crowd.pairs.chosen), (-1.0, crowd.pairs.rejected)):
            slot = table.slot[at]
            if len(self.own):
                latent += sign * self.own[slot] * (slot >= 0)[:, None]
        return np.column_stack([crowd.agreed, table.scale * latent])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crowd:
    """People side by side, ready for episodes.

    Attributes:
        pairs: Everyone's decided pairs.
        agreed: By how much everyone prefers the chosen text of each, shape (n,).
        people: Whose they are, and which belong together.
    """

    pairs: Pairs
    agreed: Array
    people: People

    @classmethod
    def of(cls, population: Population, agreed: Callable[[Pairs, Indices], Array]) -> "Crowd":
        """People with at least one decided pair.

        Args:
            population: The people.
            agreed: By how much everyone prefers the chosen text of pairs, given whose they are.
        """
        parts = [part for person in population if len(part := person.pairs.decided())]
        pairs = Pairs.joined(parts)
        people = People(
            differences=np.empty((len(pairs), 0)),
            weights=pairs.weights,
            starts=np.cumsum([0, *map(len, parts)]),
            groups=tuple(together(part).astype(np.int64) for part in parts),
        )
        owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls(pairs=pairs, agreed=agreed(pairs, owners), people=people)

    @property
    def owners(self) -> Indices:
        """Whose each pair is, shape (n,)."""
        return np.repeat(np.arange(len(self.people)), np.diff(self.people.starts))


def begin(crowd: Crowd, table: Table, rank: int, seed: int) -> Tastes:
    """Coordinates in closed form: where people disagree with the crowd, and how together.

    Args:
        crowd: Whom to learn from.
        table: Of their texts.
        rank: How many coordinates, at most.
        seed: Of the sketch that finds the directions.
    """
    pairs, people = crowd.pairs, crowd.people
    count = len(people)
    owners = crowd.owners
    surprise = sigmoid(-crowd.agreed)
    totals = np.bincount(owners, pairs.weights, count) + _SHRINK
    pull = pairs.weights * surprise / totals[owners]
    texts = np.concatenate([pairs.chosen, pairs.rejected])
    used, place = np.unique(texts, return_inverse=True)
    votes = coo_array(
        (np.concatenate([pull, -pull]), (np.tile(owners, 2), place)), shape=(count, len(used))
    ).tocsr()
    slot = table.slot[used]
    own_votes = np.zeros((count, table.met))
    own_votes[:, slot[slot >= 0]] = GAIN * votes[:, np.flatnonzero(slot >= 0)].toarray()
    rows = np.hstack([votes @ pairs.texts.vectors[used], own_votes])
    rows -= rows.mean(axis=0)
    right = _directions(rows, rank, np.random.default_rng(seed))
    varies = ((rows @ right.T) ** 2).mean(axis=0) ** SHARPEN
    width = pairs.texts.features.width
    spread = np.append(CROWD_SPREAD**2, LEAST_SPREAD + varies / max(varies.max(initial=0.0), 1e-9))
    return Tastes(
        basis=right[:, :width],
        own=GAIN * right[:, width:].T,
        mean=np.eye(1, 1 + len(right))[0],
        covariance=np.diag(spread),
    )


def _directions(rows: Array, rank: int, rng: np.random.Generator) -> Array:
    """Leading right singular vectors, shape (rank, columns), by a sketch and a few rounds.

    Source: Halko, Martinsson and Tropp 2011, Finding structure with randomness.
    """
    kept = min(rank, *rows.shape)
    sketch = rows.T @ rng.standard_normal((len(rows), min(kept + 8, *rows.shape)))
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(sketch)
        sketch = rows.T @ (rows @ basis)
    basis, _ = np.linalg.qr(sketch)
    _, _, right = np.linalg.svd(rows @ basis, full_matrices=False)
    found: Array = (right @ basis.T)[:kept]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How coordinates are trained.

    Attributes:
        steps: At most so many.
        people_per_step: Of each episode.
        learning_rate: At the first step; it falls to 0.
        decay: Share by which a text's own coordinates shrink in a step, times the rate.
        drop: Share of the texts met that count as never met in a step.
        look_every: Steps between two looks at people kept aside.
        patience: Looks without improvement after which it ends.
    """

    steps: int = 400
    people_per_step: int = 64
    learning_rate: float = 4e-3
    decay: float = 0.1
    drop: float = 0.1
    look_every: int = 25
    patience: int = 5


class _Trained:
    """What training moves."""

    def __init__(self, begun: Tastes, table: Table) -> None:
        def tensor(values: Array) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.float32)

        spread = 0.5 * np.log(np.diag(begun.covariance))
        self.basis, self.mean, self.width, self.own = moved = [
            tensor(values).requires_grad_()
            for values in (begun.basis, begun.mean[:1], spread, begun.own)
        ]
        self.moved = moved
        self.rest = tensor(begun.mean[1:])
        self.features = tensor(table.scale * table.texts.vectors)
        self.slot = torch.from_numpy(table.slot)
        self.scale = table.scale

    def loss(self, crowd: Crowd, episode: Episode, kept: torch.Tensor) -> torch.Tensor:
        """Mean loss of what is asked after what is shown; where ``kept`` is 0 a text is new."""
        at = np.concatenate([episode.shown, episode.asked], axis=1)
        sides = torch.from_numpy(np.stack([crowd.pairs.chosen[at], crowd.pairs.rejected[at]]))
        texts, place = torch.unique(sides, return_inverse=True)
        latent = self.features[texts] @ self.basis.T
        if len(self.own):
            slot = self.slot[texts]
            known = (slot >= 0) * kept[slot]
            latent = latent + self.scale * self.own[slot] * known[:, None]
        agreed = torch.tensor(crowd.agreed[at], dtype=torch.float32)
        rows = torch.cat([agreed[..., None], latent[place[0]] - latent[place[1]]], 2)
        cut = episode.shown.shape[1]
        mean = torch.cat([self.mean, self.rest])
        prior = mean, torch.diag(self.width.exp())
        return loss(rows[:, :cut], rows[:, cut:], prior, episode).mean()

    def tastes(self) -> Tastes:
        basis, mean, width, own, rest = (
            each.detach().numpy().astype(np.float64) for each in (*self.moved, self.rest)
        )
        return Tastes(
            basis=basis,
            own=own,
            mean=np.concatenate([mean, rest]),
            covariance=np.diag(np.exp(2.0 * width)),
        )


@one_thread()
def train(
    begun: Tastes,
    crowd: Crowd,
    table: Table,
    training: Training,
    *,
    seed: int,
    held_out: Crowd,
) -> Tastes:
    """Train coordinates.

    Args:
        begun: Where to start; its covariance must be diagonal and stays so.
        crowd: Whom to learn from.
        table: Of their texts.
        training: How.
        seed: Same seed and machine, same coordinates.
        held_out: Other people, to stop by.

    Returns:
        The coordinates that predict people kept aside best of those met on the way, the start
        included.
    """
    rng = np.random.default_rng(seed)
    moved = _Trained(begun, table)
    optimizer = torch.optim.Adam(moved.moved, lr=training.learning_rate)
    episodes = fixed_episodes(held_out.people, seed, fewest=100)
    everything = torch.ones(max(1, table.met))
    best, best_loss, looks = begun, float("inf"), 0
    for step in range(training.steps + 1):
        if step % training.look_every == 0:
            with torch.no_grad():
                found = [float(moved.loss(held_out, each, everything)) for each in episodes]
            looks += 1
            if np.mean(found) < best_loss:
                best, best_loss, looks = moved.tastes(), float(np.mean(found)), 0
            if looks > training.patience or step == training.steps:
                break
        rate = training.learning_rate * (0.5 + 0.5 * cos(pi * step / training.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        people = crowd.people
        some = rng.choice(len(people), min(training.people_per_step, len(people)), replace=False)
        shots = rng.integers(0, _MOST_SHOTS + 1, len(some)).tolist()
        kept = torch.tensor(rng.random(len(everything)) >= training.drop, dtype=torch.float32)
        total = moved.loss(crowd, draw(people, some.tolist(), shots, rng), kept)
        optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            moved.own.mul_(1.0 - training.decay * rate)
    return best


def polish(tastes: Tastes, crowd: Crowd, table: Table) -> Tastes:
    """Refit how people's weights vary to the whole posterior of each, with a full covariance.

    Expectation-maximisation with Laplace posteriors; what ties coordinates together is shrunk.

    Source: empirical Bayes, e.g. Efron and Morris 1973; MacKay 1992.
    """
    starts, pairs = crowd.people.starts[: MOST_POLISHED + 1], crowd.pairs
    rows = tastes.rows(crowd, table)
    mean, covariance = tastes.mean, tastes.covariance
    for _ in range(_ROUNDS):
        folded = [
            newton(mean, covariance, rows[a:b], pairs.weights[a:b])
            for a, b in pairwise(starts.tolist())
        ]
        around = np.array([mode for mode, _ in folded]) - mean
        covariance = np.mean([spread for _, spread in folded], axis=0)
        covariance = covariance + around.T @ around / len(around)
        kept = len(around) / (len(around) + PRIOR_PEOPLE)
        covariance = kept * covariance + (1.0 - kept) * np.diag(np.diag(covariance))
    return replace(tastes, covariance=covariance)


@one_thread()
def losses(
    tastes: Tastes,
    crowd: Crowd,
    table: Table,
    *,
    seed: int,
    widths: Sequence[float] = (1.0,),
    slopes: Sequence[float] = (1.0,),
) -> Array:
    """How people kept aside are predicted under each width of the prior and slope of the logits.

    Returns:
        Log loss of each person in nats a pair, after 0 to 16 pairs in equal shares, shape
        (widths, slopes, people).
    """
    seen = torch.tensor(tastes.rows(crowd, table), dtype=torch.float32)
    mean = torch.tensor(tastes.mean, dtype=torch.float32)
    root = torch.tensor(np.linalg.cholesky(tastes.covariance), dtype=torch.float32)
    episodes = fixed_episodes(crowd.people, seed + 1)
    found = np.zeros((len(widths), len(slopes), len(crowd.people)))
    with torch.no_grad():
        for episode in episodes:
            shown, asked = seen[episode.shown], seen[episode.asked]
            for i, width in enumerate(widths):
                for j, slope in enumerate(slopes):
                    prior = mean, width**0.5 * root
                    own = loss(slope * shown, slope * asked, prior, episode).numpy()
                    found[i, j] += own.reshape(-1, len(crowd.people)).mean(axis=0)
    return found / len(episodes)
