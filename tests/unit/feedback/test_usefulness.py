"""A reaction also says how useful what the answer had used was; nobody's guess is kept."""

import math
from datetime import UTC, datetime

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Behaviour, Feedback, Interaction, Rating
from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.feedback.reactions import ReactionInterpreter
from befit.memory.spaces import load_space

AT = datetime(2026, 3, 1, tzinfo=UTC)
READER = ReactionInterpreter(space=load_space("style"))


def learned(reaction: Feedback, *beliefs: str) -> list[Evidence]:
    asked = Context(user=UserId("ana"), messages=(Message("user", "Why?"),), at=AT, scope="work")
    draft = Draft(text="Because.", policy="p")
    answer = Response(id="r", text="Because.", draft=draft, verdicts=(), beliefs=beliefs)
    turn = Interaction(context=asked, response=answer, feedback=(reaction,))
    return [e for e in READER.evidence(turn) if e.graded is None]


def test_praise_is_shared_by_all_that_was_used() -> None:
    rated = Rating(response="r", at=AT, value=1.0)
    beliefs, excerpt = learned(rated, "length", "topic:tea", "said:7")
    assert beliefs.values == {"useful:length": 1.0, "useful:topic:tea": 1.0}
    assert (beliefs.source, beliefs.scope) == ("r", "work")
    assert (excerpt.values, excerpt.source) == ({"useful:said:7": 1.0}, "7")
    assert beliefs.noise == excerpt.noise == pytest.approx(math.sqrt(3.0))
    assert len({e.id for e in (beliefs, excerpt)}) == 2
    assert learned(rated, "length", "topic:tea", "said:7") == [beliefs, excerpt]


def test_what_was_only_done_says_less_and_an_impersonal_answer_nothing() -> None:
    (done,) = learned(Behaviour(response="r", at=AT, name="regenerated", value=1.0), "length")
    assert done.values == {"useful:length": -1.0}
    assert done.noise > 1.5
    assert learned(Rating(response="r", at=AT, value=0.0)) == []
