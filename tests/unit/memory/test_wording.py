"""What a prompt asks for, and the part of its embedding that only says that it asks."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from befit.memory.wording import asked, asks_of_fact, of_oneself


class Two:
    """Requests are alike along one axis; boats are along another."""

    name = "two"
    width = 8

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.width), dtype=np.float32)
        rows[:, 0] = 1.0
        rows[:, 1] = ["boat" in text for text in texts]
        made: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return made


@pytest.mark.parametrize(
    "prompt",
    ["When did we meet?", "who is my dentist", "What was the name of the hotel?", "Did I call?"],
)
def test_questions_of_fact(prompt: str) -> None:
    assert asks_of_fact(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "What should I cook tonight?", "Recommend a book.", "How do I get to sleep?",
        "What are some good films?", "Write a poem on rain.", "Wo soll ich essen?", "",
    ],
)  # fmt: skip
def test_requests_for_help_and_whatever_is_not_understood(prompt: str) -> None:
    assert not asks_of_fact(prompt)


def test_who_tells_of_themselves() -> None:
    assert of_oneself("I sail. My boat is old.") == 1.0
    assert of_oneself("I sail. What about it?") == 0.5
    assert of_oneself("Where can I sail?") == 0.0
    assert of_oneself("") == 0.0


def test_the_topic_is_what_requests_do_not_share() -> None:
    found = asked("Recommend a boat.", Two())  # type: ignore[arg-type]
    assert found.vector is not None
    assert found.topic is not None
    assert np.linalg.norm(found.vector) == pytest.approx(1.0)
    assert abs(found.topic[0]) < 1e-5
    assert abs(found.topic[1]) == pytest.approx(1.0, abs=1e-5)


def test_a_request_without_a_topic_is_near_to_nothing() -> None:
    found = asked("Recommend something.", Two())  # type: ignore[arg-type]
    assert found.topic is not None
    assert np.linalg.norm(found.topic) < 1e-5


def test_without_an_encoder_there_are_words_alone() -> None:
    found = asked("When did we meet?", None)
    assert found.vector is None
    assert found.topic is None
    assert found.of_fact
