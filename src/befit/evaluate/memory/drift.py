"""How soon is a change noticed, and how often where there was none?

Streams of hits and misses of people who are right three times in four until reaction 200. befit is
told the population's rate and not the person's; CUSUM, beside it, is told both of the person's
rates, which no running system knows. In ``drift-varied`` people differ in their rate.

Source: CUSUM, Page 1954; the streams and the shifts, Lorden 1971 (delay against false alarms).
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
CUSUM_LIMIT = 5.0
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
    total, found = 0.0, []
    for index, value in enumerate(stream):
        total = max(0.0, total + (hit if value else miss))
        if total >= CUSUM_LIMIT:
            found.append(index)
            total = 0.0
    return found


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
    wrong = len(detect(still, rate, max(0.02, rate - SHIFTS["mild"])))
    yield Score(
        data=data, metric="drift_false_alarms_per_1000", person=name, value=wrong, count=STILL
    )


def _hits(rng: np.random.Generator, rate: float, count: int) -> NDArray[np.float64]:
    return (rng.random(count) < rate).astype(np.float64)
