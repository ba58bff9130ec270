"""Where the training of the reward starts and ends: a first basis, and the scale of the prior.

The first coordinate of the start is what everyone wants, a ridge Bradley-Terry model; the others
are the directions in which people's mean differences vary. The end is a choice on held-out people:
how wide the prior and how steep the logits, so that predictions are calibrated.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import log

import numpy as np
import torch

from befit.align.train.episodic import Head, People, fixed_episodes, losses, one_thread
from befit.belief.gaussian import Matrix, Vector
from befit.belief.logistic import newton

RIDGES = (300.0, 100.0, 30.0, 10.0, 3.0)
WIDTHS = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 1.6)  # of the prior's covariance
SLOPES = (0.6, 0.8, 1.0, 1.2, 1.5)  # of the logits; 1 over a temperature
SHRINK = 0.1
_POLISH_ROUNDS = 4
_ASCENTS = 60
_FOLDS = 5
_SLOPE_SPREAD = 0.3  # of its logarithm, from one set of people to another


@one_thread()
def start(people: People, held_out: People, rank: int) -> Head:
    """A basis and a prior in closed form.

    Args:
        people: Whom to learn from.
        held_out: Other people, who help to choose the ridge.
        rank: How many latent coordinates; at most the width of the features.

    Source: LoRe, arXiv:2504.14439, and PReF, arXiv:2503.06358 (low-rank initialisation).
    """
    common = _common(people, held_out)
    length = max(float(np.linalg.norm(common)), 1e-6)
    first = common / length
    means = _means(people)
    rows = np.vstack([first, *_directions(means - np.outer(means @ first, first), rank - 1)])
    if len(rows) < rank:  # fewer people than coordinates: fill with how pairs vary
        left = people.differences - people.differences @ rows.T @ rows
        rows = np.vstack([rows, *_directions(left, rank - len(rows))])
    mean = np.zeros(len(rows))
    mean[0] = length
    return Head(basis=rows, mean=mean, covariance=np.eye(len(rows)))


def _directions(rows: Matrix, count: int) -> Matrix:
    """Leading right singular vectors, at most ``count``; none of negligible size."""
    values, vectors = (found.numpy() for found in torch.linalg.eigh(_square(rows)))
    kept = np.argsort(values)[::-1][:count]
    kept = kept[values[kept] > 1e-9 * max(1.0, float(values.max()))]
    return np.asarray(vectors.T[kept], dtype=np.float64)


def _square(rows: Matrix) -> torch.Tensor:
    table = torch.from_numpy(rows)
    return table.T @ table


def _means(people: People) -> Matrix:
    """Each person's mean difference, that of a person with few pairs shrunk."""
    starts = people.starts[:-1]
    sums = np.add.reduceat(people.differences * people.weights[:, None], starts)
    counts = np.add.reduceat(people.weights, starts)
    return np.asarray(sums / (counts + 4.0)[:, None], dtype=np.float64)


def _common(people: People, held_out: People) -> Vector:
    """Bradley-Terry weights for everyone, the ridge chosen by folds of all people."""
    everyone = [
        (part.differences[a:b], part.weights[a:b])
        for part in (people, held_out)
        for a, b in zip(part.starts[:-1], part.starts[1:], strict=True)
    ]
    folds = min(_FOLDS, len(everyone))
    total = np.zeros(len(RIDGES))
    for fold in range(folds):
        x, w = _joined([own for i, own in enumerate(everyone) if i % folds != fold])
        asked, counts = _joined(everyone[fold::folds])
        total += [
            counts @ np.logaddexp(0.0, -asked @ beta) for beta in _bradley_terry(x, w, RIDGES)
        ]
    chosen = RIDGES[: int(np.argmin(total)) + 1]  # from the strongest on: each starts at the last
    return _bradley_terry(people.differences, people.weights, chosen)[-1]


def _joined(people: Sequence[tuple[Matrix, Vector]]) -> tuple[Matrix, Vector]:
    return np.concatenate([x for x, _ in people]), np.concatenate([w for _, w in people])


def _bradley_terry(x: Matrix, w: Vector, ridges: Sequence[float]) -> list[Vector]:
    """Weights under each ridge, strong to weak.

    Ascends the quadratic lower bound of the log-likelihood, whose curvature never changes, so one
    eigendecomposition serves every ridge. Source: Boehning 1992, multinomial logistic regression.
    """
    pairs, weights = torch.from_numpy(x), torch.from_numpy(w)
    values, vectors = torch.linalg.eigh(0.25 * (pairs.T * weights) @ pairs)
    beta = torch.zeros(x.shape[1], dtype=torch.float64)
    found = []
    for ridge in ridges:
        for _ in range(_ASCENTS):
            gradient = pairs.T @ (weights * torch.sigmoid(-(pairs @ beta))) - ridge * beta
            step = vectors @ ((vectors.T @ gradient) / (values + ridge))
            beta = beta + step
            if step.abs().max() < 1e-3:
                break
        found.append(beta.numpy())
    return found


def polish(head: Head, people: People) -> Head:
    """Refit the prior alone to the whole posterior of each person, with a full covariance.

    Expectation-maximisation with Laplace posteriors; the covariance is shrunk towards a sphere.

    Source: empirical Bayes, e.g. Efron and Morris 1973; MacKay 1992.
    """
    latent = people.differences @ head.basis.T
    mean, covariance = head.mean, head.covariance
    for _ in range(_POLISH_ROUNDS):
        folded = [
            newton(mean, covariance, latent[a:b], people.weights[a:b])
            for a, b in zip(people.starts[:-1], people.starts[1:], strict=True)
        ]
        modes = np.array([mode for mode, _ in folded])
        mean = modes.mean(axis=0)
        around = modes - mean
        covariance = np.mean([spread for _, spread in folded], axis=0)
        covariance = covariance + around.T @ around / len(modes)
        sphere = np.trace(covariance) / len(mean) * np.eye(len(mean))
        covariance = (1.0 - SHRINK) * covariance + SHRINK * sphere
    return replace(head, mean=mean, covariance=covariance)


def calibrated(heads: list[Head], held_out: People, seed: int) -> Head:
    """The head, width of its prior and slope of its logits that predict held-out people best.

    The slope is folded into the basis, so that whoever reads a posterior reads calibrated logits.
    """
    episodes = fixed_episodes(held_out, seed + 1)
    best, best_loss = heads[0], float("inf")
    for head, slope in product(heads, SLOPES):
        basis = slope * head.basis
        widths = [(head.mean, width * head.covariance) for width in WIDTHS]
        # A few people may agree or disagree with all others by chance: the slope needs reasons.
        doubt = 0.5 * (log(slope) / _SLOPE_SPREAD) ** 2 / len(held_out)
        found = [loss + doubt for loss in losses(held_out, episodes, basis, widths)]
        at = int(np.argmin(found))
        if found[at] < best_loss:
            mean, covariance = widths[at]
            best, best_loss = Head(basis=basis, mean=mean, covariance=covariance), found[at]
    return best
