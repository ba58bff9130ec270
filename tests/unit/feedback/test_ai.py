from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from befit.core.dialogue import Conditioning, Context, Draft, Message, Response
from befit.core.feedback import Interaction
from befit.core.people import UserId
from befit.feedback.ai import AiReactor

AT = datetime(2026, 1, 1, tzinfo=UTC)
WANTS = Conditioning(instructions=("Keep it short.",))


@dataclass(frozen=True)
class Says:
    """Answers by rule: ``text``, or the letter of the shorter answer."""

    text: str = ""

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        assert conditioning == WANTS
        assert context.incognito
        asked = context.prompt
        shorter = "A" if asked.find("Answer B") < len(asked) / 2 else "B"
        return [Draft(text=self.text or shorter, policy="p")] * n


def turn(name: str, text: str) -> Interaction:
    return Interaction(
        context=Context(user=UserId("u"), messages=(Message("user", "Why?"),), at=AT),
        response=Response(id=name, text=text, draft=Draft(text=text, policy="p"), verdicts=()),
    )


@pytest.mark.parametrize(("said", "value"), [("I say 8.", 0.8), ("10", 1.0), ("0/10", 0.0)])
def test_rating_is_read_and_marked(said: str, value: float) -> None:
    rating = AiReactor(policy=Says(said)).rate(turn("a", "text"), WANTS, AT)
    assert rating is not None
    assert (rating.value, rating.by, rating.response) == (value, "ai", "a")


def test_no_number_is_no_rating() -> None:
    assert AiReactor(policy=Says("lovely")).rate(turn("a", "text"), WANTS, AT) is None


def test_choice_holds_in_both_orders() -> None:
    short, long = turn("short", "Yes."), turn("long", "Yes, " * 200)
    for one, other in ((short, long), (long, short)):
        choice = AiReactor(policy=Says()).choose(one, other, WANTS, AT)
        assert choice is not None
        assert (choice.response, choice.over, choice.by) == ("short", "long", "ai")


def test_choice_by_position_is_no_choice() -> None:
    assert AiReactor(policy=Says("A")).choose(turn("a", "x"), turn("b", "y"), WANTS, AT) is None
