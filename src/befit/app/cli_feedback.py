"""From the options of ``befit feedback`` to reactions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from befit.core.errors import ModelRejectedError, UnknownResponseError
from befit.core.feedback import Behaviour, Choice, Comment, Edit, Feedback, Interaction, Rating
from befit.core.people import UserId
from befit.cycle import Cycle
from befit.feedback.ai import AiReactor


def reactions(
    response: str, at: datetime, said: Mapping[str, Any], did: Mapping[str, float | None]
) -> list[Feedback]:
    """The reactions that were given.

    Raises:
        InvalidFeedbackError: One makes no sense.
    """
    common: dict[str, Any] = {"response": response, "at": at}
    made: list[Feedback] = []
    if said["rating"] is not None:
        made.append(Rating(value=said["rating"], **common))
    if said["over"] is not None:
        made.append(Choice(over=said["over"], **common))
    if said["edit"] is not None:
        made.append(Edit(text=said["edit"], **common))
    if said["comment"] is not None:
        made.append(Comment(text=said["comment"], **common))
    made += [Behaviour(name=name, value=value, **common) for name, value in did.items() if value]
    return made


def owner(cycle: Cycle, response: str) -> UserId:
    """Whose response it is; for the owner of the machine, who may read every turn.

    Raises:
        UnknownResponseError: Nobody's.
    """
    return _turn(cycle, None, response).context.user


def by_ai(cycle: Cycle, user: UserId, response: str, at: datetime) -> list[Feedback]:
    """A rating by the cycle's own model in the person's place.

    Raises:
        UnknownResponseError: The response is not this person's.
        ModelRejectedError: The model gave no rating.
    """
    turn = _turn(cycle, user, response)
    conditioning = cycle.prepare(turn.context)
    rating = AiReactor(policy=cycle.policy).rate(turn, conditioning, at)
    if rating is None:
        raise ModelRejectedError(
            "the model gave no rating", hint="use a larger model, or rate it yourself"
        )
    return [rating]


def _turn(cycle: Cycle, user: UserId | None, response: str) -> Interaction:
    for turn in cycle.journal.read(user):
        if turn.response.id == response:
            return turn
    raise UnknownResponseError(
        f"there is no response {response!r}", hint="use an id that was printed", field="response"
    )
