"""Beliefs as multivariate normals: to and from plain numbers, and what they predict.

Does not update them: `befit.belief.logistic` does.
"""

from functools import lru_cache
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from befit.core.preference import Gaussian

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@lru_cache(maxsize=32)
def _triangle(width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.tril_indices(width)
    return rows, columns


def pack(mean: Vector, covariance: Matrix) -> Gaussian:
    """The plain form that core carries.

    Args:
        mean: Shape (r,).
        covariance: Shape (r, r), symmetric; its lower triangle is read.
    """
    return Gaussian(tuple(mean.tolist()), tuple(covariance[_triangle(len(mean))].tolist()))


def unpack(belief: Gaussian) -> tuple[Vector, Matrix]:
    """The arrays of a plain form: mean (r,) and symmetric covariance (r, r), both new.

    Raises:
        ValueError: The covariance is not a triangle of the mean's width.
    """
    mean = np.array(belief.mean, dtype=np.float64)
    rows, columns = _triangle(len(mean))
    covariance = np.empty((len(mean), len(mean)))
    covariance[rows, columns] = belief.covariance
    covariance[columns, rows] = belief.covariance
    return mean, covariance


def sigmoid(logit: float) -> float:
    """The logistic function of one number; never overflows."""
    if logit >= 0:
        return 1.0 / (1.0 + exp(-logit))
    odds = exp(logit)
    return odds / (1.0 + odds)


def predictive(mean: Vector, covariance: Matrix, delta: Vector) -> float:
    """Probability that the side ``delta`` points to is preferred, the belief averaged out.

    The logistic likelihood under a normal belief, by the probit approximation: the less is known
    along ``delta``, the closer to one half.

    Args:
        mean: Shape (r,).
        covariance: Shape (r, r).
        delta: Features of one side minus those of the other, shape (r,).

    Returns:
        In [0, 1]; ``predictive(.., -delta)`` is its complement.

    Source: MacKay 1992, "The evidence framework applied to classification networks", eq. 10.
    """
    variance = max(0.0, float(delta @ covariance @ delta))
    return sigmoid(float(mean @ delta) / sqrt(1.0 + pi * variance / 8.0))
