"""A model reacts in the person's place; what it says is marked ``by="ai"`` and counts less.

It is handed the conditioning that the person's answers are made with, never the memory. A choice
is asked in both orders, and where the order decides there is no choice.

Source: Lee et al. 2023, "RLAIF" (arXiv:2309.00267), section 2.1 (position bias, both orders).
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.feedback import Choice, Interaction, Rating
from befit.core.protocols import Policy

_DIGIT = re.compile(r"\b(10|[0-9])\b")
_LETTER = re.compile(r"\b([AB])\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class AiReactor:
    """Reacts as the person would, by asking a policy.

    Attributes:
        policy: Any model; the better it follows instructions, the more its reactions are worth.
    """

    policy: Policy

    def rate(self, turn: Interaction, conditioning: Conditioning, at: datetime) -> Rating | None:
        """A rating of the turn's answer; None where the model gave no number."""
        said = self._ask(
            turn.context,
            conditioning,
            f"Question: {turn.context.prompt}\n\nAnswer: {turn.response.text}\n\n"
            "How well does this answer suit this person? Reply with one number from 0 to 10.",
        )
        found = _DIGIT.search(said)
        if found is None:
            return None
        return Rating(response=turn.response.id, at=at, by="ai", value=int(found[1]) / 10)

    def choose(
        self, one: Interaction, other: Interaction, conditioning: Conditioning, at: datetime
    ) -> Choice | None:
        """The better of two answers to one prompt; None where the order of asking decides."""
        forth = self._prefers_first(one, other, conditioning)
        back = self._prefers_first(other, one, conditioning)
        if forth is None or back is None or forth == back:
            return None
        best, worst = (one, other) if forth else (other, one)
        return Choice(response=best.response.id, over=worst.response.id, at=at, by="ai")

    def _prefers_first(
        self, first: Interaction, second: Interaction, conditioning: Conditioning
    ) -> bool | None:
        said = self._ask(
            first.context,
            conditioning,
            f"Question: {first.context.prompt}\n\nAnswer A: {first.response.text}\n\n"
            f"Answer B: {second.response.text}\n\n"
            "Which answer suits this person better? Reply with A or B.",
        )
        found = _LETTER.search(said)
        return None if found is None else found[1] == "A"

    def _ask(self, context: Context, conditioning: Conditioning, question: str) -> str:
        asked = replace(context, messages=(Message("user", question),), incognito=True)
        drafts = self.policy.generate(asked, conditioning, 1)
        return drafts[0].text if drafts else ""
