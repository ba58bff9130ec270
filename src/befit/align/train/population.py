"""Where the training of the reward starts and ends: a first basis, and the scale of the prior.

The first coordinate of the start is what everyone wants, a ridge Bradley-Terry model; the others
are the directions in which people's mean differences vary. The end is a choice on held-out people:
how wide the prior and how steep the logits, so that predictions are calibrated.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from befit.align.train.episodic import Head, People, fixed_episodes, losses
from befit.belief.gaussian import Matrix, Vector
from befit.belief.logistic import newton

RIDGES = (300.0, 100.0, 30.0, 10.0, 3.0)
WIDTHS = (0.01, 0.03, 0.1, 0.3, 0.6, 1.0, 1.6)  # of the prior's covariance
SLOPES = (0.6, 0.8, 1.0, 1.2, 1.5)  # of the logits; 1 over a temperature
SHRINK = 0.1
_POLISH_ROUNDS = 4
_ASCENTS = 60


def start(people: People, held_out: People, rank: int) -> Head:
    """A basis and a prior in closed form.

    Args:
        people: Whom to learn from.
        held_out: Other people, to choose the ridge by.
        rank: How many latent coordinates; at most the width of the features.

    Source: LoRe, arXiv:2504.14439, and PReF, arXiv:2503.06358 (low-rank initialisation).
    """
    common = _ridge(people, held_out)
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
    values, vectors = np.linalg.eigh(rows.T @ rows)
    kept = np.argsort(values)[::-1][:count]
    kept = kept[values[kept] > 1e-9 * max(1.0, float(values.max()))]
    return np.asarray(vectors.T[kept], dtype=np.float64)


def _means(people: People) -> Matrix:
    """Each person's mean difference, that of a person with few pairs shrunk."""
    starts = people.starts[:-1]
    sums = np.add.reduceat(people.differences * people.weights[:, None], starts)
    counts = np.add.reduceat(people.weights, starts)
    return np.asarray(sums / (counts + 4.0)[:, None], dtype=np.float64)


def _ridge(people: People, held_out: People) -> Vector:
    """Bradley-Terry weights for everyone, the ridge chosen on held-out people.

    Ascends the quadratic lower bound of the log-likelihood, whose curvature never changes, so one
    eigendecomposition serves every ridge. Source: Boehning 1992, multinomial logistic regression.
    """
    x, w = people.differences, people.weights
    values, vectors = np.linalg.eigh(0.25 * (x.T * w) @ x)
    beta = np.zeros(x.shape[1])
    tried: list[tuple[float, Vector]] = []
    for ridge in RIDGES:
        for _ in range(_ASCENTS):
            gradient = x.T @ (w / (1.0 + np.exp(x @ beta))) - ridge * beta
            step = vectors @ ((vectors.T @ gradient) / (values + ridge))
            beta = beta + step
            if np.abs(step).max() < 1e-3:
                break
        loss = np.average(np.logaddexp(0.0, -held_out.differences @ beta), weights=held_out.weights)
        tried.append((float(loss), beta))
    return min(tried, key=lambda pair: pair[0])[1]


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
        found = losses(held_out, episodes, basis, widths)
        at = int(np.argmin(found))
        if found[at] < best_loss:
            mean, covariance = widths[at]
            best, best_loss = Head(basis=basis, mean=mean, covariance=covariance), found[at]
    return best
