"""Does somebody do otherwise at weekends, in the evening, in winter? Learned from what they did.

Within each week (for a season: each year) what was observed at a time is compared with what was
observed at all others (of a year: in the seasons beside it), so that a change over the years, or a
single odd month, is no recurrence. It has to come back: in three weeks or two years at least. Only
the clearest one is told.

Source: randomised blocks, Fisher 1935 (differences within blocks, pooled by their precision).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from befit.belief.clock import Clock, Moment
from befit.belief.gaussian import Matrix, Vector
from befit.belief.scopes import DAY, WEEK, YEAR

LEAST = 20  # observations from which a recurrence is looked for
CLEAR = 4.5  # standard deviations of the pooled difference; 1 in 16,000 for nine times to look at
_WEEKS, _YEARS = 3, 2  # least number of blocks
_TIMES = (*DAY, WEEK[1], *YEAR)
_WORDS = {
    "night": "at night",
    "morning": "in the morning",
    "afternoon": "in the afternoon",
    "evening": "in the evening",
    "weekend": "at weekends",
    **{season: f"in {season}" for season in YEAR},
}
_STEADY = 1e-12  # a variance
_SIDES = 3  # the time that is looked at, and one or two that it is held against


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A time at which somebody does otherwise.

    Attributes:
        name: One of the times of `belief.scopes.TIMES`.
        difference: What is observed then less what is at the others.
    """

    name: str
    difference: float

    def reason(self, now: Moment) -> str:
        """What it does to a belief that is asked for now, in words."""
        then = _WORDS[self.name]
        if self.name in now.times:
            return f"You do otherwise {then}: what you did at other times does not count now."
        return f"You do otherwise {then}: what you did then does not count now."


def recurring(
    moments: Sequence[datetime], values: Matrix, clock: Clock, *, matters: float = 0.3
) -> list[Recurrence | None]:
    """For each column the time that makes the clearest difference; None where none does.

    Args:
        moments: When something was observed, shape (n,).
        values: What, in any unit, one column for each kind, shape (n, d).
        clock: Whose time it was.
        matters: The least difference that is one, in that unit.
    """
    found: list[Recurrence | None] = [None] * values.shape[1]
    if len(moments) < LEAST:
        return found
    local = [clock.local(at) for at in moments]
    times = [clock.says(at) for at in moments]
    clearest = np.full(values.shape[1], CLEAR)
    for name in _TIMES:
        if name in YEAR:
            cells = [_season(at, said[-1], name) for at, said in zip(local, times, strict=True)]
        else:
            cells = [
                (_week(at), int(name not in said)) for at, said in zip(local, times, strict=True)
            ]
        difference, certainty = _difference(
            np.array(cells), values, *((3, _YEARS) if name in YEAR else (2, _WEEKS))
        )
        for column in np.flatnonzero((np.abs(difference) >= matters) & (certainty > clearest)):
            found[column] = Recurrence(name, float(difference[column]))
            clearest[column] = certainty[column]
    return found


def _difference(
    cells: NDArray[np.intp], values: Matrix, sides: int, fewest: int
) -> tuple[Vector, Vector]:
    """Pooled difference of side 0 from the others, and how many deviations that is from 0.

    Args:
        cells: The block and the side of each observation, shape (n, 2).
        values: Shape (n, d).
        sides: How many a whole block has; observations of a further one say nothing.
        fewest: Blocks that there have to be.
    """
    known = cells[:, 1] < sides
    places, inverse, counts = np.unique(
        cells[known, 0] * _SIDES + cells[known, 1], return_inverse=True, return_counts=True
    )
    block, present = np.unique(places // _SIDES, return_counts=True)
    whole = np.isin(places // _SIDES, block[present == sides])
    number, spare = int(whole.sum()) // sides, int(counts[whole].sum() - whole.sum())
    nothing = np.zeros(values.shape[1])
    if number < fewest or spare < LEAST // 2:
        return nothing, nothing
    sums, squares = np.zeros((2, len(places), values.shape[1]))
    np.add.at(sums, inverse, values[known])
    np.add.at(squares, inverse, values[known] ** 2)
    of = counts[whole].reshape(number, sides)
    means = sums[whole].reshape(number, sides, -1) / of[:, :, None]
    gaps = means[:, 0] - means[:, 1:].mean(axis=1)
    size = 1.0 / (1.0 / of[:, 0] + (1.0 / of[:, 1:]).sum(axis=1) / (sides - 1) ** 2)
    pooled = size @ gaps / size.sum()
    within = (squares[whole] - sums[whole] ** 2 / counts[whole, None]).sum(axis=0) / spare
    between = size @ (gaps - pooled) ** 2 / (number - 1)
    spread = np.maximum(
        np.maximum(within, between), _STEADY
    )  # what comes and goes is no recurrence
    return pooled, np.abs(pooled) * np.sqrt(size.sum() / spread)


def _week(local: datetime) -> int:
    return (local.toordinal() - 1) // 7


def _season(local: datetime, now: str, name: str) -> tuple[int, int]:
    """The number of the year; 0 in season ``name``, 1 in the one before, 2 in the one after, or 3.

    A season is held against the two beside it, so that whoever drifts through the year does not
    seem to come back.
    """
    quarter = 4 * local.year + local.month // 3  # December begins the next year's winter
    ahead = (YEAR.index(now) - YEAR.index(name) + 1) % 4 - 1
    return (quarter - ahead) // 4, {0: 0, -1: 1, 1: 2, 2: 3}[ahead]
