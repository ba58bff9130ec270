"""Comparisons that may end in a tie: what they say of a taste, and of how readily one ties.

Beside the preferred side there is a third answer, "neither": with logit d and threshold t,

    P(first) ~ exp(d / 2),   P(second) ~ exp(-d / 2),   P(tie) ~ exp(t).

Of decided pairs alone this is the logistic model, so a taste means the same with ties and without;
a tie says that the two are near. t is personal: some people seldom commit themselves. It learns no
features.

Source: Davidson 1970, "On extending the Bradley-Terry model to accommodate ties in paired
comparison experiments", his nu being exp(t); Laplace's method as in `belief.logistic`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from befit.belief.gaussian import Matrix, Vector

_HALVINGS = 20
_TOLERANCE = 1e-10  # Newton decrement, in nats, at which a further step changes nothing


def chances(logits: Vector, thresholds: Vector | float) -> Matrix:
    """Probabilities of first, second and tie, shape (n, 3).

    Args:
        logits: Log-odds of the first over the second, shape (n,).
        thresholds: t, shape (n,) or one number.
    """
    t = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), logits.shape)
    powers = np.stack([0.5 * logits, -0.5 * logits, t], axis=1)
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    found: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return found


def newton(
    prior_mean: Vector,
    prior_covariance: Matrix,
    differences: Matrix,
    tied: NDArray[np.bool_] | Sequence[bool],
    weights: Vector,
    *,
    steps: int = 20,
) -> tuple[Vector, Matrix]:
    """Laplace posterior of a taste and a threshold, the last coordinate.

    Args:
        prior_mean: Shape (r + 1,).
        prior_covariance: Shape (r + 1, r + 1), positive definite.
        differences: Chosen minus rejected, shape (n, r); of a tie either minus the other.
        tied: Which ended in a tie, shape (n,).
        weights: How much each counts, >= 0, shape (n,).
        steps: Most Newton steps; it stops sooner where a step changes nothing.

    Returns:
        Mode (r + 1,) and covariance (r + 1, r + 1). Without observations exactly the prior.
        Independent, to the bit, of the order of the observations and of which side of a tie is
        named first.
    """
    x = np.asarray(differences, dtype=np.float64)
    if not len(x):
        return prior_mean.copy(), prior_covariance.copy()
    tie = np.asarray(tied, dtype=bool)
    w = np.asarray(weights, dtype=np.float64)
    x = np.where(tie[:, None] & _turned(x)[:, None], -x, x) + 0.0
    order = np.lexsort((w, tie, *x.T))
    x, tie, w = x[order], tie[order], w[order]
    root = np.linalg.cholesky(prior_covariance)
    won, lost, drew = 0.5 * x @ root[:-1], -0.5 * x @ root[:-1], root[-1]
    sides = np.stack([won, lost, np.broadcast_to(drew, won.shape)], axis=1)
    start = 0.5 * x @ prior_mean[:-1]
    base = np.stack([start, -start, np.full(len(x), prior_mean[-1])], axis=1)
    z, curvature = _climb(sides, base, np.where(tie, 2, 0), w, steps)
    half = root @ np.linalg.inv(np.linalg.cholesky(curvature)).T
    return prior_mean + root @ z, half @ half.T


def _turned(x: Matrix) -> NDArray[np.bool_]:
    """Rows whose first number that is not 0 is below 0."""
    first = np.argmax(x != 0.0, axis=1)
    found: NDArray[np.bool_] = x[np.arange(len(x)), first] < 0.0
    return found


def _climb(
    sides: NDArray[np.float64], base: Matrix, answer: NDArray[np.intp], w: Vector, steps: int
) -> tuple[Vector, Matrix]:
    """Mode z of ``sum w log softmax(base + sides z)[answer] - |z|^2 / 2``; minus its Hessian."""
    rows, unit = np.arange(len(base)), np.eye(sides.shape[2])
    said = sides[rows, answer]

    def joint(z: Vector) -> float:
        powers = base + sides @ z
        most = powers.max(axis=1)
        total = most + np.log(np.exp(powers - most[:, None]).sum(axis=1))
        return float(w @ (powers[rows, answer] - total) - 0.5 * (z @ z))

    def slopes(z: Vector) -> tuple[Vector, Matrix]:
        powers = base + sides @ z
        p = np.exp(powers - powers.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        mean = np.einsum("na,nar->nr", p, sides)
        spread = np.einsum("na,nar,nas->rs", w[:, None] * p, sides, sides)
        return (w[:, None] * (said - mean)).sum(axis=0) - z, unit + spread - (mean.T * w) @ mean

    z = np.zeros(sides.shape[2])
    value = joint(z)
    for _ in range(steps):
        gradient, curvature = slopes(z)
        step = np.linalg.solve(curvature, gradient)
        if gradient @ step < _TOLERANCE:
            break
        size = 1.0
        for _ in range(_HALVINGS):
            tried = joint(z + size * step)
            if tried >= value:
                break
            size *= 0.5
        else:
            break  # no step improves any more at this precision
        z, value = z + size * step, tried
    return z, slopes(z)[1]
