"""Statements: what a person says of themselves is read; what they say of others is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.preference import TOPIC, Dimension, PreferenceSpace
from befit.features.statements import read_statement

SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("length", "short", "long", words_low=("short", "shorter", "brief", "concise"),
                  words_high=("long", "longer", "detail", "detailed")),
        Dimension("sentences", "s", "l", words_low=("short sentences",)),
        Dimension("formality", "casual", "formal", words_low=("casual",), words_high=("formal",)),
        Dimension("lists", "prose", "lists", words_low=("prose",),
                  words_high=("bullet points", "lists")),
        Dimension("emoji", "none", "emoji", words_high=("emoji", "emojis")),
        Dimension("examples", "none", "many", words_high=("examples", "pros and cons")),
        Dimension("theory", "practical", "theory", words_low=("practical",),
                  words_high=("theory",)),
        Dimension("depth", "lay", "technical", words_low=("like i'm five",),
                  words_high=("technical", "jargon")),
    ),
)  # fmt: skip

LOW, HIGH = -1, 1
SAID = {
    "keep it short": {"length": LOW},
    "Please be more formal.": {"formality": HIGH},
    "too long": {"length": LOW},
    "Your answers are way too long!": {"length": LOW},
    "no bullet points": {"lists": LOW},
    "No emoji or bullet points": {"emoji": LOW, "lists": LOW},
    "Stop using emoji": {"emoji": LOW},
    "don't use so much jargon": {"depth": LOW},
    "I prefer examples over theory": {"examples": HIGH, "theory": LOW},
    "I'd rather have prose than lists": {"lists": LOW},
    "I prefer short answers to long answers": {"length": LOW},
    "I hate it when you use emoji": {"emoji": LOW},
    "I want you to be brief": {"length": LOW},
    "You should be more formal": {"formality": HIGH},
    "It is not formal enough": {"formality": HIGH},
    "explain it like I'm five": {"depth": LOW},
    "short sentences, please": {"sentences": LOW},
    "use prose instead of bullet points": {"lists": LOW},
    "From now on, keep it short and use bullet points": {"length": LOW, "lists": HIGH},
    "more examples, fewer lists": {"examples": HIGH, "lists": LOW},
    "Give me the pros and cons": {"examples": HIGH},
    "Great answer, but too long": {"length": LOW},
    "I like short answers because my boss is in a hurry": {"length": LOW},
    "I don\u2019t like emojis and long answers": {"emoji": LOW, "length": LOW},
    "At work I prefer short answers": {"length": LOW},
    "I dislike long flights": {"topic:long flights": LOW},
    "I love spicy food": {"topic:spicy food": HIGH},
    "I love hiking, swimming and cooking": {
        "topic:hiking": HIGH, "topic:swimming": HIGH, "topic:cooking": HIGH,
    },
    "I can't stand loud music": {"topic:loud music": LOW},
    "I'm not a fan of horror movies": {"topic:horror movies": LOW},
    "I'm allergic to peanuts.": {"topic:peanuts": LOW},
    "I prefer trains to planes": {"topic:trains": HIGH, "topic:planes": LOW},
    "I prefer a window seat, and my wife prefers the aisle": {"topic:window seat": HIGH},
    "The weather is bad. Keep it short.": {"length": LOW},
}  # fmt: skip


@pytest.mark.parametrize("text", SAID)
def test_reads_what_the_writer_prefers(text: str) -> None:
    found = read_statement(SPACE, text)
    assert {name: LOW if value < 0 else HIGH for name, value in found.items()} == SAID[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "my boss likes short mails",
        "My boss likes short mails, no bullet points",
        "They want short answers",
        'He said "keep it short"',
        "He said keep it short",
        "She told me: I like short answers",
        "> keep it short",
        "`keep it short`",
        "The word short is an adjective",
        "The phrase keep it short is a cliche",
        "Should I keep it short?",
        "Do you like spicy food?",
        "If I were busy, I would want short answers",
        "Imagine I like short answers",
        "I used to love jazz",
        "I never said I like short answers",
        "I would like to book a flight",
        "I need a hotel in Rome",
        "Write a short story about a dog",
        "Make a list of long rivers",
        "The movie was too long",
        "The answer is short",
        "My long day made me tired",
        "I love you",
        "I like it",
        "short",
        "bullet points",
    ],
)
def test_reads_nothing_where_nobody_states_a_preference(text: str) -> None:
    assert read_statement(SPACE, text) == {}


def strength(text: str) -> float:
    return abs(next(iter(read_statement(SPACE, text).values())))


def test_words_set_the_strength() -> None:
    assert strength("I love tea") > strength("I like tea")
    assert strength("I hate tea") > strength("I dislike tea")
    assert strength("never use emoji") > strength("fewer emoji")
    assert strength("a bit shorter please") < strength("shorter please")
    assert strength("not too long please") < strength("too long")


@given(st.sampled_from(sorted(SAID)))
def test_the_same_words_in_another_mouth_say_nothing(text: str) -> None:
    bare = text.rstrip(".!")
    assert read_statement(SPACE, f"{bare}?") == {} or "." in bare
    assert read_statement(SPACE, f'My friend wrote "{text}" yesterday') == {}


@given(st.text(max_size=300) | st.lists(st.sampled_from(sorted(SAID))).map(" but ".join))
def test_any_text_is_read_within_range(text: str) -> None:
    names = {d.name for d in SPACE.dimensions}
    for name, value in read_statement(SPACE, text).items():
        assert name in names or name.startswith(TOPIC)
        assert -1.0 <= value <= 1.0
        assert value


def test_a_space_without_words_leaves_topics() -> None:
    bare = PreferenceSpace("bare", "1", (Dimension("length", "short", "long"),))
    assert read_statement(bare, "keep it short") == {}
    assert read_statement(bare, "I love tea") == {"topic:tea": 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "I love coriander but I hate coriander.",
        "I love and hate coriander.",
        "Keep it short, but make it long.",
        "I'm a big fan of techno but I've gone off techno.",
    ],
)
def test_what_one_sentence_says_both_ways_is_not_believed(text: str) -> None:
    assert read_statement(SPACE, text) == {}


def test_a_change_of_mind_holds_in_its_newest_form() -> None:
    against = read_statement(SPACE, "I used to love bullet points, but not any longer.")
    assert against == {"lists": -0.8}
    assert read_statement(SPACE, "I've gone off jazz.") == {"topic:jazz": -0.8}
    assert read_statement(SPACE, "I was a fan of jazz once, no longer.") == {"topic:jazz": -0.8}


def test_only_a_preference_is_held_against_what_stands_after_to() -> None:
    assert read_statement(SPACE, "I like long walks to the sea") == {
        "topic:long walks to the sea": 0.7
    }


def test_a_post_of_megabytes_is_read_up_to_a_point() -> None:
    post = "I love tea. " + "The rain fell. " * 350_000 + "I hate cats."
    assert len(post) > 5_000_000
    assert read_statement(SPACE, post) == {"topic:tea": 1.0}
