"""The constitution and how caution tightens it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.values.constitution import constitution

numbers = st.floats(allow_nan=True, allow_infinity=True)


def test_harmless_comes_first_and_weighs_most() -> None:
    principles = constitution().principles
    assert [p.name for p in principles] == ["harmless", "honest", "helpful"]
    weights = [p.weight for p in principles]
    assert weights == sorted(weights, reverse=True)
    assert all(0.0 < p.strictest <= p.threshold for p in principles)
    assert all(0.0 <= p.false_refusals <= 0.12 for p in principles)


@given(numbers, numbers)
def test_more_caution_never_raises_a_limit(one: float, other: float) -> None:
    for principle in constitution().principles:
        if not math.isnan(one + other):
            assert principle.limit(max(one, other)) <= principle.limit(min(one, other))
        assert principle.strictest <= principle.limit(one) <= principle.threshold


def test_the_ends() -> None:
    harmless = constitution()["harmless"]
    assert harmless.limit(0.0) == harmless.threshold == harmless.limit(-1.0)
    assert harmless.limit(1.0) == pytest.approx(harmless.strictest)
    assert harmless.limit(float("nan")) == pytest.approx(harmless.strictest)
    assert constitution()["helpful"].limit(0.0) > 1.0  # blocks nothing without caution
    with pytest.raises(KeyError):
        _ = constitution()["polite"]


def test_figures_name_every_threshold() -> None:
    assert set(constitution().figures()) == {
        f"{name}.{figure}"
        for name in ("harmless", "honest", "helpful")
        for figure in ("threshold", "strictest", "weight", "false_refusals")
    }
