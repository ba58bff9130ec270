"""What was asked to be forgotten is not shown again; what was said after it is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Context, Message
from befit.core.people import UserId
from befit.features.forget_conversation import ASKED, SURE, heed, heeding

AT = datetime(2026, 4, 15, 12, tzinfo=UTC)


def talk(*texts: str) -> list[Message]:
    """Turns of a person and a model, the person first."""
    return [Message("user" if n % 2 == 0 else "assistant", text) for n, text in enumerate(texts)]


def left(*texts: str) -> list[str | None]:
    return list(heed(talk(*texts), AT).texts)


def test_a_conversation_without_requests_stays_as_it_is() -> None:
    texts = ("I love my divorce lawyer.", "Good.", "Don't forget the milk.")
    assert left(*texts) == list(texts)


def test_a_topic_goes_from_every_earlier_turn() -> None:
    assert left(
        "I am getting a divorce. What shall I cook?",
        "I am sorry about your divorce. Cook pasta.",
        "Please forget my divorce.",
        "Done.",
        "And for dessert?",
    ) == ["What shall I cook?", "Cook pasta.", None, None, "And for dessert?"]


def test_a_message_about_nothing_else_goes_with_its_answer() -> None:
    found = left("My divorce is hard.", "That must hurt.", "Forget my divorce. What is 2 + 2?")
    assert found == [None, None, "What is 2 + 2?"]


def test_a_topic_goes_from_the_request_itself() -> None:
    found = left("My divorce is hard. Forget what I told you about my divorce. What is 2 + 2?")
    assert found == ["What is 2 + 2?"]


def test_what_is_said_again_later_is_said() -> None:
    later = "My divorce is final. What now?"
    assert left("My divorce.", "Oh.", "Forget my divorce.", "Done.", later)[-1] == later


def test_what_was_just_said_goes() -> None:
    made = heed(talk("I like tea.", "Fine.", "I am pregnant.", "Oh!", "Forget that."), AT)
    assert made.texts == ("I like tea.", "Fine.", None, None, "")
    assert made.meant == ("I am pregnant.",)


def test_what_is_not_for_memory_is_answered_once_and_gone_later() -> None:
    first = heed(talk("I am pregnant. Don't remember this."), AT)
    assert (first.texts, first.private) == (("I am pregnant.",), True)
    assert left("I am pregnant. Don't remember this.", "Fine.", "Hello?") == [None, None, "Hello?"]


@pytest.mark.parametrize(
    ("reply", "gone"), [("yes please", True), ("Yes!", True), ("no", False), ("yes and no", False)]
)
def test_everything_goes_after_a_second_word(reply: str, gone: bool) -> None:
    said = talk("I like tea.", "Fine.", "Forget everything about me.", f"{SURE} Sure?", reply)
    made = heed(said, AT)
    assert made.texts[0] == (None if gone else "I like tea.")
    assert [r.confirmed for r in made.requests] == ([True] if gone else [])


def test_the_callers_words_stay() -> None:
    said = [Message("system", "They have a divorce."), *talk("Forget my divorce.")]
    assert heed(said, AT).texts[0] == "They have a divorce."


def test_what_stands_beside_a_message_counts() -> None:
    said = [*talk("Find me someone.", ""), Message("tool", "A. Smith"), *talk("Forget my divorce.")]
    assert heed(said, AT, beside={1: '{"query": "divorce lawyers"}'}).texts == (
        None,
        None,
        None,
        "",
    )


def test_a_paraphrase_goes_by_meaning() -> None:
    said = talk("My wife and I are separating. What now?", "Talk.", "Forget my divorce.")
    near = heed(said, AT, near=lambda topic, text: topic == "divorce" and "separating" in text)
    assert near.texts[0] == "What now?"


def test_the_newest_turn_is_never_empty() -> None:
    context = Context(user=UserId("ana"), messages=tuple(talk("Forget my divorce.")), at=AT)
    assert heeding(context).messages == (Message("user", ASKED),)


WORDS = ("divorce", "tea", "jazz", "What is 2 + 2?", "Fine.", "I like it. Really.", "")


@given(st.lists(st.sampled_from(WORDS), max_size=6), st.sampled_from(["divorce", "tea", "jazz"]))
def test_nothing_of_a_topic_is_left_before_the_request(said: list[str], topic: str) -> None:
    told = [*said, *([""] if len(said) % 2 else []), f"Forget everything about my {topic}."]
    texts = heed(talk(*told), AT).texts
    assert not any(topic in (text or "") for text in texts)
    assert len(texts) == len(told)
