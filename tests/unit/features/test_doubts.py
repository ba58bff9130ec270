"""Doubts: irony, make-believe and other languages are noticed, and said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.features.distil import Distiller
from befit.features.doubts import doubts, foreign, hearsay, ironic, supposed
from befit.features.statements import read_statement
from befit.memory.spaces import load_space

STYLE = load_space("style")
FOREIGN = (
    "Ich mag keine langen Antworten.",
    "Ich liebe kurze Antworten und hasse Emojis.",
    "Je d\u00e9teste les longues r\u00e9ponses.",
    "J'aime beaucoup le chocolat et le pain.",
    "Me encanta el caf\u00e9 muy fuerte.",
    "No me gustan los perros.",
    "Mi piace molto il formaggio.",
    "Ik houd van fietsen en van de zee.",
    "Eu gosto muito de caf\u00e9.",
    "\u042f \u043b\u044e\u0431\u043b\u044e \u043a\u043e\u0448\u0435\u043a.",
    "\u6211\u559c\u6b22\u732b\u3002",
    "\u0623\u062d\u0628 \u0627\u0644\u0642\u0637\u0637.",
)
IRONIC = (
    "I love parking fines, said nobody ever.",
    "Yeah right, I adore tax forms.",
    "I just love Mondays, lol.",
    "I really enjoy long meetings \U0001f644",
    "I love being on hold, not.",
    "Oh great, I love leaky roofs.",
)


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_is_noticed_and_says_nothing(text: str) -> None:
    assert foreign(text.lower())
    assert read_statement(STYLE, text) == {}
    assert any("English" in each for each in doubts(text, 1000))


@pytest.mark.parametrize("text", IRONIC)
def test_marked_irony_is_noticed_and_says_nothing(text: str) -> None:
    assert ironic(text.lower())
    assert read_statement(STYLE, text) == {}
    assert any("ironic" in each for each in doubts(text, 1000))


@pytest.mark.local
@pytest.mark.parametrize("text", [*FOREIGN, *IRONIC, "Suppose I can't stand noise at night."])
def test_nor_does_the_head_believe_it(text: str) -> None:
    assert not Distiller(space=STYLE).distil(text)


@pytest.mark.parametrize(
    "text",
    ["I love Paris.", "I hate Der Spiegel.", "Keep it short.", "I like pad thai and udon.", "Hm?"],
)
def test_plain_english_raises_no_doubt(text: str) -> None:
    assert not doubts(text, 1000)
    assert not supposed(text.lower())
    assert not hearsay(text.lower())


def test_what_is_cut_off_or_has_no_words_is_said() -> None:
    assert doubts("I like tea. " * 500_000, 20_000) == (
        "Only the first 20,000 of its 6,000,000 characters are read.",
    )
    assert doubts("\U0001f600\U0001f600 !!", 100) == ("It has no words.",)
    assert doubts("", 100) == ()


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert all(each.endswith(".") for each in doubts(text, 200))
