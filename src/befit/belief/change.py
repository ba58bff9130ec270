"""Did a person change, and when? One pass over the surprises of a sequence of observations.

An innovation is what an observation was less what was expected of it. While nothing changes, they
scatter round one level; `changes` learns that level and their spread as it goes, from a guess that
counts as a few observations, and asks at each step how much likelier they are if the level had
moved at some earlier step. It says that something moved, since when and to which side, not why.

The limit was calibrated by simulation, at 0.5 false alarms per 1,000 (see its test): 0.46 on hits
and misses of people who are alike, 0.52 where they differ, 0.49 on normal innovations. On hits and
misses that fall after 200 reactions from 0.75 to 0.50 the median delay is 27, to 0.35 it is 14;
CUSUM that is told both rates of the person needs 25 and 13 at as many false alarms, and no rule
that is told them can do with 23 and 11 (`evaluate.memory.drift`). On choices between texts, which
say to which side a person leans, it is 20 and 11 for an ideal that moves by 0.7 and by 1.4 (of
somebody who chooses as firmly as four times `BayesFold.sharpness`).

Source: Shiryaev 1963 and Roberts 1966 (the sum of likelihood ratios over all possible onsets);
Pollak 1987 (a mixture over the size of the shift); Hawkins 1987 (self-starting: level and spread
estimated on the way; from what is a while past, lest a shift hide itself).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from typing import Literal

import numpy as np

from befit.belief.gaussian import Matrix

Side = Literal["both", "low", "high"]

SHIFTS = (0.5, 0.8)  # sizes of a shift, in standard deviations, that are looked for at once
CLIP = 3.0  # standard deviations; one wild observation is no change
_LEVEL = 7.85  # log of the statistic at the rate below, by simulation; see `threshold`
_RATE = 0.5
_SLACK = 10.9  # what the glance may miss of the close look's log statistic, by simulation
_PAST = 15  # observations after which one counts as of the level before: a shift takes that long
_WILD = (5.0, 95.0)  # percentiles beyond which a value counts as they do
_RENEWED = 5.0  # observations that the first guess still counts after a change


@dataclass(frozen=True, slots=True)
class Change:
    """A level that moved.

    Attributes:
        began: Index of the first innovation of the new level, as far as can be told.
        noticed: Index of the innovation at which it was certain enough, >= ``began``.
        rose: Whether the level went up.
    """

    began: int
    noticed: int
    rose: bool


def threshold(rate: float) -> float:
    """The log statistic at which an alarm is raised.

    The time to a false alarm is proportional to the statistic's limit (Pollak 1987), so one
    simulated level gives them all.

    Args:
        rate: False alarms per 1,000 innovations, > 0.
    """
    return _LEVEL + log(_RATE / rate)


def alarms(
    innovations: Sequence[float],
    *,
    rate: float = _RATE,
    side: Side = "both",
    mean: float = 0.0,
    std: float = 1.0,
    strength: float = 60.0,
) -> tuple[int, ...]:
    """Indices at which a change was noticed; see `changes`."""
    found = changes(innovations, rate=rate, side=side, mean=mean, std=std, strength=strength)
    return tuple(change.noticed for change in found)


def changes(
    innovations: Sequence[float],
    *,
    rate: float = _RATE,
    side: Side = "both",
    mean: float = 0.0,
    std: float = 1.0,
    strength: float = 60.0,
) -> tuple[Change, ...]:
    """Where the level of a sequence moved; a pure function of the sequence.

    Args:
        innovations: In the order of time, in any unit. For a stream of hits and misses: 1.0 and
            0.0, with ``mean`` and ``std`` the population's (0.72 and 0.45), ``side="low"``.
        rate: False alarms per 1,000, > 0.
        side: "low" notices falls alone, and sooner.
        mean: First guess of the level.
        std: First guess of the spread, > 0.
        strength: Observations that the first guess counts as, > 0.
    """
    level = threshold(rate)
    watch = _Watch(mean, std, strength, side)
    found: list[Change] = []
    for index, value in enumerate(innovations):
        change = watch.step(index, value, level)
        if change is not None:
            start = found[-1].began if found else 0
            began = start + onset(innovations[start : index + 1], change.began - start)
            found.append(replace(change, began=began))
            tail = innovations[began : index + 1]
            watch = _Watch(mean, std, _RENEWED, side)
            for each in tail:
                watch.learn(each)
    return tuple(found)


def onset(values: Sequence[float], guess: int) -> int:
    """Where one level most likely gave way to another, of a sequence in which one did.

    The watch looks for small shifts, and so takes what only happened to lie on the way for the
    beginning of a great one. This is the split into two levels of least squared error.

    Args:
        values: Of both levels, in the order of time.
        guess: Where nothing is likelier.

    Returns:
        Index of the first value of the second level, >= 0.
    """
    if len(values) < 2:
        return guess
    seen = np.clip(values, *np.percentile(values, _WILD))
    total = np.cumsum(seen)
    before = np.arange(1, len(seen))
    after = len(seen) - before
    between = total[:-1] ** 2 / before + (total[-1] - total[:-1]) ** 2 / after
    best = int(np.argmax(between))
    return best + 1 if between[best] > total[-1] ** 2 / len(seen) else guess


class _Watch:
    """The statistic since the last change."""

    def __init__(self, mean: float, std: float, strength: float, side: Side) -> None:
        """See `changes`."""
        self.count = strength
        self.mean = mean
        self.squares = strength * std * std  # sum of squared deviations
        self.recent = deque[float]()
        signs = {"both": (1.0, -1.0), "low": (-1.0,), "high": (1.0,)}[side]
        self.tests = [_Test(sign * shift) for sign in signs for shift in SHIFTS]

    def learn(self, value: float) -> None:
        """Move level and spread by one observation of the present level."""
        self.count += 1.0
        gap = value - self.mean
        self.mean += gap / self.count
        self.squares += gap * (value - self.mean)

    def step(self, index: int, value: float, level: float) -> Change | None:
        """Weigh one observation; once it is past without an alarm, learn from it."""
        spread = sqrt(self.squares / self.count * (1.0 + 1.0 / self.count))
        z = max(-CLIP, min(CLIP, (value - self.mean) / spread))
        total = 0.0
        for test in self.tests:
            total += test.step(index, z)
        if log(total / len(self.tests)) >= level:
            best = max(self.tests, key=lambda each: each.ratio)
            return Change(best.onset, index, best.shift > 0.0)
        self.recent.append(value)
        while len(self.recent) > min(_PAST, self.count / 4.0):  # not for long where little is known
            self.learn(self.recent.popleft())
        return None


class _Test:
    """One size of shift: the sum over onsets, and the likeliest onset."""

    def __init__(self, shift: float) -> None:
        self.shift = shift
        self.ratio = 0.0  # sum over onsets of the likelihood ratio
        self.best = 0.0  # log likelihood ratio of the likeliest onset
        self.onset = 0

    def step(self, index: int, z: float) -> float:
        gain = self.shift * z - 0.5 * self.shift * self.shift
        if self.best <= 0.0:
            self.best, self.onset = 0.0, index
        self.best += gain
        self.ratio = (1.0 + self.ratio) * exp(gain)
        return self.ratio


def suspects(innovations: Matrix, *, rate: float = _RATE) -> list[int]:
    """The columns in which `changes` could find something; at a hundredth of its time.

    Looks at the largest log likelihood ratio of any stretch of a column against its whole, which
    is all that one column of a great many needs to be passed over.

    Args:
        innovations: One column for each sequence, shape (n, d).
        rate: False alarms per 1,000, > 0.
    """
    spread = innovations.std(axis=0)
    z = (innovations - innovations.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    z = np.clip(z, -CLIP, CLIP)
    most = np.zeros(innovations.shape[1])
    for shift in (*SHIFTS, *(-each for each in SHIFTS)):
        total = np.cumsum(shift * z - 0.5 * shift * shift, axis=0)
        before = np.minimum(np.minimum.accumulate(total, axis=0), 0.0)
        most = np.maximum(most, (total - before).max(axis=0))
    found: list[int] = np.flatnonzero(
        most >= threshold(rate) + log(max(1, len(z))) - _SLACK
    ).tolist()
    return found
