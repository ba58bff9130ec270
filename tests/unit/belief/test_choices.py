"""Pairs and grades of texts: what they say, on whose scale, and when a person changed."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from befit.belief.fold import BayesFold
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Graded, Pair, Preference, PreferenceSpace

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("length", "short", "long", feature="length"),
        Dimension("lists", "prose", "lists", feature="lists"),
    ),
)


def measure(text: str) -> dict[str, float]:
    length, lists = text.split()
    return {"length": float(length), "lists": float(lists)}


FOLD = BayesFold(measure=measure)


def done(key: int, *, pair: Pair | None = None, graded: Graded | None = None) -> Evidence:
    return Evidence(
        id=f"{key:04}",
        user=UserId("u"),
        kind=EvidenceKind.BEHAVIOUR,
        at=AT - timedelta(hours=1000 - key),
        pair=pair,
        graded=graded,
    )


def graded(key: int, length: float, value: float, lists: float = 0.0) -> Evidence:
    return done(key, graded=Graded(prompt="", text=f"{length} {lists}", value=value))


def chose(key: int, rng: random.Random, ideal: float, firmness: float = 8.0) -> Evidence:
    """One choice of two random texts by somebody who wants ``ideal`` length and any lists."""
    texts = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(2)]
    utility = [-firmness * (length - ideal) ** 2 for length, _ in texts]
    odds = 1.0 / (1.0 + 2.718281828 ** (utility[1] - utility[0]))
    first = rng.random() < odds
    (a, b), (c, d) = texts if first else texts[::-1]
    return done(key, pair=Pair(prompt="", chosen=f"{a} {b}", rejected=f"{c} {d}"))


def believed(evidence: list[Evidence], fold: BayesFold = FOLD) -> dict[str, Preference]:
    return {p.dimension: p for p in fold.infer(SPACE, evidence, AT, "")}


def test_grades_show_what_is_liked() -> None:
    liked = [graded(i, 0.8, 1.0) for i in range(5)] + [graded(i + 5, -0.8, 0.2) for i in range(5)]
    found = believed(liked)["length"]
    assert found.mean > 0.3
    assert found.std < 0.9
    assert set(found.sources) == {e.id for e in liked}


@pytest.mark.parametrize("shift", [-0.25, 0.0, 0.25])
def test_the_strict_and_the_kind_are_read_alike(shift: float) -> None:
    """The same order of texts, graded high or low throughout, says about the same."""
    grades = [graded(i, 0.8 if i % 2 else -0.8, (0.75 if i % 2 else 0.5) + shift) for i in range(6)]
    assert believed(grades)["length"].mean == pytest.approx(0.79, abs=0.08)


def test_somebody_who_likes_everything_says_little() -> None:
    alike = [graded(i, 0.8, 1.0) for i in range(20)]
    apart = [graded(i, 0.8 if i % 2 else -0.8, float(i % 2)) for i in range(20)]
    assert believed(alike)["length"].weight < 0.5 * believed(apart)["length"].weight


def test_a_light_grade_counts_less() -> None:
    firm = [graded(i, 0.8 if i % 2 else -0.8, float(i % 2)) for i in range(6)]
    light = [replace(e, graded=replace(e.graded, weight=0.2)) for e in firm if e.graded]
    assert believed(light)["length"].std > believed(firm)["length"].std


def stream(
    after: float, *, seed: int = 1, before: float = 0.7, length: int = 300
) -> list[Evidence]:
    rng = random.Random(seed)
    return [chose(i, rng, before if i < 200 else after) for i in range(length)]


def test_a_change_of_taste_is_dated_and_not_averaged() -> None:
    told = stream(-0.7, seed=2)
    found, averaged = believed(told), believed(told, replace(FOLD, false_alarms=0.0))
    assert averaged["length"].mean > -0.1
    assert found["length"].mean < -0.3
    assert found["length"].since is not None
    assert abs(found["length"].since - told[200].at) <= timedelta(hours=12)
    assert any("You changed about" in reason for reason in found["length"].reasons)
    assert found["lists"].since is None
    assert found["lists"].std == pytest.approx(averaged["lists"].std, rel=0.2)


def test_a_change_is_noticed_soon() -> None:
    """Of somebody whose ideal moves by half the range, and of another who turns round."""
    for after, most in ((0.0, 30), (-0.7, 15)):
        delays = []
        for seed in range(9):
            told = stream(after, seed=seed, length=280)
            for count in range(200, 281, 5):
                if believed(told[:count])["length"].since is not None:
                    delays.append(count - 200)
                    break
            else:
                delays.append(100)
        assert sorted(delays)[4] <= most


def test_without_a_change_none_is_seen() -> None:
    for seed in range(6):
        assert believed(stream(0.7, seed=seed))["length"].since is None


def test_what_was_said_before_a_change_gives_way_and_a_correction_stands() -> None:
    told = stream(-0.7)
    words = Evidence(
        id="w",
        user=UserId("u"),
        kind=EvidenceKind.STATED,
        at=told[10].at,
        values={"length": 0.8},
    )
    assert believed([*told, words])["length"].mean < 0.0
    assert believed([*told, replace(words, noise=0.02)])["length"].mean > 0.5


def test_words_count_over_deeds() -> None:
    rng = random.Random(3)
    told = [chose(i, rng, -0.6) for i in range(40)]
    words = Evidence(
        id="w", user=UserId("u"), kind=EvidenceKind.STATED, at=AT, values={"length": 0.8}
    )
    found = believed([*told, words])["length"]
    assert found.mean > 0.2
    assert any("less than what you said" in reason for reason in found.reasons)
