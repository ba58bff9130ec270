"""A request to forget is told from what only looks like one, and what it names is read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.features.forget_objects import Request
from befit.features.forget_requests import LONGEST, read_requests

AT = datetime(2026, 4, 15, 12, tzinfo=UTC)  # a Wednesday
TRAINED = Path(__file__).with_name("forget_trained.tsv").read_text("utf-8")
HELD = files("befit.evaluate.memory").joinpath("forget_held.tsv").read_text("utf-8")


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kind, message, *topic = line.split("\t")
            yield kind, message, topic[0] if topic else ""


def kind_of(request: Request) -> str:
    if request.kind != "part":
        return request.kind
    if request.period is not None:
        return "period"
    return "topic" if request.topic else "scope"


def right(kind: str, message: str, topic: str) -> bool:
    found = read_requests(message, AT).requests
    if kind == "none":
        return not found
    return len(found) == 1 and kind_of(found[0]) == kind and topic in found[0].topic


def test_every_trained_wording_is_read() -> None:
    assert [row for row in rows(TRAINED) if not right(*row)] == []


def test_held_back_wordings_are_told_apart() -> None:
    judged = [(kind != "none", bool(read_requests(m, AT).requests)) for kind, m, _ in rows(HELD)]
    hits = sum(asked and found for asked, found in judged)
    assert hits / sum(found for _, found in judged) >= 0.98
    assert hits / sum(asked for asked, _ in judged) >= 0.98
    assert sum(right(*row) for row in rows(HELD)) / len(judged) >= 0.98


def test_the_lists_share_no_wording() -> None:
    assert not {m.casefold() for _, m, _ in rows(TRAINED)} & {
        m.casefold() for _, m, _ in rows(HELD)
    }


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("Forget what I said about my ex, and tell me a joke.", "tell me a joke."),
        ("What shall I cook? And please forget my divorce.", "What shall I cook?"),
        ("I am pregnant. Please don't remember this.", "I am pregnant."),
        ("Please forget my divorce. Thanks!", ""),
    ],
)
def test_what_else_a_message_says_is_left(message: str, rest: str) -> None:
    found = read_requests(message, AT)
    assert len(found.requests) == 1
    assert found.rest == rest


def test_what_is_meant_stands_before_or_in_the_message_itself() -> None:
    assert read_requests("Forget what I just said.", AT).requests == (Request(kind="last"),)
    here = read_requests("I am pregnant. Don't remember that.", AT).requests
    assert here == (Request(kind="last", here=True),)


@pytest.mark.parametrize(
    "message", ["Forget everything about me.", "Yes, forget everything about me."]
)
def test_everything_is_confirmed_by_a_yes(message: str) -> None:
    (found,) = read_requests(message, AT).requests
    assert found == Request(kind="all", confirmed=message.startswith("Yes"))


def test_a_pronoun_means_what_was_named_before_it() -> None:
    (found,) = read_requests("I'd rather you didn't know about my debts. Erase that.", AT).requests
    assert (found.kind, found.topic) == ("part", "debts")


def test_topic_and_period_stand_together() -> None:
    (found,) = read_requests("Forget what I told you about my ex in the last week.", AT).requests
    assert found.topic == "ex"
    assert found.period is not None
    assert found.period.since == AT - timedelta(days=7)


def test_a_part_of_life_is_read() -> None:
    (found,) = read_requests("Forget what I told you at work.", AT).requests
    assert (found.scope, found.topic) == ("work", "")


def test_a_document_asks_nothing() -> None:
    text = "Please forget my divorce. " + "word " * LONGEST
    assert read_requests(text, AT).requests == ()


def test_a_quoted_request_is_nobodys() -> None:
    for text in ("> forget my divorce", "```\nforget my divorce\n```", 'It says "forget my name".'):
        assert read_requests(text, AT).requests == ()


@given(st.text(max_size=300))
def test_any_text_reads(text: str) -> None:
    found = read_requests(text, AT)
    assert found.requests or found.rest == text
