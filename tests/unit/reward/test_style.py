"""Closeness of style: nearer is never worse."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.people import UserId
from befit.core.preference import Dimension, PreferenceSpace
from befit.core.protocols import RewardModel
from befit.features.style import measure
from befit.reward.style import StyleReward

SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("brevity", "short", "long", feature="length"),
        Dimension("bullets", "prose", "lists", feature="lists"),
        Dimension("mystery", "none", "much"),
    ),
)
CONTEXT = Context(user=UserId("ada"), messages=(), at=datetime(2026, 1, 1, tzinfo=UTC))
REWARD = StyleReward(space=SPACE)
SHORT = Draft(text="Yes.", policy="test")
LONG = Draft(text="Well, " + "there is a lot to say about it, " * 40 + "as you see.", policy="test")


def score(objectives: dict[str, float], *drafts: Draft) -> list[float]:
    return list(REWARD.score(CONTEXT, Conditioning(objectives=objectives), drafts))


def test_it_is_a_reward() -> None:
    assert isinstance(REWARD, RewardModel)
    assert REWARD.uncertainty(CONTEXT, Conditioning(), [SHORT, LONG]) == [0.0, 0.0]


def test_short_is_better_for_who_wants_it_short() -> None:
    short, long = score({"brevity": -1.0}, SHORT, LONG)
    assert short > long
    short, long = score({"brevity": 1.0}, SHORT, LONG)
    assert short < long


@pytest.mark.parametrize("objectives", [{}, {"mystery": 1.0}, {"unknown": 1.0}])
def test_what_cannot_be_measured_tells_nothing_apart(objectives: dict[str, float]) -> None:
    assert score(objectives, SHORT, LONG) == [0.0, 0.0]


def test_a_perfect_match_costs_nothing() -> None:
    found = measure(LONG.text)
    assert score({"brevity": found["length"], "bullets": found["lists"]}, LONG) == [0.0]


@given(goal=st.floats(-1, 1), words=st.lists(st.integers(1, 400), min_size=2, max_size=5))
def test_the_nearest_length_wins(goal: float, words: list[int]) -> None:
    drafts = [Draft(text="word " * count, policy="test") for count in words]
    scores = score({"brevity": goal}, *drafts)
    distances = [abs(measure(draft.text)["length"] - goal) for draft in drafts]
    assert scores[min(range(len(words)), key=distances.__getitem__)] == max(scores)
