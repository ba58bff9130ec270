import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.fold import BayesFold
from befit.core.dialogue import Context, Draft, Finish, Message, Response
from befit.core.feedback import Behaviour, Choice, Comment, Edit, Feedback, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Graded, Pair, PreferenceSpace
from befit.features.style import measure
from befit.feedback.reactions import ReactionInterpreter

AT = datetime(2026, 1, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "s",
    "1",
    (
        Dimension(
            "length",
            "short",
            "long",
            feature="length",
            ask_low="Keep the whole answer very short.",
            words_low=("short", "brief"),
            words_high=("long", "detailed"),
        ),
        Dimension("mood", "sad", "glad"),
    ),
)
READ = ReactionInterpreter(space=SPACE)
SHORT, LONG = "Take the bus.", "Take the bus at noon, and then walk along the river. " * 30


def turn(
    *feedback: Feedback,
    name: str = "a",
    text: str = SHORT,
    prompt: str = "How?",
    finish: Finish = "stop",
    compared: tuple[Response, ...] = (),
    beliefs: tuple[str, ...] = (),
) -> Interaction:
    draft = Draft(text=text, policy="p")
    return Interaction(
        context=Context(user=UserId("u"), messages=(Message("user", prompt),), at=AT, scope="work"),
        response=Response(
            id=name, text=text, draft=draft, verdicts=(), finish=finish, beliefs=beliefs
        ),
        feedback=feedback,
        compared=compared,
    )


def rating(value: float, **options: object) -> Rating:
    return Rating(response="a", at=AT, value=value, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, 0.5, 0.7, 1.0])
def test_a_rating_is_a_grade_of_the_answer(value: float) -> None:
    (evidence,) = READ.evidence(turn(rating(value)))
    assert evidence.graded == Graded(prompt="How?", text=SHORT, value=value)
    assert (evidence.kind, evidence.scope, evidence.source) == (EvidenceKind.BEHAVIOUR, "work", "a")
    assert (evidence.values, evidence.pair, evidence.text) == ({}, None, "")


def test_ratings_move_a_belief_as_far_as_they_tell_texts_apart() -> None:
    fold = BayesFold(measure=measure)
    turns = [
        turn(rating(0.9 if i % 2 else 0.2), name=str(i), text=LONG if i % 2 else SHORT)
        for i in range(8)
    ]
    told = [replace(e, id=str(i)) for i, t in enumerate(turns) for e in READ.evidence(t)]
    (belief,) = fold.infer(SPACE, told, AT, "work")
    assert belief.mean > 0.3
    assert set(belief.sources) == {str(i) for i in range(8)}


def test_ai_is_marked_and_its_comparisons_count_less() -> None:
    assert READ.evidence(turn(rating(1.0, by="ai")))[0].by == "ai"
    over = turn(name="b", text=LONG).response
    by_ai = turn(Choice(response="a", over="b", at=AT, by="ai"), compared=(over,))
    assert [pair.weight for pair in READ.comparisons([by_ai])] == [0.5]


def test_refusal_teaches_nothing() -> None:
    refused = turn(rating(0.0), finish="content_filter")
    assert READ.evidence(refused) == []
    assert READ.comparisons([refused]) == []


def test_choice_is_a_pair() -> None:
    over = turn(name="b", text=LONG).response
    chosen = turn(Choice(response="a", over="b", at=AT), compared=(over,))
    assert READ.evidence(chosen)[0].pair == Pair(prompt="How?", chosen=SHORT, rejected=LONG)
    (pair,) = READ.comparisons([chosen])
    assert (pair.chosen.text, pair.rejected.text, pair.weight) == (SHORT, LONG, 1.0)


def test_choice_over_a_refusal_teaches_nothing() -> None:
    over = turn(name="b", text="no", finish="content_filter").response
    assert READ.evidence(turn(Choice(response="a", over="b", at=AT), compared=(over,))) == []


def test_edit_beats_what_was_shown_without_recalled_text() -> None:
    ask = SPACE.dimensions[0].ask_low
    edited = turn(
        Edit(response="a", at=AT, text=f"Take the 9 o'clock bus. {ask}"), beliefs=("length",)
    )
    (evidence,) = READ.evidence(edited)
    assert evidence.pair == Pair(prompt="How?", chosen="Take the 9 o'clock bus.", rejected=SHORT)
    assert evidence.text == ""


def test_comment_is_read_and_kept() -> None:
    (evidence,) = READ.evidence(turn(Comment(response="a", at=AT, text="I prefer short answers.")))
    assert evidence.values["length"] < 0
    assert evidence.text == "I prefer short answers."
    assert evidence.kind is EvidenceKind.STATED


def test_a_request_to_forget_is_not_told_anew() -> None:
    asked = Comment(response="a", at=AT, text="Please forget that I prefer short answers.")
    assert READ.evidence(turn(asked)) == []


def test_what_befit_said_is_not_learned_from_a_comment() -> None:
    ask = SPACE.dimensions[0].ask_low
    for quoted in (ask, LONG):
        said = turn(Comment(response="a", at=AT, text=quoted), text=LONG, beliefs=("length",))
        assert READ.evidence(said) == []


@pytest.mark.parametrize(
    ("name", "value", "grade"),
    [
        ("copied", 1, 1.0),
        ("regenerated", 1, 0.0),
        ("abandoned", 1, 0.0),
        ("dwell_seconds", 3, 1.0),
        ("dwell_seconds", 0, 0.0),
    ],
)
def test_behaviour_is_a_light_grade(name: str, value: float, grade: float) -> None:
    (evidence,) = READ.evidence(turn(Behaviour(response="a", at=AT, name=name, value=value)))
    assert evidence.graded is not None
    assert evidence.graded.value == grade
    assert 0.0 < evidence.graded.weight <= 0.3


