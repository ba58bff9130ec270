"""Bayesian logistic regression on a few comparisons: the whole posterior, or one at a time.

`newton` folds all observations and is the truth: the same observations in any order give the same
bits, and leaving one out gives exactly what would have been without it. `rank_one` moves a belief
by one observation in microseconds; of the first it says the same, then it drifts a little. Neither
learns the features.
"""

from math import sqrt

import numpy as np

from befit.belief.gaussian import Matrix, Vector, sigmoid

_HALVINGS = 20
_SCALAR_STEPS = 60
_SCALAR_TOLERANCE = 1e-12
_TOLERANCE = 1e-10  # Newton decrement, in nats, at which a further step changes nothing


def newton(
    prior_mean: Vector,
    prior_covariance: Matrix,
    differences: Matrix,
    weights: Vector,
    offsets: Vector | float = 0.0,
    *,
    steps: int = 12,
) -> tuple[Vector, Matrix]:
    """Laplace posterior of ``sum_i w_i log sigmoid(x_i . theta + o_i) + log N(theta; m, C)``.

    Damped Newton in coordinates in which the prior is the unit normal, so that a narrow or even
    singular prior stays well conditioned.

    Args:
        prior_mean: m, shape (r,).
        prior_covariance: C, shape (r, r), positive semi-definite.
        differences: x, chosen minus rejected, shape (n, r).
        weights: How much each counts, >= 0, shape (n,).
        offsets: What each logit has beside theta, shape (n,) or one number.
        steps: Most Newton steps; it stops sooner where a step changes nothing.

    Returns:
        Mode (r,) and covariance (r, r). Without observations exactly the prior. Independent, to
        the bit, of the order of the observations.

    Source: survey arXiv:2503.17003 section 4.2 (encoding); Rasmussen and Williams 2006, alg. 3.1.
    """
    x = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    if x.size == 0 or steps < 1:
        return prior_mean.copy(), prior_covariance.copy()
    w = np.asarray(weights, dtype=np.float64)
    o = np.broadcast_to(np.asarray(offsets, dtype=np.float64), w.shape)
    order = np.lexsort((w, o, *x.T))
    x, w, o = x[order], w[order], o[order]

    root = _root(prior_covariance)
    a = x @ root
    base = x @ prior_mean + o
    z, curvature = _climb(a, w, base, steps)
    half = root @ np.linalg.inv(np.linalg.cholesky(curvature)).T
    return prior_mean + root @ z, half @ half.T


def _climb(a: Matrix, w: Vector, base: Vector, steps: int) -> tuple[Vector, Matrix]:
    """Mode z of ``sum w log sigmoid(base + a z) - |z|^2 / 2``, and minus the Hessian there."""
    unit = np.eye(a.shape[1])
    z = np.zeros(a.shape[1])
    logits = base
    value = _log_joint(logits, w, z)
    for _ in range(steps):
        p = _sigmoids(logits)
        gradient = a.T @ (w * (1.0 - p)) - z
        step = np.linalg.solve(unit + (a.T * (w * p * (1.0 - p))) @ a, gradient)
        if gradient @ step < _TOLERANCE:
            break
        along = a @ step
        size = 1.0
        for _ in range(_HALVINGS):
            tried = _log_joint(logits + size * along, w, z + size * step)
            if tried >= value:
                break
            size *= 0.5
        else:
            break  # no step improves any more at this precision
        z, logits, value = z + size * step, logits + size * along, tried
    p = _sigmoids(logits)
    return z, unit + (a.T * (w * p * (1.0 - p))) @ a


def _sigmoids(logits: Vector) -> Vector:
    return np.exp(-np.logaddexp(0.0, -logits))


def _log_joint(logits: Vector, w: Vector, z: Vector) -> float:
    return float(-(w @ np.logaddexp(0.0, -logits)) - 0.5 * (z @ z))


def _root(covariance: Matrix) -> Matrix:
    """A square root R with ``R R' = covariance``; also of a singular one."""
    try:
        root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return root


def rank_one(
    mean: Vector, covariance: Matrix, delta: Vector, weight: float = 1.0
) -> tuple[Vector, Matrix]:
    """The belief after one more comparison; ten microseconds at r = 64.

    The mode moves along ``covariance @ delta`` alone, so one number finds it exactly: this is what
    `newton` says of one observation, and no surprise makes it overshoot.

    Args:
        mean: Shape (r,); left as it is.
        covariance: Shape (r, r); left as it is.
        delta: Features of the chosen minus those of the rejected, shape (r,).
        weight: How much it counts, >= 0.

    Returns:
        New mean and covariance. ``mean @ delta`` never falls, and no variance grows.

    Source: the iterated extended Kalman filter on the logistic likelihood; Bell and Cathey 1993.
    """
    spread = covariance @ delta
    variance = max(0.0, float(spread @ delta))
    step, p = _one_step(float(mean @ delta), variance, weight)
    information = weight * p * (1.0 - p)
    scaled = sqrt(information / (1.0 + information * variance)) * spread
    return mean + step * spread, covariance - np.multiply.outer(scaled, scaled)


def _one_step(logit: float, variance: float, weight: float) -> tuple[float, float]:
    """The root a of ``a = weight (1 - p)`` with ``p = sigmoid(logit + a variance)``, and p there.

    The difference of its sides grows in a and changes sign within [0, weight]: Newton, bisecting
    where it would leave that, or where its steps do not halve, for it may go to and fro for ever.

    Source: safeguarded Newton, Press et al. 1992, section 9.4.
    """
    low, high, a, last = 0.0, weight, 0.0, weight
    p = sigmoid(logit)
    for _ in range(_SCALAR_STEPS):
        gap = a - weight * (1.0 - p)
        if abs(gap) <= _SCALAR_TOLERANCE:
            break
        low, high = (low, a) if gap > 0.0 else (a, high)
        step = gap / (1.0 + weight * p * (1.0 - p) * variance)
        halves = abs(step) <= 0.5 * last
        tried = a - step if halves and low < a - step < high else 0.5 * (low + high)
        last, a = abs(tried - a), tried
        p = sigmoid(logit + a * variance)
    return a, p
