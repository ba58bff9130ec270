"""The change detector: measured delay and false alarms, and its laws."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.change import alarms, changes, onset, threshold

KNOWN = {"mean": 0.72, "std": 0.45}  # of a population of hits; no person's true rate


def hits(
    rng: random.Random, after: float, *, before: float = 0.75, length: int = 300
) -> list[float]:
    return [float(rng.random() < (before if i < 200 else after)) for i in range(length)]


def delays(after: float, people: int = 400) -> tuple[float, float]:
    """Median delay of a fall after 200 hits and misses, and false alarms per 1,000 before it."""
    rng = random.Random(5)
    false, waits = 0, []
    for _ in range(people):
        found = alarms(hits(rng, after), side="low", **KNOWN)
        early = [i for i in found if i < 200]
        false += len(early)
        if not early:
            waits.append(found[0] - 199 if found else 101)
    return statistics.median(waits), 1000 * false / (200 * people)


def test_a_mild_and_a_strong_shift_are_noticed_without_being_told_the_rates() -> None:
    mild, false = delays(0.50)
    strong, _ = delays(0.35)
    assert mild <= 28
    assert strong <= 14
    assert false <= 0.6  # 0.5 in 1,000, and what 80,000 reactions leave open


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "hits"])
def test_the_limit_keeps_to_its_rate(kind: str) -> None:
    rng = random.Random(2)
    found = 0
    for _ in range(250):
        if kind == "normal":
            found += len(alarms([rng.gauss(0.0, 1.0) for _ in range(1000)]))
        else:
            found += len(alarms(hits(rng, 0.75, length=1000), side="low", **KNOWN))
    assert found / 250 <= 0.75


def test_where_it_began_is_near_and_before_where_it_was_noticed() -> None:
    rng = random.Random(3)
    found = changes([rng.gauss(1.5 if i >= 60 else 0.0, 1.0) for i in range(120)])
    assert len(found) == 1
    assert abs(found[0].began - 60) <= 6
    assert found[0].began <= found[0].noticed
    assert found[0].rose


def test_each_move_is_a_change_of_its_own() -> None:
    rng = random.Random(4)
    levels = [0.0] * 60 + [2.0] * 60 + [-1.0] * 60
    found = changes([rng.gauss(level, 1.0) for level in levels])
    assert [change.rose for change in found] == [True, False]


def test_one_side_alone() -> None:
    rng = random.Random(6)
    rising = [rng.gauss(0.0 if i < 50 else 2.0, 1.0) for i in range(80)]
    assert alarms(rising, side="high")
    assert not alarms(rising, side="low")


def test_fewer_false_alarms_cost_a_higher_limit() -> None:
    assert threshold(0.05) > threshold(0.5) > threshold(5.0)


series = st.lists(st.floats(-5, 5), max_size=60)


@given(series, st.lists(st.floats(-5, 5), max_size=20))
def test_what_was_noticed_stays_noticed_whatever_comes_later(
    earlier: list[float], later: list[float]
) -> None:
    found = changes(earlier)
    assert changes(earlier + later)[: len(found)] == found
    assert all(0 <= c.began <= c.noticed < len(earlier) for c in found)


@given(series)
def test_the_mirror_image_changes_to_the_other_side(values: list[float]) -> None:
    mirrored = changes([-v for v in values])
    assert [(c.noticed, not c.rose) for c in mirrored] == [
        (c.noticed, c.rose) for c in changes(values)
    ]


@given(st.floats(-5, 5), st.integers(0, 80))
def test_a_constant_never_changes(value: float, length: int) -> None:
    assert changes([value] * length, mean=value) == ()


def test_a_great_shift_is_dated_well() -> None:
    """What only happened to lie on the way is not taken for the beginning."""
    rng = random.Random(7)
    gaps = []
    for _ in range(60):
        begins = rng.randrange(20, 40)
        found = changes([rng.gauss(2.5 if i >= begins else 0.0, 1.0) for i in range(70)])
        gaps += [change.began - begins for change in found[:1]]
    assert len(gaps) == 60
    assert sum(abs(gap) <= 1 for gap in gaps) >= 50
    assert statistics.fmean(gaps) > -1.0


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30), st.integers(0, 29))
def test_a_split_is_within_what_was_seen(values: list[float], guess: int) -> None:
    assert 0 <= onset(values, min(guess, len(values) - 1)) < len(values)
    assert onset([1.0] * len(values), 0) == 0
