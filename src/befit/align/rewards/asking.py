"""Which comparison to ask a person next: where the answer would say most of them.

A rule values a comparison by what a fitted method believes of its logit, a normal with mean ``m``
and deviation ``s``; any method that says how unsure it is can be asked for by any rule:

    bald       H(E sigmoid(f)) - E H(sigmoid(f)), in nats, with f ~ N(m, s^2)
    d-optimal  log(1 + sigmoid'(m) s^2): how much the volume of the posterior shrinks
    pref       sigmoid'(m)^2 s^2: what PReF's code asks by

``m`` is the logit with the moderation by ``s`` undone, as `Fitted.logits` are calibrated. No rule
looks at which side was chosen. It asks nobody and learns nothing.

Source: Houlsby et al. 2011, BALD, arXiv:1112.5745; Chaloner and Verdinelli 1995 (D-optimality);
Shenfeld et al. 2025, PReF, arXiv:2503.06358.
"""

from collections.abc import Callable, Mapping
from math import pi

import numpy as np

from befit.align.rewards.method import Doubts, Fitted, State, sigmoid
from befit.align.rewards.pairs import Array, Pairs
from befit.core.errors import InputError, UnknownComponentError

Rule = Callable[[Array, Array], Array]  # mean and deviation of logits, shape (n,) each -> values

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def bald(mean: Array, deviation: Array) -> Array:
    """Nats that the answer says of the person, shape (n,), in [0, log 2]."""
    chances = sigmoid(mean[:, None] + deviation[:, None] * _NODES)
    found: Array = np.maximum(_entropy(chances @ _WEIGHTS) - _entropy(chances) @ _WEIGHTS, 0.0)
    return found


def d_optimal(mean: Array, deviation: Array) -> Array:
    """Twice the logarithm by which the posterior's volume shrinks, shape (n,), >= 0."""
    found: Array = np.log1p(_slope(mean) * deviation**2)
    return found


def pref(mean: Array, deviation: Array) -> Array:
    """PReF's value of a comparison, shape (n,), >= 0."""
    found: Array = _slope(mean) ** 2 * deviation**2
    return found


RULES: Mapping[str, Rule] = {"bald": bald, "d-optimal": d_optimal, "pref": pref}


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
    return rule_named(rule)(mean, deviation)


def _slope(logits: Array) -> Array:
    chances = sigmoid(logits)
    found: Array = chances * (1.0 - chances)
    return found


def _entropy(chances: Array) -> Array:
    """Of a yes or no, in nats."""
    safe = np.clip(chances, 1e-15, 1.0 - 1e-15)
    found: Array = -(safe * np.log(safe) + (1.0 - safe) * np.log1p(-safe))
    return found
