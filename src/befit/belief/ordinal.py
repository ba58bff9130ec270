"""Grades as logistic observations: how good a person found one text, on their own scale.

The utility of a text of style f for somebody at theta is ``-sharpness |f - theta|^2``. What of it
is the same for all texts belongs to the person's strictness a, one unknown more, so a grade at
level k is, between the thresholds c below and above it,

    P(k) = sigmoid(u - c_k + a) - sigmoid(u - c_k+1 + a),   u = sharpness (2 theta . f - |f|^2),

which is ``sigmoid(u - c_k + a) sigmoid(c_k+1 - u - a)`` times a constant: exactly two logistic
observations for `belief.logistic.newton`. The thresholds are the person's own, from how often they
give each grade, with a few grades of nobody's added. It folds nothing itself.

Source: McCullagh 1980, "Regression models for ordinal data" (proportional odds).
"""

from collections.abc import Sequence
from math import log

import numpy as np

from befit.belief.gaussian import Matrix, Vector
from befit.core.preference import Graded

LEVELS = 5  # grades are rounded to so many steps, as of a five-star scale
STRICTNESS = 1.0  # prior standard deviation of a, in logits

_NOBODYS = 0.8  # grades of each level that everyone is taken to have given before the first


def thresholds(grades: Sequence[Graded]) -> list[float]:
    """The ``LEVELS - 1`` thresholds between a person's grades, in logits, rising.

    The order of the grades does not matter.
    """
    counts = [_NOBODYS] * LEVELS
    for step, weight in sorted((level(each), each.weight) for each in grades):
        counts[step] += weight
    total = sum(counts)
    below, found = 0.0, []
    for count in counts[:-1]:
        below += count
        found.append(log(below / (total - below)))
    return found


def level(grade: Graded) -> int:
    """The step of a grade, from 0 to ``LEVELS - 1``."""
    return max(0, min(LEVELS - 1, int(grade.value * (LEVELS - 1) + 0.5)))


def rows(
    grades: Sequence[Graded], styles: Matrix, sharpness: float
) -> tuple[Matrix, Matrix, Vector, list[int]]:
    """Two logistic observations of each grade, or one at either end of the scale.

    Args:
        grades: What was graded.
        styles: f, shape (grades, r).
        sharpness: Of the utility, > 0.

    Returns:
        Slopes in theta (n, r); what each dimension adds to the logit beside theta (n, r); sign of
        a and of the threshold, as it enters the logit (n, 2); which grade each row is of.
    """
    cuts = thresholds(grades)
    slopes, beside, scale, whose = [], [], [], []
    for place, grade in enumerate(grades):
        step = level(grade)
        edges = [(1.0, cuts[step - 1])] if step > 0 else []
        edges += [(-1.0, cuts[step])] if step < LEVELS - 1 else []
        for sign, cut in edges:
            slopes.append(sign * 2.0 * sharpness * styles[place])
            beside.append(-sign * sharpness * styles[place] ** 2)
            scale.append((sign, -sign * cut))
            whose.append(place)
    return np.array(slopes), np.array(beside), np.array(scale), whose
