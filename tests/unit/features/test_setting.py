"""Where a conversation is, from the person's own words alone."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.scopes import distance
from befit.core.dialogue import Message
from befit.features.setting import setting


def told(*texts: str) -> str:
    return setting([Message("user", text) for text in texts])


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("At work, how should I phrase a refusal?", "work"),
        ("Write an email to my boss asking for a day off.", "work/mail/with:colleagues"),
        ("Draft a reply to an angry customer.", "work/mail/with:clients"),
        ("Please write a birthday card for my little sister.", "with:family"),
        ("Can you explain photosynthesis to my 8-year-old daughter?", "with:children"),
        ("I need a toast for my best friend.", "with:friends"),
        ("Write a letter to my professor about the deadline.", "school/with:teachers"),
    ],
)
def test_the_setting_is_read(text: str, scope: str) -> None:
    assert told(text) == scope


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "My boss is angry with me.",
        "I bought a card for the bus.",
        "How does e-mail work?",
        "Write a story for my kids and a letter to my boss.",
        'Translate "an email to my boss" into French.',
        "> a reply to a customer\nWhat does this mean?",
        "Is work a force times a distance?",
        "Explain the theory of relativity.",
    ],
)
def test_what_sets_no_scene(text: str) -> None:
    assert told(text) == ""


def test_the_newest_that_tells_counts_and_only_a_few_turns_back() -> None:
    work, family = "Write an email to my boss.", "Write a card for my mother."
    assert told(work, family, "Make it shorter.") == "with:family"
    assert told(work, "Shorter.", "Warmer.") == "work/mail/with:colleagues"
    assert told(work, "Shorter.", "Warmer.", "Now what about lunch?") == ""


def test_nobody_else_sets_the_scene() -> None:
    roles: tuple[Literal["system", "assistant", "tool"], ...] = ("system", "assistant", "tool")
    assert setting([Message(role, "Write an email to my boss.") for role in roles]) == ""


def test_what_holds_at_work_and_with_clients_is_seen_from_there() -> None:
    here = told("Draft a reply to an angry customer.")
    for wider in ("", "work", "work/mail", "with:clients", "work/with:clients"):
        assert distance(wider, here) is not None
    assert distance("with:family", here) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_fail(text: str) -> None:
    assert isinstance(told(text), str)
