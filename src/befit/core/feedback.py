"""What came back: five ways to react, and what training makes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from befit.core.dialogue import Context, Draft, Response


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(_Reaction):
    """What they said about it."""

    kind: Literal["comment"] = "comment"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour(_Reaction):
    """What they did: ``copied`` 1, ``regenerated`` 1, ``dwell_seconds`` 12.5."""

    kind: Literal["behaviour"] = "behaviour"
    name: str
    value: float


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