def click(position: float) -> Behaviour:
    return Behaviour(response="a", at=AT, name="clicked", value=position)


def test_a_click_beats_what_was_shown_beside_it() -> None:
    shown = tuple(turn(name=n, text=f"{n} {LONG}").response for n in "bcd")
    third = turn(click(3), compared=shown)
    found = READ.evidence(third)
    assert [e.pair.rejected for e in found if e.pair] == [f"{n} {LONG}" for n in "bcd"]
    assert all(e.pair and e.pair.chosen == SHORT for e in found)
    assert len({e.id for e in found}) == 3
    assert [e.pair.weight for e in found if e.pair] == pytest.approx([0.1] * 3)
    assert [pair.weight for pair in READ.comparisons([third])] == pytest.approx([0.1] * 3)


def test_a_click_counts_more_where_fewer_look_and_not_without_end() -> None:
    weights = []
    for position in (1, 2, 5, 50):
        (evidence,) = READ.evidence(turn(click(position)))
        assert evidence.graded is not None
        weights.append(evidence.graded.weight)
    assert weights == pytest.approx([0.1, 0.2, 0.5, 0.5])
    unbiased = replace(READ, position_bias=0.0)
    (evidence,) = unbiased.evidence(turn(click(5)))
    assert evidence.graded is not None
    assert evidence.graded.weight == pytest.approx(0.1)
    assert READ.evidence(turn(click(0))) == []  # nobody knows where it stood


def clicks(wish: float, seed: int) -> list[Interaction]:
    """Long answers stand first; who looks further down clicks there by ``wish`` more often."""
    rng = random.Random(seed)
    made: list[Interaction] = []
    while len(made) < 150:
        texts = [LONG, LONG, SHORT, SHORT]
        place = rng.randrange(4)
        likes = (1.0 + wish if texts[place] == SHORT else 1.0) / (1.0 + wish)
        if rng.random() < likes / (place + 1):
            others = tuple(turn(text=t).response for i, t in enumerate(texts) if i != place)
            made.append(
                turn(click(place + 1), text=texts[place], compared=others, name=str(len(made)))
            )
    return made


def clicked_mean(position_bias: float, wish: float) -> float:
    """The belief in length of eight people who click like that, on average."""
    read, fold = replace(READ, position_bias=position_bias), BayesFold(measure=measure)
    means = []
    for seed in range(8):
        told = [
            replace(e, id=f"{number}.{i}")
            for number, each in enumerate(clicks(wish, seed))
            for i, e in enumerate(read.evidence(each))
        ]
        means.append(fold.infer(SPACE, told, AT, "work")[0].mean)
    return sum(means) / len(means)


def test_where_a_list_puts_long_answers_is_not_taken_for_a_wish() -> None:
    middle = (measure(LONG)["length"] + measure(SHORT)["length"]) / 2  # who likes both alike
    assert clicked_mean(1.0, 0.0) == pytest.approx(middle, abs=0.12)
    assert clicked_mean(0.0, 0.0) > middle + 0.4
    assert clicked_mean(1.0, 3.0) < -0.4


def test_dwell_counts_against_the_reading_time_and_not_when_away() -> None:
    for text, seconds in ((LONG, len(LONG.split()) * 60 / 238), (SHORT, 3600.0)):
        looked = Behaviour(response="a", at=AT, name="dwell_seconds", value=seconds)
        assert READ.evidence(turn(looked, text=text)) == []


def test_ratings_of_one_prompt_compare() -> None:
    better = turn(rating(0.9), name="a")
    worse = turn(Rating(response="b", at=AT, value=0.2), name="b", text=LONG)
    elsewhere = turn(Rating(response="c", at=AT, value=0.0), name="c", prompt="Other?")
    (pair,) = READ.comparisons([worse, better, elsewhere])
    assert (pair.chosen.text, pair.rejected.text) == (SHORT, LONG)
    assert pair.weight == pytest.approx(0.7)


def test_regenerated_loses_weakly_to_what_was_accepted() -> None:
    again = turn(Behaviour(response="a", at=AT, name="regenerated", value=1))
    copied = turn(Behaviour(response="b", at=AT, name="copied", value=1), name="b", text=LONG)
    (pair,) = READ.comparisons([again, copied])
    assert (pair.chosen.text, pair.weight) == (LONG, 0.3)
    assert READ.comparisons([again, turn(name="b", text=LONG)]) == []


def test_two_people_never_compare() -> None:
    mine = turn(rating(0.9))
    theirs = turn(Rating(response="b", at=AT, value=0.0), name="b", text=LONG)
    other = replace(theirs, context=replace(theirs.context, user=UserId("v")))
    assert READ.comparisons([mine, other]) == []


def test_only_the_newest_reaction_is_read() -> None:
    later = Comment(response="a", at=AT + timedelta(days=1), text="I prefer short answers.")
    assert [e.at for e in READ.evidence(turn(rating(1.0), later))] == [later.at]


def test_same_reaction_twice_is_two_observations() -> None:
    first = READ.evidence(turn(rating(1.0)))[0]
    second = READ.evidence(turn(rating(1.0), rating(1.0)))[0]
    assert first.id != second.id


def test_behaviour_that_nobody_knows_says_nothing() -> None:
    assert READ.evidence(turn(Behaviour(response="a", at=AT, name="blinked", value=1))) == []


@given(st.floats(0, 1), st.text(min_size=1, max_size=200))
def test_any_rating_gives_one_grade_in_range(value: float, text: str) -> None:
    (evidence,) = READ.evidence(turn(rating(value), text=text))
    assert evidence.graded is not None
    assert (evidence.graded.value, evidence.graded.weight) == (value, 1.0)
