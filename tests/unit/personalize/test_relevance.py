"""The guard against over-personalizing: what does not concern the question changes nothing."""

from datetime import UTC, datetime

import pytest

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.people import UserId
from befit.core.preference import TOPIC, Preference, Profile
from befit.memory.spaces import load_space
from befit.personalize.prompt import PromptPersonalizer

NEUTRAL = (
    "How do I sort a list in Python?",
    "What is the capital of Peru?",
    "Write a letter to my landlord about the heating.",
    "Explain photosynthesis.",
    "What time is it in Lima when it is noon here?",
    "What is 17 % of 340?",
)
NAMED = {
    "topic:jazz": "Suggest a jazz club in Lyon.",
    "topic:long flights": "Plan a holiday without long flights.",
    "topic:chess": "How do I get better at chess?",
    "gardening": "Gardening in dry soil: where to start?",
    "nourishment": "Where can I find home-cooked meals in Graz?",
    "pets": "Which pets suit a small flat?",
}
WHOLE = load_space("whole")


def condition(prompt: str, *names: str) -> Conditioning:
    beliefs = tuple(Preference(dimension=name, mean=0.9, std=0.1) for name in names)
    known = Profile(user=UserId("u"), space=WHOLE, preferences=beliefs)
    asked = Context(
        user=UserId("u"),
        messages=(Message("user", prompt),),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return PromptPersonalizer(limit=200).condition(known, asked)


@pytest.mark.parametrize("prompt", NEUTRAL)
def test_no_content_and_no_topic_reaches_a_question_that_they_do_not_concern(prompt: str) -> None:
    contents = [d.name for d in WHOLE.dimensions if d.content]
    assert len(contents) == 110
    assert (
        condition(prompt, *contents, *(n for n in NAMED if n.startswith(TOPIC))) == Conditioning()
    )


@pytest.mark.parametrize("name", NAMED)
def test_what_a_question_names_is_used_and_nothing_else(name: str) -> None:
    made = condition(NAMED[name], *NAMED)
    assert made.beliefs == (name,)


def test_how_to_be_answered_concerns_every_question() -> None:
    assert condition(NEUTRAL[0], "length", "summary", "gardening").beliefs == ("length", "summary")
