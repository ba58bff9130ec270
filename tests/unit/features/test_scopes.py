"""Scopes: the words that set a scene are told from those that are talked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.preference import Dimension, PreferenceSpace
from befit.features.scopes import scope_of, without_scope
from befit.features.statements import read_statement

NAMED = {
    "At work, always give figures.": "work",
    "When I'm at work I prefer short answers": "work",
    "Be formal in work emails.": "work/mail",
    "In my spare time I love chess": "home",
    "At home, be playful": "home",
    "Keep it short in meetings": "work/meetings",
    "With my kids, use simple words.": "with:children",
    "I like long answers, except with my family": "with:family",
    "At the office, be formal with clients": "work/with:clients",
    "While driving, keep it short": "driving",
    "On weekends I like jokes": "weekend",
    "When I talk to my boss, be formal": "with:colleagues",
    "At work, be brief. At work, use figures.": "work",
}
UNNAMED = (
    "",
    "I love my work",
    "I like working at home",
    "I like being at home",
    "Keep it short",
    "I work with children",
    "I enjoy time with my family",
    "At work, be brief. At home, be chatty.",
)


@pytest.mark.parametrize("text", NAMED)
def test_the_scope_that_the_words_name(text: str) -> None:
    assert scope_of(text) == NAMED[text]


@pytest.mark.parametrize("text", UNNAMED)
def test_no_scope_where_none_is_named_or_two_are(text: str) -> None:
    assert scope_of(text) == ""


SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("length", "short", "long", words_low=("short",), words_high=("long",)),
        Dimension("figures", "none", "many", words_high=("figures",)),
    ),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("At work, always give figures.", "figures"),
        ("Give figures at work", "figures"),
        ("When I'm at work I prefer short answers", "length"),
        ("With my kids, keep it short.", "length"),
        ("On weekends I love hiking", "topic:hiking"),
    ],
)
def test_the_statement_is_read_without_its_scene(text: str, said: str) -> None:
    assert list(read_statement(SPACE, text)) == [said]


@given(st.text(max_size=200))
def test_taking_the_scene_away_twice_changes_nothing_more_than_words(text: str) -> None:
    assert len(without_scope(text)) <= len(text.lower()) + 1
    assert "/" not in scope_of(text) or scope_of(text).count("/") <= 2
