"""From what happened to each person to rows with intervals.

People are the cluster: a figure is a ratio of sums over people, or a median over them, and its
interval comes from drawing people again. Where all of a share's people agree, drawing again says
nothing; the interval is then the exact binomial one over people.

Source: cluster bootstrap, Davison and Hinkley 1997, section 3.8; Clopper and Pearson 1934.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from befit.evaluate.schema import Row
from befit.evaluate.statistics import DRAWS, Array, interval

#: metric -> its scale and how people are put together; every other metric is a share in [0, 1]
SCALES: dict[str, tuple[float, Literal["ratio", "median"]]] = {
    "drift_delay_mild": (1.0, "median"),
    "drift_delay_strong": (1.0, "median"),
    "drift_false_alarms_per_1000": (1000.0, "ratio"),
    "affinity_mse": (1.0, "ratio"),
    "tokens_recalled": (1.0, "ratio"),
    "cpu_ms_recall": (1.0, "ratio"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one person adds to one figure.

    Attributes:
        data: Name of the suite's data.
        metric: What was measured.
        person: Whose; the cluster of the bootstrap.
        value: The sum of what was measured.
        count: Over how many cases, > 0.
        shots: As in `Row`.
    """

    data: str
    metric: str
    person: str
    value: float
    count: float = 1.0
    shots: int | None = None


def summarised(method: str, scores: Iterable[Score], *, seed: int = 0) -> list[Row]:
    """One row for each data, metric and shots, in the order in which they first came."""
    groups: dict[tuple[str, int | None, str], dict[str, list[float]]] = {}
    for score in scores:
        people = groups.setdefault((score.data, score.shots, score.metric), {})
        own = people.setdefault(score.person, [0.0, 0.0])
        own[0] += score.value
        own[1] += score.count
    rows = []
    for (data, shots, metric), people in groups.items():
        sums = np.array(list(people.values()))
        value, (lo, hi) = _figure(metric, sums, seed)
        row = Row(
            data=data, method=method, shots=shots, metric=metric,
            value=value, lo=lo, hi=hi, people=len(people),
        )  # fmt: skip
        rows.append(row)
    return rows


def _figure(metric: str, sums: Array, seed: int) -> tuple[float, tuple[float, float]]:
    scale, way = SCALES.get(metric, (1.0, "ratio"))
    people = len(sums)
    rng = np.random.default_rng(seed)
    if way == "median":
        each = sums[:, 0] / sums[:, 1]
        drawn = np.median(each[rng.integers(0, people, (DRAWS, people))], axis=1)
        return scale * float(np.median(each)), interval(scale * drawn)
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    if metric not in SCALES and value in (0.0, 1.0):
        missed = 1.0 - 0.025 ** (1.0 / people)
        return value, ((0.0, missed) if value == 0.0 else (1.0 - missed, 1.0))
    counts = rng.multinomial(people, np.full(people, 1.0 / people), size=DRAWS)
    return scale * value, interval(scale * (counts @ sums[:, 0]) / (counts @ sums[:, 1]))
