"""Negative transfer: whom a method makes worse off than the model that knows nobody, beyond noise.

Few pairs of a person make half of all people look worse off where nothing differs at all. So two
more figures stand beside the plain share: who is worse off by more than their own noise, and how
many would be, and by how much, if each person could be asked without end.
"""

from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_Z = 1.959964  # two-sided 95%


@dataclass(frozen=True, slots=True)
class Gains:
    """Gain in accuracy of each person, and how sure it is.

    Attributes:
        mean: Over the person's pairs, shape (people,).
        error: Standard error of it, shape (people,).
        pairs: How many, shape (people,).
    """

    mean: Array
    error: Array
    pairs: NDArray[np.intp]


def gains(person: NDArray[np.intp], values: Array) -> Gains:
    """What each person gains, from what they gain on each pair.

    A person's spread is their own and, as one pair more, that of all people within themselves: who
    lost on both of two pairs is not certain to be worse off.

    Args:
        person: Index of the person of each pair, ascending, shape (n,).
        values: Hit of the method less hit of the other, shape (n,); at least one.
    """
    _, place, pairs = np.unique(person, return_inverse=True, return_counts=True)
    mean = np.bincount(place, values) / pairs
    squares = np.bincount(place, (values - mean[place]) ** 2)
    pooled = squares.sum() / max(int((pairs - 1).sum()), 1)
    return Gains(mean, np.sqrt((squares + pooled) / pairs / pairs), pairs)


def harmed(found: Gains) -> NDArray[np.bool_]:
    """Who is worse off by more than their own paired noise at 95%, shape (people,).

    One person in forty is, where nothing differs.

    Source: Student's t by the expansion of Cornish and Fisher 1938.
    """
    n = found.pairs
    z = _Z + (_Z**3 + _Z) / (4 * n) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * n**2)
    result: NDArray[np.bool_] = found.mean < -z * found.error
    return result


def latent(found: Gains, counts: Array) -> tuple[Array, Array]:
    """Share of people worse off, and their mean loss, were each asked without end.

    The true gains of people are taken as normal; their spread is what is left of the observed one
    after each person's noise.

    Args:
        found: Of all people.
        counts: How often each person is drawn, shape (draws, people).

    Returns:
        Share and loss of each draw, shape (draws,) each.

    Source: method of moments as in DerSimonian and Laird 1986, with the known variances averaged.
    """
    total = counts.sum(axis=1)
    mean = counts @ found.mean / total
    spread = counts @ found.mean**2 / total - mean**2
    own = np.sqrt(np.maximum(spread - counts @ found.error**2 / total, 0.0))
    both = [_below_zero(m, s) for m, s in zip(mean.tolist(), own.tolist(), strict=True)]
    share, loss = np.array(both).T
    return share, loss


def _below_zero(mean: float, spread: float) -> tuple[float, float]:
    """Mass of a normal below zero, and how far below zero that mass is on average."""
    if spread < 1e-9:
        return float(mean < 0.0), max(0.0, -mean)
    at = mean / spread
    share = 0.5 * (1.0 + erf(-at / sqrt(2.0)))
    if share < 1e-12:
        return 0.0, 0.0
    return share, spread * exp(-0.5 * at * at) / sqrt(2.0 * pi) / share - mean
