"""Distilling: own preferences are found and said to be about something; what is not own is not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.people import UserId
from befit.core.preference import Dimension, PreferenceSpace
from befit.features.distil import AskedDistiller, Distiller, Distils, doubted, sentences
from befit.features.statement_head import shipped_head

SPACE = PreferenceSpace(
    "test", "1", (Dimension("length", "short", "long", words_low=("short",), words_high=("long",)),)
)
OWN = Distiller(space=SPACE)
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Small talk bores me.", {"topic:small talk": -0.8}),
        ("I have a strong aversion to crowded beaches.", {"topic:crowded beaches": -1.0}),
        ("Keep your answers short from now on.", {"length": -0.8}),
        ("I steer clear of fast food.", {"topic:fast food": -0.8}),
    ],
)
def test_what_is_stated_is_found(text: str, values: dict[str, float]) -> None:
    (statement,) = OWN.distil(text)
    assert statement.values == pytest.approx(values)
    assert statement.sentence == text
    assert 0.3 <= statement.noise < 1.3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "My sister loves horror films.",
        "He said he hates cats.",
        "If I liked jazz, I would go with you.",
        "I used to love techno.",
        "Do you like spicy food?",
        "I need a hotel in Rome for two nights.",
        "I love Mondays, said nobody ever.",
        "The word like is a verb and a preposition.",
        "I went to yoga yesterday.",
        "\U0001f600 \U0001f600 \U0001f600",
        "Ich mag keine langen Antworten.",
    ],
)
def test_what_is_not_an_own_preference_is_left(text: str) -> None:
    assert not OWN.distil(text)


WHOLE = PreferenceSpace(
    "whole",
    "1",
    (
        Dimension("length", "s", "l", feature="length", words_low=("short",), words_high=("long",)),
        Dimension("pets", "no pets", "pets", words_high=("cats",)),
    ),
)


def test_a_request_that_names_a_need_is_no_preference() -> None:
    own = Distiller(space=WHOLE)
    assert not own.distil("Show me cats.")
    assert [each.values for each in own.distil("Keep it short.")] == [{"length": -0.8}]
    assert [each.values for each in own.distil("I really love cats.")] == [{"pets": 1.0}]


def test_a_text_is_read_sentence_by_sentence_with_its_scopes() -> None:
    text = (
        "We had soup yesterday. My brother hates soup. At work, I avoid long meetings.\n"
        "Anyway, I really can't stand coriander. Could you send the recipe?"
    )
    found = OWN.distil(text)
    assert [list(each.values) for each in found] == [["topic:long meetings"], ["topic:coriander"]]
    assert [each.scope for each in found] == ["work", ""]
    assert all(each.sentence in text for each in found)


def test_the_shipped_head_was_measured_on_what_it_was_not_fitted_on() -> None:
    figures = shipped_head().figures
    assert min(figures["precision"], figures["recall"]) >= 0.88
    assert min(figures["held/precision"], figures["held/recall"]) >= 0.9
    assert any(name.startswith("false/") for name in figures)


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_less_confidence_is_more_noise(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert doubted(high) <= doubted(low)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for statement in OWN.distil(text):
        assert statement.values
        assert all(-1.0 <= value <= 1.0 and value for value in statement.values.values())
    assert all(each.strip() for each in sentences(text))


def test_a_megabyte_is_read_up_to_a_point() -> None:
    assert len(sentences("I like tea. " * 100_000)) > 1000
    assert len(OWN.distil("word " * 200_000)) == 0


@dataclass(frozen=True)
class Says:
    """A policy with one answer."""

    text: str

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        return [Draft(text=self.text, policy="says")]


CONTEXT = Context(user=UserId("u"), messages=(), at=AT)
TEXT = "We met at noon. I adore tea. He hates it."


def asked(answer: str) -> AskedDistiller:
    return AskedDistiller(policy=Says(answer), context=CONTEXT)


def test_a_model_is_believed_where_it_quotes_the_text() -> None:
    good = {"sentence": "I adore tea.", "topic": "Tea", "for": True}
    (statement,) = asked(json.dumps({"statements": [good, good]})).distil(TEXT)
    assert statement.values == {"topic:tea": 0.8}
    assert statement.noise == doubted(0.8)
    fenced = "```json\n" + json.dumps({"statements": [good]}) + "\n```"
    assert len(asked(fenced).distil(TEXT)) == 1
    assert isinstance(asked(""), Distils)
    assert isinstance(OWN, Distils)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I think they like tea.",
        "[]",
        '{"statements": "tea"}',
        '{"statements": [3]}',
        '{"statements": [{"sentence": "I adore coffee.", "topic": "coffee", "for": true}]}',
        '{"statements": [{"sentence": "I adore tea.", "topic": "tea", "for": "yes"}]}',
        '{"statements": [{"sentence": "I adore tea.", "topic": "", "for": true}]}',
        '{"statements": [{"sentence": "I adore tea.", "topic": "tea"}]}',
        '{"statements": [], "statements": [1]}',
        '{"statements": [], "note": 1}',
        "[" * 100_000,
    ],
)
def test_nonsense_of_a_model_says_nothing(answer: str) -> None:
    assert not asked(answer).distil(TEXT)
