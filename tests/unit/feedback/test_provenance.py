from datetime import UTC, datetime

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Interaction
from befit.core.people import UserId
from befit.core.preference import Dimension, PreferenceSpace
from befit.feedback.provenance import own_words, placed

ASK = "Keep every answer to a few short sentences."
SPACE = PreferenceSpace("s", "1", (Dimension("length", "short", "long", ask_low=ASK),))


def turn(*beliefs: str) -> Interaction:
    messages = (
        Message("system", "You are a careful travel agent for Peru."),
        Message("assistant", "The train to Cusco leaves at nine."),
        Message("user", "And the one after that?"),
    )
    return Interaction(
        context=Context(user=UserId("u"), messages=messages, at=datetime(2026, 1, 1, tzinfo=UTC)),
        response=Response(
            id="r", text="t", draft=Draft(text="t", policy="p"), verdicts=(), beliefs=beliefs
        ),
    )


def test_what_befit_placed_is_asks_topics_and_model_text_of_this_turn() -> None:
    assert placed(SPACE, turn("length", "topic:long train rides")) == [
        ASK,
        "They like long train rides",
        "They dislike long train rides",
        "You are a careful travel agent for Peru.",
        "The train to Cusco leaves at nine.",
    ]
    assert ASK not in placed(SPACE, turn())


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("keep every answer to a FEW short sentences", ""),
        (f"{ASK} I also work at night.", "I also work at night."),
        ("Shorter, please. I read this on a phone.", "Shorter, please. I read this on a phone."),
        ("", ""),
    ],
)
def test_echoes_are_taken_out_and_own_words_stay(text: str, own: str) -> None:
    assert own_words(text, [ASK]) == own


def test_short_echo_needs_the_whole_sentence() -> None:
    assert own_words("Be brief.", ["Be brief. Be warm."]) == ""
    assert own_words("Be brief with me.", ["Be brief."]) == "Be brief with me."


def test_layout_of_own_words_is_kept() -> None:
    text = "# Plan\n\n- first\n- second"
    assert own_words(text, [ASK]) == text
