"""What to ask a person next, or which two texts to show: where the answer would say most.

The gain is the mutual information, in nats, between the answer and the position it is about. What
was asked or skipped before, what is sensitive and what holds for everyone is never asked; a
conflict that nothing else decides comes first; and where no answer would say much, nothing is
asked. It asks nobody itself, and takes no answer.

Source: Lindley 1956 (information of an experiment); Houlsby et al. 2011, arXiv:1112.5745 (the
same of a comparison, equation 2).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import erf, sqrt

import numpy as np

from befit.belief.choices import Measure
from befit.belief.gaussian import Vector
from befit.belief.prior import Prior
from befit.core.preference import Dimension, Preference, PreferenceSpace

LEAST_GAIN = 0.2  # nats; less is not worth a question
LEAST_PAIR_GAIN = 0.02  # nats; a choice says less than an answer, and costs less

Beside = Callable[[int, int], tuple[float, float]]  # mean and variance of a logit

_ANSWERS = (-1.0 / 3.0, 1.0 / 3.0)  # between "the one", "it depends" and "the other"
_NOISE = 0.3  # standard deviation of an answer
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask a person.

    Attributes:
        dimension: What it is about.
        text: The question in words.
        gain: What the answer is expected to say, in nats.
    """

    dimension: str
    text: str
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Two texts to let a person choose from.

    Attributes:
        first: Place of the one among the texts.
        second: Place of the other.
        gain: What the choice is expected to say, in nats.
    """

    first: int
    second: int
    gain: float


def next_question(
    space: PreferenceSpace,
    preferences: Iterable[Preference],
    asked: Collection[str],
    *,
    sensitive: Collection[str] = (),
    prior: Prior | None = None,
    groups: Iterable[str] = (),
    least: float = LEAST_GAIN,
) -> Question | None:
    """The question whose answer would say most; None where none would say enough.

    Args:
        space: What can be asked about.
        preferences: What is believed so far.
        asked: Names that were asked or skipped before.
        sensitive: Names that are not to be asked about.
        prior: What is believed of what has no evidence; None is that nothing is known.
        groups: The person's groups, for the prior.
        least: The gain below which nothing is asked, in nats.
    """
    known = {p.dimension: p for p in preferences}
    barred = {*asked, *sensitive}
    belongs = tuple(groups)
    open_ones = [p for p in known.values() if p.question and p.dimension not in barred]
    if open_ones:
        first = max(open_ones, key=lambda p: (p.std, p.dimension))
        return Question(dimension=first.dimension, text=first.question, gain=_gain(0.0, 1.0))
    best: Question | None = None
    for d in space.dimensions:
        if d.universal or d.name in barred:
            continue
        found = known.get(d.name)
        start = prior.of(d.name, belongs) if prior is not None else (0.0, 1.0)
        gain = _gain(*((found.mean, found.std) if found is not None else start))
        if gain >= least and (best is None or gain > best.gain):
            best = Question(dimension=d.name, text=_ask(d), gain=gain)
    return best


def next_pair(
    space: PreferenceSpace,
    preferences: Iterable[Preference],
    texts: Sequence[str],
    measure: Measure,
    *,
    sharpness: float = 0.5,
    prior: Prior | None = None,
    groups: Iterable[str] = (),
    beside: Beside | None = None,
    least: float = LEAST_PAIR_GAIN,
) -> Showing | None:
    """The two texts between which a choice would say most; None where none would say enough.

    Args:
        space: Its measured dimensions are what is learned.
        preferences: What is believed so far.
        texts: Candidates for one prompt.
        measure: Text -> surface features in [-1, 1].
        sharpness: How strictly a person chooses by distance; as in `BayesFold`.
        prior: What is believed of what has no evidence; None is that nothing is known.
        groups: The person's groups, for the prior.
        beside: What else moves the choice of the one place over the other: what is believed of
            the logit of a learned reward.
        least: The gain below which nothing is shown, in nats.
    """
    measured = [d for d in space.dimensions if d.feature and not d.universal]
    known = {p.dimension: (p.mean, p.std) for p in preferences}
    start, belongs = prior or Prior(), tuple(groups)
    expected = [known.get(d.name) or start.of(d.name, belongs) for d in measured]
    mean = np.array([each[0] for each in expected])
    variance = np.array([each[1] ** 2 for each in expected])
    features = [measure(text) for text in texts]
    styles = np.array([[each.get(d.feature, 0.0) for d in measured] for each in features])
    best: Showing | None = None
    for one, other in combinations(range(len(texts)), 2) if measured or beside else ():
        slope = 2.0 * sharpness * (styles[one] - styles[other])
        lean = sharpness * float((styles[other] ** 2 - styles[one] ** 2).sum())
        more, doubt = beside(one, other) if beside else (0.0, 0.0)
        logit, doubted = float(slope @ mean) + lean + more, float(slope**2 @ variance) + doubt
        gain = _choice_gain(logit, sqrt(max(doubted, 0.0)))
        if gain >= least and (best is None or gain > best.gain):
            best = Showing(first=one, second=other, gain=gain)
    return best


def _ask(d: Dimension) -> str:
    return f"Which would you rather have: {d.low}, or {d.high}?"


def _gain(mean: float, std: float) -> float:
    """Nats that an answer in three steps says of a position."""
    positions = mean + std * _NODES
    below = np.array(
        [[0.5 * (1.0 + erf((cut - p) / _NOISE / sqrt(2.0))) for cut in _ANSWERS] for p in positions]
    )
    chances = np.column_stack([below[:, 0], below[:, 1] - below[:, 0], 1.0 - below[:, 1]])
    return float(_entropy(_WEIGHTS @ chances) - _WEIGHTS @ _entropy(chances))


def _choice_gain(logit: float, spread: float) -> float:
    """Nats that a choice says, whose logit is believed to be normal."""
    chance = 1.0 / (1.0 + np.exp(-(logit + spread * _NODES)))
    both = np.column_stack([chance, 1.0 - chance])
    return float(_entropy(_WEIGHTS @ both) - _WEIGHTS @ _entropy(both))


def _entropy(chances: Vector) -> Vector:
    """Of the last axis, in nats."""
    safe = np.clip(chances, 1e-300, 1.0)
    return np.asarray(-(chances * np.log(safe)).sum(axis=-1))
