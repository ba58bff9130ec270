"""Turns of phrase: which way they point now, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.features.idioms import Stance, answered, idioms, topic_of

FOR = (
    "i've come round to {}.",
    "{} have grown on me.",
    "i used to hate {}, but now i love them.",
    "i never used to like {}, now i do.",
    "i thought i hated {}, but i was wrong.",
    "turns out i love {}.",
    "i can't get enough of {}.",
    "i couldn't live without {}.",
    "i never say no to {}.",
    "{}? count me in!",
    "{} are right up my street, honestly.",
    "i have a soft spot for {}.",
    "i'm a big fan of {}, because they calm me.",
    "nothing beats {}.",
)
AGAINST = (
    "i've gone off {}.",
    "i used to love {}, but not any longer.",
    "i used to be into {}, but these days i can't stand them.",
    "i loved {} once, no longer.",
    "i thought i liked {}, but i don't.",
    "{} no longer appeal to me.",
    "the novelty of {} has worn off for me.",
    "{} do nothing for me.",
    "{} are not my cup of tea, i'm afraid.",
    "{}? no thanks.",
    "keep {} away from me.",
    "i'm fed up with {}.",
    "i could do without {}.",
    "i want nothing to do with {}.",
    "i have a severe allergy to {}.",
    "i prefer not to use {}.",
)


@pytest.mark.parametrize("phrase", FOR)
@pytest.mark.parametrize("topic", ["night trains", "rye crackers"])
def test_what_holds_now_is_for(phrase: str, topic: str) -> None:
    (stance,) = idioms(phrase.format(topic))
    assert stance.topic == topic
    assert stance.value > 0.0


@pytest.mark.parametrize("phrase", AGAINST)
@pytest.mark.parametrize("topic", ["night trains", "rye crackers"])
def test_what_holds_now_is_against(phrase: str, topic: str) -> None:
    (stance,) = idioms(phrase.format(topic))
    assert stance.topic == topic
    assert stance.value < 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the milk has gone off.",
        "my sister has come round to night trains.",
        "the ivy has grown on the house.",
        "i hate that we missed the bus.",
        "i hate to leave so early.",
        "i can't stand up.",
        "i gave my seat up.",
        "i'm off to bed.",
        "i love this song.",
        "nothing happened.",
        "i've given up on finding my glasses.",
    ],
)
def test_what_only_resembles_an_idiom_says_nothing(text: str) -> None:
    assert idioms(text) == ()


def test_a_comparison_says_both() -> None:
    assert idioms("i'd take a cottage over a castle any day.") == (
        Stance("cottage", 0.8),
        Stance("castle", -0.4),
    )


def test_clauses_are_read_one_by_one_and_contradictions_not_at_all() -> None:
    both = idioms("i've gone off techno but i'm a big fan of jazz")
    assert [(each.topic, each.value > 0.0) for each in both] == [("techno", False), ("jazz", True)]
    assert idioms("i've gone off techno but i'm a big fan of techno") == ()


def test_a_question_answered_by_its_writer_is_one_sentence() -> None:
    assert answered("Cruises? No thanks.") == "Cruises?, No thanks."
    assert answered("Cruises? They left at noon.") == "Cruises? They left at noon."


@given(st.text(max_size=400))
def test_any_text_gives_topics_of_words(text: str) -> None:
    for stance in idioms(text.lower()):
        assert 1 <= len(stance.topic.split()) <= 8
        assert -1.0 <= stance.value <= 1.0
        assert stance.value
    assert len(topic_of(text.lower()).split()) <= 8
