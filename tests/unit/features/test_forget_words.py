"""What is about a topic: by its words, their endings and one slip; and by meaning."""

import pytest

from befit.features.forget_words import about, mended, near_by, without_quotes


@pytest.mark.parametrize(
    ("topic", "text", "is_about"),
    [
        ("my divorce", "I am getting divorced.", True),
        ("divorse", "The divorce is hard.", True),
        ("my trip to porto", "We loved Porto.", True),
        ("my trip", "The trip was long.", True),
        ("that i like jazz", "Jazz is my thing.", True),
        ("my mother's illness", "My mother lives in Ghent.", False),
        ("hiking", "I love biking.", False),
        ("car", "My career", False),
        ("the", "the end", True),
        ("?!", "anything", False),
        ("", "anything", False),
    ],
)
def test_words_tell_what_is_about_a_topic(topic: str, text: str, is_about: bool) -> None:
    assert about(topic, text) == is_about


def test_what_others_are_made_to_say_is_left_out() -> None:
    assert "forget" not in without_quotes('She said "forget me" \u201cforget it\u201d `forget`')
    assert "Zeus" in without_quotes('Forget "Project Zeus".')


@pytest.mark.parametrize(
    ("slip", "word"),
    [("forgt", "forget"), ("forgett", "forget"), ("froget", "forget"), ("delet", "delete"),
     ("abuot", "about"), ("evrything", "everything"), ("remeber", "remember")],
)  # fmt: skip
def test_one_slip_is_mended(slip: str, word: str) -> None:
    assert mended(slip) == word


@pytest.mark.parametrize("word", ["forgot", "forge", "deleted", "erased", "above", "that", "chat"])
def test_other_words_are_left_alone(word: str) -> None:
    assert mended(word) == word


SAME = (
    ("my divorce", "My ex-husband keeps the house."), ("smoking", "I quit cigarettes last year."),
    ("gambling", "I lost money at the casino."), ("horror films", "I love scary movies."),
    ("my mother's illness", "My mum has cancer."), ("cats", "My kitten sleeps on my bed."),
    ("my religion", "I am a practising Muslim."), ("my salary", "I earn 60k a year."),
)  # fmt: skip
OTHER = (
    ("jazz", "I love opera."), ("cats", "My dog sleeps on my bed."), ("hiking", "I love camping."),
    ("green tea", "I like black coffee."), ("my divorce", "My son starts school in May."),
    ("golf", "I like baseball."), ("my sister", "My brother lives in Rome."),
    ("my health", "Keep your answers short."),
)  # fmt: skip


@pytest.mark.local
def test_meaning_tells_a_paraphrase_from_a_neighbour() -> None:
    encoder = pytest.importorskip("befit.features.encoder").MiniLM()
    near = near_by(encoder)
    assert sum(near(*pair) for pair in SAME) >= 7
    assert not any(near(*pair) for pair in OTHER)
