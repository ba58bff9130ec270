"""What befit does when a person asks in words to be forgotten, for the suites.

The same reader and the same parts as the server and the command line use; only the store is a
memory alone, without a journal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from befit.core.dialogue import Context, Message
from befit.core.people import UserId
from befit.core.protocols import Memory
from befit.features.forget_conversation import ASKED, heed
from befit.features.forget_requests import read_requests
from befit.features.forget_words import Near
from befit.memory.forgetting import part_of


@runtime_checkable
class Sends(Protocol):
    """A memory that also shapes the conversation which a model sees."""

    def sends(self, said: Sequence[str], at: datetime) -> Sequence[str]: ...


def asks(text: str, at: datetime) -> bool:
    """Whether a turn asks for something to be forgotten."""
    return bool(read_requests(text, at).requests)


def honour(
    store: Memory,
    user: UserId,
    text: str,
    before: Sequence[str],
    at: datetime,
    *,
    near: Near | None = None,
) -> str:
    """Forget what a turn asks to be forgotten; what else it says, which is the text if it asks not.

    Args:
        store: Where evidence is kept.
        user: Whose turn it is.
        text: The turn.
        before: What they said before it, newest last.
        at: When, UTC.
        near: Tells by meaning what is about a topic.
    """
    reading = read_requests(text, at)
    if not reading.requests:
        return text
    space = store.recall(Context(user=user, messages=(), at=at)).space
    for request in reading.requests:
        part = part_of(request, before[-1:], space)
        if part is not None:
            gone = [each.id for each in store.evidence(user) if part.holds(each, near)]
            store.forget(user, gone)
    return reading.rest


def sent(said: Sequence[str], at: datetime, near: Near | None = None) -> list[str]:
    """What of a conversation reaches a model: the words of the person that are left of it.

    Args:
        said: What the person said, turn by turn; the newest last.
        at: Now, UTC.
        near: As in `honour`.
    """
    left = heed([Message("user", text) for text in said], at, near=near).texts
    return [text or ASKED for text in left if text is not None]
