"""What comes back each week and each year: found where it is, and nowhere else."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.clock import Clock
from befit.belief.fold import BayesFold
from befit.belief.recurrence import recurring
from befit.belief.scopes import TIMES
from befit.core.errors import ConfigError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Pair, Preference, PreferenceSpace

START = datetime(2023, 1, 2, tzinfo=UTC)  # a Monday
SATURDAY, MONDAY = (datetime(2026, 2, day, 20, tzinfo=UTC) for day in (28, 23))
SPACE = PreferenceSpace("test", "1", (Dimension("length", "short", "long", feature="length"),))

Level = Callable[[datetime], float]


def found(level: Level, *, number: int = 150, days: int = 90, people: int = 30) -> Counter[str]:
    """How many people of a kind are found to do otherwise at each time; "" at none."""
    count = Counter[str]()
    for seed in range(people):
        rng = random.Random(seed)
        moments = sorted(START + timedelta(days=rng.uniform(0, days)) for _ in range(number))
        values = np.array([[rng.gauss(level(at), 0.5)] for at in moments])
        (each,) = recurring(moments, values, Clock())
        count[each.name if each else ""] += 1
    return count


@pytest.mark.parametrize(
    ("name", "level", "days"),
    [
        ("weekend", lambda at: 0.5 if at.weekday() >= 5 else -0.5, 90),
        ("evening", lambda at: 0.5 if at.hour >= 18 else -0.5, 90),
        ("summer", lambda at: 0.5 if at.month in (6, 7, 8) else -0.5, 1095),
    ],
)
def test_what_comes_back_is_found(name: str, level: Level, days: int) -> None:
    assert found(level, days=days)[name] >= 27


@pytest.mark.parametrize(
    "level",
    [
        lambda _: 0.2,
        lambda at: -0.7 + 1.4 * (at - START).days / 1095,
        lambda at: 0.6 if (at - START).days > 500 else -0.6,
        lambda at: 0.6 if at.year == 2024 and at.month < 4 else -0.2,  # one odd winter
    ],
)
def test_steady_drifting_and_changing_people_do_not_come_back(level: Level) -> None:
    assert found(level, number=300, days=1095)[""] >= 29


def observed(at: datetime, value: float, **fields: Any) -> Evidence:
    base: dict[str, Any] = {
        "kind": EvidenceKind.BEHAVIOUR,
        "values": {"length": value},
        "noise": 0.5,
    }
    return Evidence(id=f"{at.isoformat()}", user=UserId("u"), at=at, **{**base, **fields})


def belief(evidence: list[Evidence], at: datetime, scope: str = "", **options: Any) -> Preference:
    (one,) = BayesFold(**options).infer(SPACE, evidence, at, scope)
    return one


def weekly() -> list[Evidence]:
    rng = random.Random(1)
    days = [SATURDAY - timedelta(days=n, hours=3) for n in range(1, 90)]
    return [
        observed(at, max(-1.0, min(1.0, rng.gauss(0.7 if at.weekday() >= 5 else -0.7, 0.3))))
        for at in days
    ]


def test_a_belief_comes_back_each_week() -> None:
    told = weekly()
    on, off = belief(told, SATURDAY), belief(told, MONDAY)
    assert on.mean > 0.5
    assert off.mean < -0.5
    assert any("at weekends" in reason for reason in on.reasons)
    assert any("at weekends" in reason for reason in off.reasons)
    assert on.since is None  # a week is no change of mind
    assert belief(told, MONDAY, "weekend").mean > 0.5  # asked for another time than now
    averaged = belief(told, SATURDAY, false_alarms=0.0)
    assert averaged.mean < 0.0


def test_choices_between_texts_come_back_too() -> None:
    rng = random.Random(2)
    told = []
    for n in range(1, 400):
        at = SATURDAY - timedelta(hours=7 * n)
        ideal = 0.9 if at.weekday() >= 5 else -0.9
        one, other = sorted((rng.uniform(-1, 1) for _ in range(2)), key=lambda f: abs(f - ideal))
        told.append(
            observed(at, 0.0, values={}, pair=Pair(prompt="", chosen=str(one), rejected=str(other)))
        )

    def asked(at: datetime) -> Preference:
        return belief(told, at, measure=lambda text: {"length": float(text)})

    assert asked(SATURDAY).mean > 0.5
    assert asked(MONDAY).mean < -0.5
    assert any("at weekends" in reason for reason in asked(MONDAY).reasons)


def test_what_is_said_of_a_season_is_there_each_year_and_not_between() -> None:
    said = observed(START, 0.8, kind=EvidenceKind.STATED, scope="summer")
    summers = [datetime(year, 7, 5, tzinfo=UTC) for year in (2023, 2024, 2025)]
    for at in summers:
        assert belief([said], at).mean > 0.3
        assert belief([said], at).scope == ""
    assert not BayesFold().infer(SPACE, [said], datetime(2024, 1, 5, tzinfo=UTC), "")
    assert not BayesFold(south=True).infer(SPACE, [said], summers[0], "")
    assert belief([said], datetime(2024, 1, 5, tzinfo=UTC), south=True).mean > 0.3


def test_the_wall_clock_of_the_zone_counts() -> None:
    friday_night = datetime(2026, 2, 27, 23, 30, tzinfo=UTC)
    said = observed(START, 0.8, kind=EvidenceKind.STATED, scope="weekend")
    assert not BayesFold().infer(SPACE, [said], friday_night, "")
    assert belief([said], friday_night, zone="Europe/Berlin").mean > 0.0
    with pytest.raises(ConfigError, match="no time zone"):
        belief([said], friday_night, zone="Atlantis/Centre")


@given(st.integers(0, 4_000_000_000), st.sampled_from(sorted(TIMES)))
def test_it_is_always_one_time_of_each_round(seconds: int, name: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert len(set(Clock().says(moment))) == 3
    placed = Clock().placed(f"work/{name}", moment)
    assert placed.startswith(f"work/{name}/")
    assert placed.count("when:") == 2
    assert Clock().placed(placed, moment - timedelta(days=40)) == placed
