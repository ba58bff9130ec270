import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Context, Draft, Finish, Message, Response
from befit.core.feedback import Behaviour, Choice, Comment, Edit, Feedback, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Pair, PreferenceSpace
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


def test_liked_answer_speaks_for_its_style_and_less_the_milder() -> None:
    firm, mild = (READ.evidence(turn(rating(v)))[0] for v in (1.0, 0.7))
    assert firm.values == {"length": measure(SHORT)["length"]}
    assert firm.noise < mild.noise
    assert (firm.kind, firm.scope, firm.source) == (EvidenceKind.BEHAVIOUR, "work", "a")


def test_disliked_answer_points_away_and_weakly() -> None:
    bad, good = (READ.evidence(turn(rating(v)))[0] for v in (0.0, 1.0))
    assert bad.values["length"] == -good.values["length"]
    assert bad.noise > good.noise


def test_middling_rating_says_nothing() -> None:
    assert READ.evidence(turn(rating(0.5))) == []


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


def test_what_befit_said_is_not_learned_from_a_comment() -> None:
    ask = SPACE.dimensions[0].ask_low
    for quoted in (ask, LONG):
        said = turn(Comment(response="a", at=AT, text=quoted), text=LONG, beliefs=("length",))
        assert READ.evidence(said) == []


@pytest.mark.parametrize(
    ("name", "value", "sign"),
    [("copied", 1, 1), ("regenerated", 1, -1), ("dwell_seconds", 3, 1), ("dwell_seconds", 0, -1)],
)
def test_behaviour_is_weak(name: str, value: float, sign: int) -> None:
    (evidence,) = READ.evidence(turn(Behaviour(response="a", at=AT, name=name, value=value)))
    assert math.copysign(1, evidence.values["length"]) == sign * math.copysign(
        1, measure(SHORT)["length"]
    )
    assert evidence.noise > READ.evidence(turn(rating(1.0)))[0].noise


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
def test_any_rating_gives_values_in_range(value: float, text: str) -> None:
    for evidence in READ.evidence(turn(rating(value), text=text)):
        assert all(-1 <= v <= 1 for v in evidence.values.values())
        assert 0 < evidence.noise < math.inf
