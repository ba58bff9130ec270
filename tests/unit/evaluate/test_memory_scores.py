import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.evaluate.memory.scores import Score, summarised


def score(person: str, value: float, metric: str = "update_accuracy", count: float = 1.0) -> Score:
    return Score(data="made", metric=metric, person=person, value=value, count=count)


def test_a_figure_is_a_ratio_of_sums_and_people_are_counted_once() -> None:
    (row,) = summarised("befit", [score("a", 1), score("a", 0), score("b", 1)])
    assert row.value == pytest.approx(2 / 3)
    assert row.people == 2
    assert row.lo <= row.value <= row.hi


@given(st.integers(1, 200), st.sampled_from([0.0, 1.0]))
def test_unanimous_people_still_leave_doubt_and_the_less_the_more_there_are(
    people: int, value: float
) -> None:
    (row,) = summarised("befit", [score(str(n), value) for n in range(people)])
    more = [score(str(n), value) for n in range(people + 1)]
    (larger,) = summarised("befit", more)
    assert row.value == value
    assert row.lo < row.hi
    assert larger.hi - larger.lo < row.hi - row.lo


def test_ten_of_ten_has_the_exact_binomial_bound() -> None:
    (row,) = summarised("befit", [score(str(n), 1.0) for n in range(10)])
    assert row.hi == 1.0
    assert row.lo == pytest.approx(0.6915, abs=1e-4)


def test_delays_are_medians_over_people() -> None:
    delays = [score(str(n), delay, "drift_delay_mild") for n, delay in enumerate((5, 9, 300))]
    (row,) = summarised("befit", delays)
    assert row.value == 9.0
    assert row.hi == 300.0


def test_false_alarms_are_per_thousand() -> None:
    metric = "drift_false_alarms_per_1000"
    rows = summarised("befit", [score("a", 1, metric, 500), score("b", 0, metric, 1500)])
    assert rows[0].value == pytest.approx(0.5)


def test_data_and_shots_are_kept_apart() -> None:
    scores = [
        Score(data=data, metric="prefeval_top5", person="a", value=1.0, shots=shots)
        for data in ("one", "two")
        for shots in (0, 10)
    ]
    assert [(r.data, r.shots) for r in summarised("m", scores)] == [
        ("one", 0), ("one", 10), ("two", 0), ("two", 10),
    ]  # fmt: skip
