"""Leaving a belief out shows what it did."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from befit.align.attribution import Share, attribute, credit
from befit.core.dialogue import Conditioning, Context, Draft, Message, Response
from befit.core.feedback import Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Preference, Profile
from befit.generate.hf import HfPolicy
from befit.memory.spaces import load_space
from befit.personalize.prompt import PromptPersonalizer

ASKED = Context(
    user=UserId("u"),
    messages=(Message("user", "How can I sleep better?"),),
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


def profile(*beliefs: tuple[str, float]) -> Profile:
    return Profile(
        user=UserId("u"),
        space=load_space("style"),
        preferences=tuple(Preference(dimension=n, mean=m, std=0.2) for n, m in beliefs),
    )


class Counts:
    """Finds a reply likelier by one nat for each instruction that it obeys to the letter."""

    def log_likelihoods(self, rows: Sequence[tuple[Context, Conditioning, str]]) -> list[float]:
        return [float(sum(text == i for i in c.instructions)) for _, c, text in rows]


def test_the_belief_that_the_answer_follows_has_the_share() -> None:
    known = profile(("emoji", -0.9), ("length", -0.9))
    shares = attribute(Counts(), PromptPersonalizer(), known, ASKED, "Use no emoji.")
    assert [(share.belief, share.nats) for share in shares] == [("emoji", 1.0), ("length", 0.0)]


def test_an_excerpt_has_a_share_like_a_belief() -> None:
    class Quotes:
        def log_likelihoods(self, rows: Sequence[tuple[Context, Conditioning, str]]) -> list[float]:
            return [float(len(c.quotes)) for _, c, _ in rows]

    said = Evidence(
        id="7", user=UserId("u"), kind=EvidenceKind.STATED, at=ASKED.at, text="I work at night."
    )
    known = replace(profile(), evidence=(said,))
    shares = attribute(Quotes(), PromptPersonalizer(), known, ASKED, "Sleep by day.")
    assert shares == (Share(belief="said:7", nats=1.0),)


def test_praise_and_blame_fall_by_share() -> None:
    shares = (
        Share(belief="length", nats=-0.6),
        Share(belief="said:7", nats=0.39),
        Share(belief="emoji", nats=0.01),
    )
    answer = Response(
        id="r", text="Yes.", draft=Draft(text="Yes.", policy="p"), verdicts=(), beliefs=()
    )
    bad = Rating(response="r", at=ASKED.at, value=0.0)
    length, said = credit(shares, Interaction(context=ASKED, response=answer), bad)
    assert (length.values, length.source) == ({"useful:length": 1.0}, "r")  # it spoke against it
    assert (said.values, said.source) == ({"useful:said:7": -1.0}, "7")
    assert length.noise**-2 == pytest.approx(0.6)
    assert credit(shares, Interaction(context=ASKED, response=answer), bad) == (length, said)
    assert credit((), Interaction(context=ASKED, response=answer), bad) == ()


def test_where_nothing_was_used_nothing_has_a_share() -> None:
    assert attribute(Counts(), PromptPersonalizer(), profile(), ASKED, "Sleep.") == ()
    idle = profile(("length", 0.01))
    assert attribute(Counts(), PromptPersonalizer(), idle, ASKED, "Sleep.") == ()


@pytest.mark.local
@pytest.mark.parametrize(
    ("followed", "beside", "text"),
    [
        ("lists", "warmth", "- Keep a constant bedtime.\n- Avoid coffee.\n- Dim the lights."),
        (
            "emoji",
            "formality",
            "You can do it \U0001f60a Sleep well \U0001f60a and be kind \U0001f60a",
        ),
    ],
)
def test_a_real_model_says_which_wish_an_answer_follows(
    followed: str, beside: str, text: str
) -> None:
    known = profile((followed, 0.9), (beside, 0.9))
    shares = attribute(HfPolicy(threads=1), PromptPersonalizer(), known, ASKED, text)
    assert [share.belief for share in shares] == [followed, beside]
    assert shares[0].nats > 0.1
