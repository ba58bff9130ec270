"""What came back: five ways to react, and what training makes of them."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from befit.core.dialogue import Context, Draft, Response
from befit.core.errors import InvalidFeedbackError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reaction:
    response: str  # the id of the response reacted to
    at: datetime  # when they reacted, UTC
    by: Literal["human", "ai"] = "human"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating(_Reaction):
    """How good, in [0, 1]."""

    kind: Literal["rating"] = "rating"  # tells them apart on the wire
    value: float

    def __post_init__(self) -> None:
        """Refuse what is no rating.

        Raises:
            InvalidFeedbackError: The value is not a number in [0, 1].
        """
        if not 0.0 <= self.value <= 1.0:  # false for NaN too
            raise InvalidFeedbackError(
                f"a rating is a number from 0 to 1, not {self.value}",
                hint="scale your stars or thumbs to [0, 1]",
                field="value",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(_Reaction):
    """Preferred over the response named ``over``."""

    kind: Literal["choice"] = "choice"
    over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(_Reaction):
    """The text they would rather have had."""

    kind: Literal["edit"] = "edit"
    text: str

    def __post_init__(self) -> None:
        """Refuse an edit to nothing.

        Raises:
            InvalidFeedbackError: The text is blank.
        """
        _check_text(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(_Reaction):
    """What they said about it."""

    kind: Literal["comment"] = "comment"
    text: str

    def __post_init__(self) -> None:
        """Refuse an empty comment.

        Raises:
            InvalidFeedbackError: The text is blank.
        """
        _check_text(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour(_Reaction):
    """What they did with a response.

    Attributes:
        name: ``copied``, ``regenerated``, ``abandoned``, ``clicked`` or ``dwell_seconds``; of
            others nobody knows what they say.
        value: 1 for what happened; the position from 1, at the top, of what was ``clicked``;
            seconds of ``dwell_seconds``. Finite and >= 0.
    """

    kind: Literal["behaviour"] = "behaviour"
    name: str
    value: float

    def __post_init__(self) -> None:
        """Refuse what cannot have been measured.

        Raises:
            InvalidFeedbackError: The value is negative, infinite or not a number.
        """
        if not 0.0 <= self.value < math.inf:
            raise InvalidFeedbackError(
                f"{self.name} cannot be {self.value}", hint="send a number >= 0", field="value"
            )


Feedback = Rating | Choice | Edit | Comment | Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One turn of the cycle, as the journal keeps it.

    Attributes:
        context: Who asked what.
        response: What they got.
        feedback: How they reacted, oldest first.
        compared: The other response of each ``Choice``, by its id, so that a reader needs no
            second look-up.
    """

    context: Context
    response: Response
    feedback: tuple[Feedback, ...] = ()
    compared: tuple[Response, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """For this person and context, ``chosen`` beat ``rejected``: what reward models fit."""

    context: Context
    chosen: Draft
    rejected: Draft
    weight: float = 1.0


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidFeedbackError("the text is empty", hint="send some words", field="text")
