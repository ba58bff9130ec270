"""Grades: the likelihood is the cumulative logistic one, on the person's own scale."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.ordinal import LEVELS, level, rows, thresholds
from befit.core.preference import Graded


def grade(value: float, weight: float = 1.0) -> Graded:
    return Graded(prompt="", text="t", value=value, weight=weight)


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


@given(st.floats(-2, 2), st.floats(-1, 1), st.floats(0, 1))
def test_two_logistic_rows_are_one_grade_up_to_a_constant(
    theta: float, style: float, value: float
) -> None:
    def told(at: float) -> float:
        slopes, beside, scale, _ = rows([grade(value)], np.array([[style]]), 0.5)
        logits = slopes[:, 0] * at + beside[:, 0] + scale[:, 1]
        return float(-np.logaddexp(0.0, -logits).sum())

    def exact(at: float) -> float:
        cuts = [-np.inf, *thresholds([grade(value)]), np.inf]
        utility = 0.5 * (2 * at * style - style**2)
        step = level(grade(value))
        upper = 1.0 if step == 0 else sigmoid(utility - cuts[step])
        lower = 0.0 if step == LEVELS - 1 else sigmoid(utility - cuts[step + 1])
        return log(upper - lower)

    assert told(theta) - told(0.0) == pytest.approx(exact(theta) - exact(0.0), abs=1e-9)


def test_thresholds_are_the_persons_own() -> None:
    strict = thresholds([grade(0.25)] * 20)
    kind = thresholds([grade(1.0)] * 20)
    nobody = thresholds([])
    assert strict[2] > nobody[2] > kind[2]
    for each in (strict, kind, nobody):
        assert each == sorted(each)


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_grades_does_not_matter(values: list[float], rng) -> None:  # type: ignore[no-untyped-def]
    shuffled = values[:]
    rng.shuffle(shuffled)
    assert thresholds([grade(v) for v in values]) == thresholds([grade(v) for v in shuffled])


@pytest.mark.parametrize(("value", "step"), [(0.0, 0), (0.12, 0), (0.5, 2), (0.9, 4), (1.0, 4)])
def test_grades_fall_on_steps(value: float, step: int) -> None:
    assert level(grade(value)) == step
