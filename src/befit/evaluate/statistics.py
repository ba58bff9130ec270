"""What a figure is worth: people are the cluster, and every figure has an interval.

A mean over people is resampled at two levels, people first and then each drawn person's pairs.
Methods share the resamples, so their differences are paired. Knows no data set and no method.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DRAWS = 2_000
FLIPS = 100_000
_BLOCK = 5_000  # flips at once
_TOGETHER = 32  # people whose pairs are summed at once
_POWER = 1.959964 + 0.841621  # two-sided 5% test at 80% power, in standard errors


@dataclass(frozen=True, slots=True)
class Resampled:
    """Macro means of several columns, and what they would have been with other people.

    Attributes:
        means: Each person's mean, shape (people, columns); NaN where a person has no part in it.
        value: Mean over people, shape (columns,).
        draws: The same over resampled people and pairs, shape (draws, columns); NaN where a
            resample has nobody who has part in the column.
        counts: How often each person was drawn, shape (draws, people).
    """

    means: Array
    value: Array
    draws: Array
    counts: Array


def two_level(values: Sequence[Array], *, draws: int = DRAWS, seed: int = 0) -> Resampled:
    """Bootstrap people, then their pairs.

    Args:
        values: For each person the values of their pairs, shape (pairs, columns). A column is NaN
            in all rows of a person who has no part in it.
        draws: How many resamples.
        seed: Same seed, same bits.

    Source: Davison and Hinkley 1997, section 3.8 (two-level resampling).
    """
    rng = np.random.default_rng(seed)
    people = len(values)
    counts = rng.multinomial(people, np.full(people, 1.0 / people), size=draws)
    means = np.array([own.mean(axis=0) for own in values])
    sums = np.zeros((draws, means.shape[1]))
    for start in range(0, people, _TOGETHER):
        some = values[start : start + _TOGETHER]
        drawn = [
            rng.multinomial(counts[:, start + at] * len(own), np.full(len(own), 1.0 / len(own)))
            / len(own)
            for at, own in enumerate(some)
        ]
        sums += np.concatenate(drawn, axis=1) @ np.nan_to_num(np.concatenate(some))
    known = ~np.isnan(means)
    able = counts @ known
    return Resampled(
        means,
        _ratio(np.nansum(means, axis=0), known.sum(axis=0)),
        _ratio(sums, able),
        counts.astype(np.float64),
    )


def _ratio(total: Array, number: NDArray[np.intp]) -> Array:
    """The mean; NaN where there is nobody."""
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def mean_of_people(means: Array) -> tuple[float, float, float]:
    """A mean over people and the ends of its 95% interval, which draws people anew.

    Args:
        means: One a person, shape (people,); at least one.
    """
    low, high = interval(drawn_people(len(means)) @ means / len(means))
    return float(means.mean()), low, high


@lru_cache(maxsize=8)  # a number of people is asked about for each method and figure
def drawn_people(people: int) -> Array:
    """How often each person is drawn, shape (draws, people); always the same."""
    rng = np.random.default_rng(0)
    return rng.multinomial(people, np.full(people, 1.0 / people), size=DRAWS).astype(np.float64)


def interval(draws: Array) -> tuple[float, float]:
    """The central 95% of the draws."""
    low, high = np.nanquantile(draws, (0.025, 0.975))
    return float(low), float(high)


def centred_interval(value: float, draws: Array) -> tuple[float, float]:
    """The 95% interval of a figure that resampling biases, its draws moved to the figure.

    For figures that cannot be below zero.
    """
    low, high = interval(draws - float(np.mean(draws)) + value)
    return max(0.0, low), high


def worst_tenth(means: Array, counts: Array | None = None) -> Array:
    """Mean of the lowest tenth of the people, shape (draws,), or of the sample, shape (1,).

    Args:
        means: Each person's mean, shape (people,).
        counts: How often each person was drawn, shape (draws, people).
    """
    weights = np.ones((1, len(means))) if counts is None else counts
    order = np.argsort(means, kind="stable")
    total = weights.sum(axis=1, keepdims=True)
    filled = np.minimum(np.cumsum(weights[:, order], axis=1), 0.1 * total)
    share = np.diff(filled, axis=1, prepend=0.0) / (0.1 * total)
    result: Array = share @ means[order]
    return result


def permutation_p(
    differences: Sequence[Array], *, flips: int = FLIPS, seed: int = 0
) -> list[float]:
    """Two-sided p of mean paired differences, by flipping the sign of whole people.

    The least p is 1 / (flips + 1), so there must be many more flips than comparisons for anything
    to be left after `holm`.

    Args:
        differences: For each comparison one a person, shape (people,).
        flips: How many random assignments of signs.
        seed: Same seed, same bits.
    """
    alike: dict[int, list[int]] = {}
    for at, own in enumerate(differences):
        alike.setdefault(len(own), []).append(at)
    found = np.empty(len(differences))
    for people, where in alike.items():
        values = np.stack([differences[at] for at in where], axis=1)
        observed = np.abs(values.sum(axis=0)) - 1e-12
        rng = np.random.default_rng(seed)
        as_far = np.zeros(len(where), dtype=np.intp)
        for start in range(0, flips, _BLOCK):
            size = (min(_BLOCK, flips - start), people)
            signs = rng.integers(0, 2, size, dtype=np.int8) * 2.0 - 1.0
            as_far += np.count_nonzero(np.abs(signs @ values) >= observed, axis=0)
        found[where] = (1 + as_far) / (flips + 1)
    listed: list[float] = found.tolist()
    return listed


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in the order given.

    Source: Holm 1979, a sequentially rejective multiple test procedure.
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.array(p_values, dtype=float)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    found: list[float] = adjusted.tolist()
    return found


def isotonic(curves: Array) -> Array:
    """The nearest curves that never fall, shape (draws, points): by the min-max of their means.

    Source: Barlow et al. 1972, isotonic regression.
    """
    points = curves.shape[1]
    sums = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(curves, axis=1)], axis=1)
    found = np.empty_like(curves)
    for at in range(points):
        means = [
            [(sums[:, b + 1] - sums[:, a]) / (b + 1 - a) for b in range(at, points)]
            for a in range(at + 1)
        ]
        found[:, at] = np.max([np.min(some, axis=0) for some in means], axis=0)
    return found


def reached(shots: Sequence[int], curves: Array, wanted: Array) -> Array:
    """How many shots until curves reach what is wanted, shape (draws,).

    The curves are made to rise and joined by straight lines; what is reached at no point counts as
    the most shots, and what is reached from the start as none.

    Args:
        shots: Of the points, ascending.
        curves: Shape (draws, points).
        wanted: Shape (draws,).
    """
    rising = isotonic(curves)
    above = rising >= wanted[:, None] - 1e-9  # sums of the same shares differ by rounding
    first = np.where(above.any(axis=1), above.argmax(axis=1), len(shots) - 1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(curves))
    low, high = rising[rows, before], rising[rows, first]
    share = np.clip((wanted - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
    at = np.array(shots, dtype=float)
    found: Array = np.where(first == 0, at[0], at[before] + share * (at[first] - at[before]))
    return found


def detectable(draws: Array) -> float:
    """The smallest true difference that this many people would show, at 80% power.

    Args:
        draws: Resampled differences, shape (draws,).
    """
    return float(_POWER * np.nanstd(draws))
