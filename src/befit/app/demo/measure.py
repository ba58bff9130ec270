"""How close an answer is to what a person wants: by style checkers, and in nats."""

from collections.abc import Mapping, Sequence

import numpy as np

from befit.evaluate.schema import Row
from befit.features.style import measure

DATA = "demo-people"
_DRAWS = 4000


def closeness(text: str, wants: Mapping[str, float]) -> float:
    """1 where every wanted feature of the text is as wanted, 0 where each is 2 apart."""
    found = measure(text)
    return 1.0 - float(np.mean([abs(found[name] - target) for name, target in wants.items()])) / 2


def mean_row(
    method: str, metric: str, values: Sequence[Sequence[float]], shots: int | None = None
) -> Row:
    """The mean of what was measured, with a two-level bootstrap interval.

    Args:
        method: Whose answers.
        metric: What was measured.
        values: One list a person, one figure an item.
        shots: Reactions seen before, where it applies.
    """
    rng = np.random.default_rng(0)
    people = [np.asarray(items) for items in values]
    draws = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        chosen = rng.integers(len(people), size=len(people))
        draws[draw] = np.mean([rng.choice(people[i], size=len(people[i])).mean() for i in chosen])
    lo, hi = np.percentile(draws, [2.5, 97.5])
    return Row(
        data=DATA,
        method=method,
        shots=shots,
        metric=metric,
        value=float(np.mean([items.mean() for items in people])),
        lo=float(lo),
        hi=float(hi),
        people=len(people),
    )
