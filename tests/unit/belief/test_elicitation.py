"""What is asked next: what says most, nothing sensitive, nothing twice, and not for ever."""

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from befit.belief.elicitation import next_pair, next_question
from befit.belief.fold import BayesFold
from befit.belief.prior import Prior
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Preference, PreferenceSpace

AT = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("length", "lists", "theory", "faith")
SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("harmless", "as for anyone", "more careful", universal=True),
        *(Dimension(n, f"no {n}", f"much {n}", feature=n) for n in NAMES),
    ),
)


def know(name: str, mean: float, std: float, question: str = "") -> Preference:
    return Preference(dimension=name, mean=mean, std=std, question=question)


def test_what_is_least_known_is_asked_first() -> None:
    known = [know("length", 0.5, 0.2), know("lists", 0.0, 0.6), know("theory", 0.0, 0.9)]
    asked = next_question(SPACE, known, ("faith",))
    assert asked is not None
    assert asked.dimension == "theory"
    assert asked.text == "Which would you rather have: no theory, or much theory?"


def test_what_is_sure_from_either_end_is_not_asked() -> None:
    known = [know(n, mean, 0.25) for n, mean in zip(NAMES, (0.9, -0.9, 0.9, -0.9), strict=True)]
    assert next_question(SPACE, known, ()) is None


def test_neither_the_sensitive_nor_the_universal_nor_the_skipped() -> None:
    left, skipped = [], set[str]()
    while (asked := next_question(SPACE, (), skipped, sensitive=("faith",))) is not None:
        left.append(asked.dimension)
        skipped.add(asked.dimension)
    assert left == ["length", "lists", "theory"]


def test_an_open_conflict_comes_first_and_once() -> None:
    known = [know("lists", 0.0, 0.3, "Prose or lists?"), know("topic:tea", 0.0, 0.2, "Tea?")]
    asked = next_question(SPACE, known, ())
    assert asked is not None
    assert asked.text == "Prose or lists?"
    again = next_question(SPACE, known, ("lists", "topic:tea"))
    assert again is not None
    assert again.dimension == "length"


def test_where_everyone_is_alike_nobody_is_asked() -> None:
    prior = Prior(population=dict.fromkeys(NAMES, (0.8, 0.15)))
    assert next_question(SPACE, (), (), prior=prior) is None


def test_asking_stops_by_itself_when_all_was_answered() -> None:
    """Somebody who answers truthfully is known after as many questions as there is to ask."""
    rng = random.Random(2)
    truth = {n: rng.uniform(-1, 1) for n in NAMES}
    fold, told, asked = BayesFold(), list[Evidence](), list[str]()
    while True:
        beliefs = fold.infer(SPACE, told, AT, "")
        question = next_question(SPACE, beliefs, ())  # an answer, not a list, keeps it from again
        if question is None:
            break
        asked.append(question.dimension)
        told.append(
            Evidence(
                id=str(len(told)),
                user=UserId("u"),
                kind=EvidenceKind.STATED,
                at=AT,
                values={question.dimension: truth[question.dimension]},
            )
        )
        assert len(told) < 20
    assert set(asked) == set(NAMES)
    assert asked[:4] == list(NAMES)


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_the_less_is_known_the_more_an_answer_says(one: float, other: float) -> None:
    less, more = sorted((one, other))
    gains = [
        found.gain
        if (found := next_question(SPACE, [know("length", 0.0, s)], NAMES[1:], least=0.0))
        else 0.0
        for s in (less, more)
    ]
    assert gains[0] <= gains[1] + 1e-3
    assert all(-1e-9 <= gain <= 1.1 for gain in gains)


def measure(text: str) -> dict[str, float]:
    return dict(zip(NAMES, map(float, text.split()), strict=True))


def test_the_pair_that_differs_where_nothing_is_known_is_shown() -> None:
    known = [know("length", 0.9, 0.1)]
    texts = ["1 0 0 0", "-1 0 0 0", "0 1 0 0", "0 -1 0 0"]
    shown = next_pair(SPACE, known, texts, measure)
    assert shown is not None
    assert (shown.first, shown.second) == (2, 3)
    assert next_pair(SPACE, known, texts[:1], measure) is None
    assert next_pair(SPACE, known, ["0 0 0 0"] * 3, measure) is None
    sure = [know(n, 0.9, 0.05) for n in NAMES]
    assert next_pair(SPACE, sure, texts, measure) is None
