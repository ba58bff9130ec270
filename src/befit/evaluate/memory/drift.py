"""How soon is a change noticed, and how often where there was none?

Streams of hits and misses of people who are right three times in four until reaction 200. befit is
told the population's rate and not the person's; CUSUM, beside it, is told both of the person's
rates, which no running system knows. In ``drift-varied`` people differ in their rate. False alarms
are counted as each detector is set for each of the two shifts.

What can be reached at all: a rule that is told both rates, and alarms once in 2,000 reactions while
nothing changes, notices the mild shift within 21 reactions of at most 43.4 % of people (within 23
of 48.8 %), and the strong one within 11 of at most 47.1 %, so no median is below 24 and 12. By
`most_noticed`.

Source: CUSUM, Page 1954; the streams and the shifts, Lorden 1971 (delay against false alarms);
the bound, optimal stopping of the sum of likelihood ratios over the last onsets (after Moustakides
2014, "Multiple optimality properties of the Shewhart test") by value iteration.
"""

from collections.abc import Callable, Iterator, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from befit.belief.change import alarms
from befit.evaluate.memory.scores import Score

BEFORE = 0.75
SHIFTS = {"mild": 0.25, "strong": 0.40}
ONSET, HORIZON, STILL = 200, 300, 1_000
POPULATION = (0.72, 0.45)  # mean and spread of hits over people, as the detector is told
CUSUM_LIMITS = {0.25: 5.13, 0.40: 5.75}  # by the fall: 0.5 false alarms per 1,000 from `BEFORE`
_CONVERGED = 1e-4  # likelihood ratios
_ALPHA, _BETA = 12.0, 4.0  # people's rates in ``drift-varied``: mean .75, spread .1

Detector = Callable[[Sequence[float], float, float], Sequence[int]]


def befit_alarms(stream: Sequence[float], before: float, after: float) -> Sequence[int]:
    """Befit's detector, which is told neither rate."""
    del before, after
    mean, std = POPULATION
    return alarms(stream, side="low", mean=mean, std=std)


def cusum_alarms(stream: Sequence[float], before: float, after: float) -> Sequence[int]:
    """Page's CUSUM of a Bernoulli rate, told both rates; starts anew after an alarm."""
    hit, miss = log(after / before), log((1.0 - after) / (1.0 - before))
    nearest = min(CUSUM_LIMITS, key=lambda drop: abs(before - after - drop))
    limit = CUSUM_LIMITS[nearest]
    total, found = 0.0, []
    for index, value in enumerate(stream):
        total = max(0.0, total + (hit if value else miss))
        if total >= limit:
            found.append(index)
            total = 0.0
    return found


def most_noticed(within: int, after: float, *, price: float, every: float = 2_000.0) -> float:
    """The most people of whom any rule notices a fall from `BEFORE` in time; told both rates.

    A rule that alarms once in ``every`` reactions while nothing changes notices a share
    ``E[W] / every`` of the onsets within ``within`` reactions, where ``W`` is the sum of the
    likelihood ratios of the last ``within`` onsets when it alarms. By duality that is at most
    what is returned, for any price of a reaction; the least over prices is attained.

    Args:
        within: Reactions, >= 1; takes memory of 2 to that power.
        after: The rate after the fall, in (0, `BEFORE`).
        price: Of waiting a reaction, in (0, 1); 0.3 is near the best here.
        every: Mean reactions to a false alarm, > 0.
    """
    states = np.arange(1 << within)  # the last reactions, the newest in the lowest bit
    worth = np.zeros(len(states))
    for age in reversed(range(within)):
        hit = states >> age & 1
        worth = np.where(hit, after / BEFORE, (1.0 - after) / (1.0 - BEFORE)) * (1.0 + worth)
    value, gain = worth, np.inf
    while gain > _CONVERGED:
        waiting = (1.0 - BEFORE) * value[0::2] + BEFORE * value[1::2] - price
        better = np.maximum(worth, np.tile(waiting, 2))
        gain, value = float((better - value).max()), better
    return float(value[-1]) / every + price


def drift_scores(detect: Detector, people: int, seed: int) -> Iterator[Score]:
    """Delay after each shift, in reactions, and false alarms where nothing changed.

    A person in whose stream nothing is noticed within `HORIZON` counts with `HORIZON`.
    """
    for data in ("drift", "drift-varied"):
        for person in range(people):
            rng = np.random.default_rng((seed, person, len(data)))
            rate = BEFORE if data == "drift" else float(rng.beta(_ALPHA, _BETA))
            name = f"{data}-{seed}-{person}"
            yield from _person(detect, data, name, max(0.45, rate), rng)


def _person(
    detect: Detector, data: str, name: str, rate: float, rng: np.random.Generator
) -> Iterator[Score]:
    for shift, drop in SHIFTS.items():
        after = max(0.02, rate - drop)
        stream = np.concatenate([_hits(rng, rate, ONSET), _hits(rng, after, HORIZON)])
        found = [n for n in detect(stream.tolist(), rate, after) if n >= ONSET]
        delay = float(found[0] - ONSET + 1 if found else HORIZON)
        yield Score(data=data, metric=f"drift_delay_{shift}", person=name, value=delay)
    still = _hits(rng, rate, STILL).tolist()
    wrong = sum(len(detect(still, rate, max(0.02, rate - drop))) for drop in SHIFTS.values())
    yield Score(
        data=data,
        metric="drift_false_alarms_per_1000",
        person=name,
        value=wrong,
        count=STILL * len(SHIFTS),
    )


def _hits(rng: np.random.Generator, rate: float, count: int) -> NDArray[np.float64]:
    return (rng.random(count) < rate).astype(np.float64)
