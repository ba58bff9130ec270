"""How fast a preference goes stale, learned from how well the past foretells what is observed next.

For each dimension, the half-life under which every observation of every person was likeliest just
before it came. It reads observed values (statements, affinities, inferred positions); choices say
nothing here. A dimension with little data keeps close to the usual half-life.

Source: West and Harrison 1997, ch. 6 (discount factors chosen by predictive likelihood).
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log, pi

from befit.core.preference import Evidence

USUAL = 365.0  # days
LEAST = 20  # foretold observations below which nothing is said of a dimension

_DAY = 86_400.0
_GRID = tuple(USUAL * 2.0 ** (step / 2.0) for step in range(-14, 7))  # 3 days to 8 years
_SPREAD = 1.5  # of the logarithm of half-lives between dimensions

Series = Sequence[tuple[float, float, float]]


def fit_half_lives(people: Iterable[Sequence[Evidence]]) -> dict[str, float]:
    """The half-life of each dimension and topic that is told of often enough, in days.

    Args:
        people: The evidence of each person, in any order.

    Returns:
        Name -> days; together with ``""`` -> days for all others what
        `BayesFold.half_life_days` takes.
    """
    series: dict[str, list[Series]] = {}
    for evidence in people:
        for name, told in _series(evidence).items():
            series.setdefault(name, []).append(told)
    found = {}
    for name in sorted(series):
        if sum(len(told) - 1 for told in series[name]) >= LEAST:
            likely = [_evidence(series[name], days) for days in _GRID]
            found[name] = _GRID[likely.index(max(likely))]
    return found


def foretold(told: Series, half_life_days: float) -> float:
    """Log likelihood of each value given those before it, in all but the first.

    Args:
        told: (day, value, noise) in the order of time.
        half_life_days: The age at which a value counts half, > 0.
    """
    precision, shift, last, total = 0.0, 0.0, 0.0, 0.0
    for place, (day, value, noise) in enumerate(told):
        fade = 0.5 ** ((day - last) / half_life_days) if place else 1.0
        precision, shift, last = precision * fade, shift * fade, day
        if place:
            spread = 1.0 / (1.0 + precision) + noise * noise
            gap = value - shift / (1.0 + precision)
            total -= 0.5 * (log(2.0 * pi * spread) + gap * gap / spread)
        precision += 1.0 / (noise * noise)
        shift += value / (noise * noise)
    return total


def _evidence(series: Sequence[Series], days: float) -> float:
    usual = log(days / USUAL) / _SPREAD
    return sum(foretold(told, days) for told in series) - 0.5 * usual * usual


def _series(evidence: Sequence[Evidence]) -> Mapping[str, Series]:
    """What a person's evidence says of each name, in the order of time, each piece once."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for e in sorted({e.id: e for e in evidence}.values(), key=lambda e: (e.at, e.id)):
        if e.origin == "person":
            for name, value in e.values.items():
                found.setdefault(name, []).append((e.at.timestamp() / _DAY, value, e.noise))
    return found
