from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from befit.align.rewards.judge import Judge, JudgeFit
from befit.align.rewards.pairs import Pairs, Person
from befit.align.rewards.reader import LocalReader
from befit.testing.rewards import check_method, population

EVERYONE = population()
USERS = sorted(EVERYONE.people)
PERSON = EVERYONE.people[USERS[0]]
QUERY = PERSON.pairs.take(slice(8, 16))


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Likes the letter A, and beyond that what is as long as what was preferred before."""

    bias: float = 3.0
    asked: list[tuple[str, str]] = field(default_factory=list, compare=False)

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        assert answers == ("A", "B")
        assert closing.endswith("Answer with A or B alone.")
        self.asked.extend((opening, text) for text in texts)
        likes = _line(opening, "I prefer: ") - _line(opening, "to: ")
        return [
            self.bias + float(np.sign(likes) * (_line(text, "A: ") - _line(text, "B: "))) / 50.0
            for text in texts
        ]


def _line(text: str, start: str) -> int:
    return sum(len(line) for line in text.splitlines() if line.startswith(start))


def judged(reader: Notes, pairs: Pairs, history: Pairs) -> np.ndarray:
    fitted = JudgeFit(reader=reader, most_shown=3, slope=1.0)
    (state,) = fitted.adapt([replace(PERSON, pairs=history)])
    return fitted.logits(state, pairs)


@pytest.mark.local
@pytest.mark.slow
def test_it_keeps_the_promises_of_a_method() -> None:
    method = Judge(reader=LocalReader(most_tokens=48), aside=1)
    check_method(method, "befit.align.rewards.judge:Judge")


def test_what_a_model_likes_about_a_place_cancels() -> None:
    history = PERSON.pairs.take(slice(0, 4))
    fair, biased = (judged(Notes(bias=bias), QUERY, history) for bias in (0.0, 8.0))
    assert biased == pytest.approx(fair)
    assert (fair > 0.0).all()


def test_a_pair_turned_round_is_the_same_question() -> None:
    reader = Notes()
    fitted = JudgeFit(reader=reader, most_shown=3, slope=1.0)
    (state,) = fitted.adapt([PERSON])
    given = fitted.logits(state, QUERY)
    asked = len(reader.asked)
    assert (fitted.logits(state, QUERY.swapped()) == -given).all()
    assert len(reader.asked) == asked == 2 * len(QUERY)


def test_the_model_is_told_what_the_person_said_and_chose_and_what_was_asked() -> None:
    reader = Notes()
    judged(reader, QUERY.take([0]), PERSON.pairs.take(slice(0, 8)))
    opening, text = reader.asked[0]
    assert opening.startswith("My likes: short\n")
    assert opening.count("I prefer: ") == 3
    names = QUERY.texts.names
    assert text.startswith(f"Asked: {names[QUERY.prompts[0]]}\nA: ")


def test_a_stranger_is_judged_without_a_word_about_them() -> None:
    reader = Notes()
    fitted = JudgeFit(reader=reader, most_shown=3, slope=1.0)
    (state,) = fitted.adapt([Person(pairs=PERSON.pairs.take([]))])
    assert state == ""
    assert fitted.logits(state, QUERY).tolist() == [0.0] * len(QUERY)


def test_the_order_of_a_history_is_nothing() -> None:
    fitted = JudgeFit(reader=Notes(), most_shown=3, slope=1.0)
    turned = replace(PERSON, pairs=PERSON.pairs.take(np.arange(len(PERSON.pairs))[::-1]))
    one, other = fitted.adapt([PERSON, turned])
    assert one == other


def test_equal_texts_are_not_asked_about() -> None:
    reader = Notes()
    same = replace(QUERY, rejected=QUERY.chosen)
    assert judged(reader, same, PERSON.pairs).tolist() == [0.0] * len(QUERY)
    assert reader.asked == []


def test_the_slope_is_chosen_by_people_kept_aside() -> None:
    fits = {
        bias: Judge(reader=Notes(bias=bias)).fit(
            EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14]), seed=0
        )
        for bias in (0.0, 5.0)
    }
    assert fits[0.0].slope > 1.0  # this judge is always right, and says so too faintly
    assert fits[5.0].slope == fits[0.0].slope
