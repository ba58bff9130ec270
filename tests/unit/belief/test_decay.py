"""Half-lives: found again in people of whom they are known."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from befit.belief.decay import USUAL, fit_half_lives
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence

START = datetime(2024, 1, 1, tzinfo=UTC)


def person(number: int, *, memory_days: float | None, name: str) -> list[Evidence]:
    """Sixty weeks of a position that is forgotten in ``memory_days``, or that never moves."""
    rng = random.Random(number)
    position, made = rng.gauss(0, 0.5), []
    for week in range(60):
        if memory_days is not None:
            keep = 0.5 ** (7 / memory_days)
            position = keep * position + rng.gauss(0, 0.5 * (1 - keep * keep) ** 0.5)
        made.append(
            Evidence(
                id=f"{name}{number}.{week}",
                user=UserId(str(number)),
                kind=EvidenceKind.STATED,
                at=START + timedelta(weeks=week),
                values={name: max(-1.0, min(1.0, rng.gauss(position, 0.3)))},
            )
        )
    return made


def test_what_changes_fast_fades_fast() -> None:
    people = [
        person(i, memory_days=memory, name=name)
        for i in range(8)
        for name, memory in (("mood", 20.0), ("taste", 200.0), ("faith", None))
    ]
    found = fit_half_lives(people)
    assert found["mood"] < 40.0
    assert found["mood"] < found["taste"] < found["faith"]
    assert found["faith"] > USUAL


def test_neither_order_nor_repetition_matters() -> None:
    people = [person(i, memory_days=20.0, name="mood") for i in range(3)]
    assert fit_half_lives(people) == fit_half_lives([p[::-1] + p[:5] for p in people[::-1]])


def test_little_data_says_nothing() -> None:
    assert fit_half_lives([person(1, memory_days=20.0, name="mood")[:12]]) == {}


def test_what_others_wrote_says_nothing() -> None:
    told = [replace(e, origin="tool") for e in person(1, memory_days=20.0, name="mood")]
    assert fit_half_lives([told]) == {}
