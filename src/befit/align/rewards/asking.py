"""Which comparison to ask a person next: where the answer would say most of them.

A rule values a comparison by what a fitted method believes of its logit, a normal with mean ``m``
and deviation ``s``; any method that says how unsure it is can be asked for by any rule:

    bald       H(E sigmoid(f)) - E H(sigmoid(f)), in nats, with f ~ N(m, s^2)
    d-optimal  log(1 + sigmoid'(m) s^2): how much the volume of the posterior shrinks
    pref       sigmoid'(m)^2 s^2: what PReF's code asks by
    v-optimal  how much less is left open of all the comparisons that could be asked:
               g sum_t sigmoid'(m_t)^2 c_t^2, with g = sigmoid'(m) / (1 + sigmoid'(m) s^2)

``m`` is the logit with the moderation by ``s`` undone, as `Fitted.logits` are calibrated. ``c_t``
is the covariance of two logits, found from deviations alone: where a logit is the difference of
what two texts are worth, ``2 cov(a - b, c - d) = V(a, d) + V(b, c) - V(a, c) - V(b, d)``; of
another method it is an approximation. No rule looks at which side was chosen. It asks nobody and
learns nothing.

Source: Houlsby et al. 2011, BALD, arXiv:1112.5745; Chaloner and Verdinelli 1995 (D- and
V-optimality); Shenfeld et al. 2025, PReF, arXiv:2503.06358; Bickford Smith et al. 2023, EPIG,
arXiv:2304.08151 (why what is to be foretold should choose the question).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import pi

import numpy as np

from befit.align.rewards.method import Doubts, Fitted, State, sigmoid
from befit.align.rewards.pairs import Array, Pairs
from befit.core.errors import InputError, UnknownComponentError

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beliefs:
    """What is believed of the logits of some comparisons.

    Attributes:
        mean: Shape (n,).
        deviation: Shape (n,), >= 0.
        covariance: Of every two of them, shape (n, n); made when it is asked for.
    """

    mean: Array
    deviation: Array
    covariance: Callable[[], Array]


Rule = Callable[[Beliefs], Array]


def bald(believed: Beliefs) -> Array:
    """Nats that the answer says of the person, shape (n,), in [0, log 2]."""
    chances = sigmoid(believed.mean[:, None] + believed.deviation[:, None] * _NODES)
    found: Array = np.maximum(_entropy(chances @ _WEIGHTS) - _entropy(chances) @ _WEIGHTS, 0.0)
    return found


def d_optimal(believed: Beliefs) -> Array:
    """Twice the logarithm by which the posterior's volume shrinks, shape (n,), >= 0."""
    found: Array = np.log1p(_slope(believed.mean) * believed.deviation**2)
    return found


def pref(believed: Beliefs) -> Array:
    """PReF's value of a comparison, shape (n,), >= 0."""
    found: Array = _slope(believed.mean) ** 2 * believed.deviation**2
    return found


def v_optimal(believed: Beliefs) -> Array:
    """By how much the variance of all the probabilities shrinks in sum, shape (n,), >= 0."""
    slopes = _slope(believed.mean)
    gains = slopes / (1.0 + slopes * believed.deviation**2)
    found: Array = gains * (believed.covariance() ** 2 @ slopes**2)
    return found


RULES: Mapping[str, Rule] = {
    "bald": bald,
    "d-optimal": d_optimal,
    "pref": pref,
    "v-optimal": v_optimal,
}


def rule_named(name: str) -> Rule:
    """A rule.

    Raises:
        UnknownComponentError: There is none of that name; the hint lists those there are.
    """
    if name not in RULES:
        raise UnknownComponentError(
            f"there is no rule of asking named {name!r}",
            hint=f"known: {', '.join(RULES)}",
            field="active",
        )
    return RULES[name]


def values(fitted: Fitted, state: State, pairs: Pairs, rule: str) -> Array:
    """What each comparison would be worth to ask, shape (n,); turning one round changes nothing.

    Args:
        fitted: What a method learned.
        state: Of the person.
        pairs: What could be asked.
        rule: One of `RULES`.

    Raises:
        InputError: The method does not say how unsure it is.
        UnknownComponentError: There is no such rule.
    """
    if not isinstance(fitted, Doubts):
        raise InputError(
            f"{type(fitted).__name__} does not say how unsure it is",
            hint="ask by a method that does: default, pref",
            field="method",
        )
    deviation = fitted.spread(state, pairs)
    mean = fitted.logits(state, pairs) * np.sqrt(1.0 + pi / 8.0 * deviation**2)
    doubts: Doubts = fitted
    believed = Beliefs(
        mean=mean, deviation=deviation, covariance=lambda: covariance(doubts, state, pairs)
    )
    return rule_named(rule)(believed)


def covariance(fitted: Doubts, state: State, pairs: Pairs) -> Array:
    """Of the logits of every two comparisons, shape (n, n), from the deviations of all sides.

    Args:
        fitted: Whose logit of a pair is the difference of what its texts are worth.
        state: Of the person.
        pairs: The comparisons.
    """
    sides, place = np.unique(np.append(pairs.chosen, pairs.rejected), return_inverse=True)
    one, other = place[: len(pairs)], place[len(pairs) :]
    low, high = np.triu_indices(len(sides), 1)
    every = pairs.take(np.zeros(len(low), dtype=np.intp))
    every = replace(every, chosen=sides[low], rejected=sides[high])
    apart = np.zeros((len(sides), len(sides)))
    apart[low, high] = fitted.spread(state, every) ** 2
    apart += apart.T
    found: Array = 0.5 * (
        apart[one[:, None], other]
        + apart[other[:, None], one]
        - apart[one[:, None], one]
        - apart[other[:, None], other]
    )
    return found


def _slope(logits: Array) -> Array:
    chances = sigmoid(logits)
    found: Array = chances * (1.0 - chances)
    return found


def _entropy(chances: Array) -> Array:
    """Of a yes or no, in nats."""
    safe = np.clip(chances, 1e-15, 1.0 - 1e-15)
    found: Array = -(safe * np.log(safe) + (1.0 - safe) * np.log1p(-safe))
    return found
