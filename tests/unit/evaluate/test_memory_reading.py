"""The reader answers by what is stated, its side included, or by likeness; and guesses fairly."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from befit.evaluate.memory import reading
from befit.evaluate.memory.reading import Reader
from befit.features.distil import Statement

WORDS = ("tea", "coffee", "boat", "train")


class Words:
    """A text's vector is which of four words it has."""

    name = "words"
    width = len(WORDS)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([[float(w in t) for w in WORDS] for t in texts], dtype=np.float32) + 1e-3
        made: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return made


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    def stated(text: str) -> tuple[Statement, ...]:
        if not text.startswith("I "):
            return ()
        side = -0.8 if "hate" in text else 0.8
        topic = text.rsplit(maxsplit=1)[-1]
        values = {f"topic:{topic}": side}
        return (Statement(sentence=text, values=values, confidence=0.9, noise=0.3),)

    monkeypatch.setattr(reading, "distilled", stated)
    return Reader(Words())  # type: ignore[arg-type]


def test_what_is_stated_against_is_not_chosen(reader: Reader) -> None:
    assert reader.by_stance(["I hate tea"], ["coffee", "tea"]) == 1.0
    assert reader.by_stance(["I love tea"], ["coffee", "tea"]) == 0.0
    assert reader.by_stance(["I love tea"], ["tea", "coffee"]) == 1.0


def test_the_text_that_is_placed_first_weighs_most(reader: Reader) -> None:
    assert reader.by_stance(["I love tea", "I love coffee"], ["tea", "coffee"]) == 1.0
    assert reader.by_stance(["I love coffee", "I love tea"], ["tea", "coffee"]) == 0.0


def test_nothing_stated_is_a_guess(reader: Reader) -> None:
    assert reader.by_stance(["Boats?"], ["boat", "tea", "coffee", "train"]) == 0.25
    assert reader.by_stance([], ["boat", "tea"]) == 0.5
    assert reader.by_likeness([], ["boat", "tea"]) == 0.5


def test_options_that_are_alike_share_the_guess(reader: Reader) -> None:
    assert reader.by_stance(["I love tea"], ["tea", "green tea", "boat"]) == 0.5


def test_likeness_is_to_the_nearest_text(reader: Reader) -> None:
    assert reader.by_likeness(["a boat", "a train"], ["train", "tea"]) == 1.0
    assert reader.by_likeness(["a boat", "a train"], ["tea", "train"]) == 0.0
