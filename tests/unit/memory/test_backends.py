"""What every place to keep memory in must do alike: days, two time axes, clocks, forgetting."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Preference, Profile
from befit.memory.profiles import RowMemory
from befit.memory.sealed import SealedMemory
from befit.memory.sqlite import SqliteMemory

ADA = UserId("ada")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLACES = ("sqlite", "sharded", "sealed", "postgres", "sealed_postgres")


def _postgres(request: pytest.FixtureRequest, tenant: str, keys: Path | None) -> RowMemory:
    pytest.importorskip("psycopg")
    from befit.memory.postgres import PostgresMemory  # noqa: PLC0415
    from befit.memory.postgres_sealed import SealedPostgresMemory  # noqa: PLC0415

    dsn = request.getfixturevalue("dsn")
    if keys is None:
        return PostgresMemory(dsn, tenant)
    return SealedPostgresMemory(dsn, tenant, keys=keys)


@pytest.fixture(params=PLACES)
def again(
    request: pytest.FixtureRequest, tenant: str, tmp_path: Path
) -> Iterator[Callable[[], RowMemory]]:
    """Opens the same memory, each time as another process would: with nothing in its cache."""
    made: list[RowMemory] = []

    def opened() -> RowMemory:
        if request.param == "sqlite":
            made.append(SqliteMemory(tmp_path / "m.db"))
        elif request.param == "sharded":
            made.append(SqliteMemory(tmp_path / "m.db", shards=3))
        elif request.param == "sealed":
            made.append(SealedMemory(tmp_path / "m.db"))
        else:
            keys = tmp_path / "keys" if request.param == "sealed_postgres" else None
            made.append(_postgres(request, tenant, keys))
        return made[-1]

    yield opened
    for each in made:
        each.close()


def _said(key: str, value: float, *, days: float, learned: float | None = None) -> Evidence:
    return Evidence(
        id=key,
        user=ADA,
        kind=EvidenceKind.STATED,
        at=AT - days * DAY,
        text=f"tea {key}",
        values={"length": value, "topic:tea": value},
        learned=None if learned is None else AT - learned * DAY,
    )


def _asked(days: float = 0.0) -> Context:
    return Context(user=ADA, messages=(Message("user", "tea"),), at=AT - days * DAY)


def _beliefs(profile: Profile) -> dict[str, Preference]:
    return {each.dimension: each for each in profile.preferences}


def _bare(profile: Profile) -> Profile:
    return replace(profile, version="")


def test_a_day_in_the_past_knows_what_was_known_then(again: Callable[[], RowMemory]) -> None:
    memory = again()
    memory.remember([_said("old", -0.8, days=300), _said("new", 0.9, days=10)])
    memory.remember([_said("late", 0.9, days=200, learned=5)])  # true early, known late
    for place in (memory, again()):
        then, before, now = (_beliefs(place.recall(_asked(days))) for days in (100, 7, 0))
        assert then["length"].sources == ("old",)
        assert then["length"].mean < 0 < now["length"].mean
        assert set(before["length"].sources) == {"old", "new"}
        assert set(now["length"].sources) == {"old", "new", "late"}
        assert _beliefs(place.recall(_asked(301))) == {}
        shown = [{e.id for e in place.recall(_asked(days)).evidence} for days in (100, 7, 0)]
        assert shown == [{"old"}, {"old", "new"}, {"old", "new", "late"}]


def test_a_past_day_stays_as_it_was_whatever_comes_later(again: Callable[[], RowMemory]) -> None:
    memory = again()
    memory.remember([_said("old", -0.8, days=300)])
    then = _bare(memory.recall(_asked(100)))
    memory.remember([_said("new", 0.9, days=10), _said("late", 0.9, days=200, learned=5)])
    assert _bare(memory.recall(_asked(100))) == then
    assert _bare(again().recall(_asked(100))) == then


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.integers(0, 400), st.integers(0, 30)), max_size=7),
    st.randoms(use_true_random=False),
)
def test_a_clock_that_jumps_and_a_part_that_is_forgotten_leave_no_trace(
    again: Callable[[], RowMemory], told: list[tuple[float, int, int]], random: Random
) -> None:
    """Written in any order of the clock, one by one or together: the same bits."""
    given_ = [
        _said(f"{n}", value, days=days, learned=min(late, days) if n % 2 else None)
        for n, (value, days, late) in enumerate(told)
    ]
    extra = [replace(each, id=f"x{each.id}", text="tea and more") for each in given_[:3]]
    first = again()
    first.forget(ADA)
    first.remember(given_)
    wanted = [_bare(first.recall(_asked(days))) for days in (0, 50, 350)]
    first.forget(ADA)
    for each in random.sample([*given_, *extra], len(given_) + len(extra)):
        first.remember([each])
        first.recall(_asked())
    assert first.forget(ADA, [each.id for each in extra]) == len(extra)
    for place in (first, again()):
        assert [_bare(place.recall(_asked(days))) for days in (0, 50, 350)] == wanted
