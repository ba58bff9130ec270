"""How readily people call it a tie, and how they differ in that: a normal over thresholds.

Who answers "neither" to half of all comparisons and who never does may have one taste. What is
learned is the mean and the spread of the threshold of `befit.belief.ties`, by
expectation-maximisation over people's posteriors, their tastes as they were learned from decided
pairs. Learns no coordinates.

Source: Davidson 1970; empirical Bayes as in `befit.align.rewards.tastes`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.pairs import Array, Pairs
from befit.belief.ties import newton

FEWEST_TIES = 20  # below, ties are as good as never met
MOST_PEOPLE = 300  # whose answers are read
_ROUNDS = 6
_SPREAD = 1.0  # variance that is believed in at first, and as if of so many people:
_BELIEVED = 4.0

Answers = tuple[Array, NDArray[np.bool_], Array]  # differences, which were ties, weights


def answered(pairs: Pairs) -> Pairs:
    """Those whose sides differ, ties included."""
    return pairs.take(np.flatnonzero(pairs.chosen != pairs.rejected))


def strictness(mean: Array, covariance: Array, people: Sequence[Answers]) -> Array:
    """Mean and variance of people's thresholds, shape (2,); of too few ties nothing, shape (0,).

    Args:
        mean: Of people's tastes, shape (r,).
        covariance: Of people's tastes, shape (r, r).
        people: Of each person the differences in coordinates of tastes, shape (n, r), which ended
            in a tie, shape (n,), and how much each counts, shape (n,).
    """
    some = [each for each in people if len(each[1])][:MOST_PEOPLE]
    ties = sum(int(tied.sum()) for _, tied, _ in some)
    if ties < FEWEST_TIES:
        return np.zeros(0)
    rate = ties / sum(len(tied) for _, tied, _ in some)
    found = np.array([np.log(2.0 * rate / max(1.0 - rate, 1e-3)), _SPREAD])
    for _ in range(_ROUNDS):
        prior = joint(mean, covariance, found)
        folded = [newton(*prior, x, tied, weights) for x, tied, weights in some]
        modes = np.array([mode[-1] for mode, _ in folded])
        around = np.array([spread[-1, -1] for _, spread in folded])
        centre = modes.mean()
        total = (around + (modes - centre) ** 2).sum() + _BELIEVED * _SPREAD
        found = np.array([centre, total / (len(some) + _BELIEVED)])
    return found


def joint(mean: Array, covariance: Array, threshold: Array) -> tuple[Array, Array]:
    """Mean and covariance of a taste and, last, a threshold; independent of each other."""
    width = len(mean)
    both = np.zeros((width + 1, width + 1))
    both[:width, :width], both[width, width] = covariance, threshold[1]
    return np.append(mean, threshold[0]), both
