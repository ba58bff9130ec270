"""Stances: what a sentence of preference is about, and which way it points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.features.stance import matter_of, stance_of

POINTS = {
    "I can't stand loud music": ("loud music", -1),
    "I can't get enough of Korean dramas": ("korean dramas", 1),
    "I prefer trains over planes": ("trains", 1),
    "Small talk bores me": ("small talk", -1),
    "Jazz is my thing.": ("jazz", 1),
    "I'm not a fan of cruises, because of the crowds": ("cruises", -1),
    "I dislike courses that offer no certificate": ("courses that offer no certificate", -1),
    "I eat no dairy.": ("dairy", -1),
    "I have a severe peanut allergy.": ("peanut", -1),
    "At work, I avoid long meetings": ("long meetings", -1),
    "No cruise ships for me, thanks.": ("cruise ships", -1),
}


@pytest.mark.parametrize("text", POINTS)
def test_the_frame_says_what_and_which_way(text: str) -> None:
    stance = stance_of(text)
    assert stance is not None
    assert (stance.topic, 1 if stance.value > 0 else -1) == POINTS[text]


@pytest.mark.parametrize("text", ["", "The bread is still warm.", "I love you", "I like it", "?!"])
def test_no_frame_no_stance(text: str) -> None:
    assert stance_of(text) is None


def test_without_a_frame_the_subject_is_guessed() -> None:
    assert matter_of("Clowns freak me out.") == "clowns"


@given(st.text(max_size=300))
def test_any_text_gives_a_topic_of_words_or_none(text: str) -> None:
    stance = stance_of(text)
    for topic in (stance.topic if stance else "x", matter_of(text) or "x"):
        assert 1 <= len(topic.split()) <= 8
    assert stance is None or (stance.value and -1 <= stance.value <= 1)
