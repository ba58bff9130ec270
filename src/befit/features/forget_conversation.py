"""A conversation without what the person has asked in it to be forgotten.

A client sends the earlier turns again with every new one, the forgotten among them. What of them
may still be shown to a model is a function of the conversation itself: each request in it takes
away what it names from the turns before it, and then itself. So nothing has to be kept of what was
forgotten. What is said after a request is said anew. The caller's system messages stay as they are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from befit.core.dialogue import Context, Message
from befit.features.forget_objects import Request
from befit.features.forget_requests import Reading, asks, read_requests
from befit.features.forget_words import Near, about, mended

#: What a model is told in place of a message that asks for nothing but to forget.
ASKED = "Please forget something that I told you before."
#: What the person is told who asks for everything to be forgotten; their "yes" to it does it.
SURE = (
    "I would erase everything that I remember about you, and it could not be brought back. "
    "Nothing is erased yet."
)
_YES = re.compile(
    r"^(?:yes|yeah|yep|sure|i am sure|do it|confirm|confirmed|i confirm|go ahead|please do|ok|okay)"
    r"(?: (?:please|i am sure|do it|do that|go ahead|confirm|erase (?:it|everything|all)"
    r"|forget (?:it|everything|all)(?: about me)?|delete (?:it|everything|all)))*$"
)
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?=[^\s.!?\"')]))+[.!?\"')]*\s*|\n+")


@dataclass(frozen=True, slots=True)
class Heeded:
    """A conversation as it may be shown.

    Attributes:
        texts: What is left of each message; None where the whole message goes.
        requests: What the newest message asks.
        meant: The earlier words that a "last" of the newest message means.
        private: Whether the newest message itself is not to be kept.
    """

    texts: tuple[str | None, ...]
    requests: tuple[Request, ...] = ()
    meant: tuple[str, ...] = ()
    private: bool = False


def any_asks(messages: Sequence[Message]) -> bool:
    """Whether anything in a conversation asks to be forgotten."""
    own = (n for n, message in enumerate(messages) if message.role == "user")
    return any(_says_yes(messages, n) or asks(messages[n].text) for n in own)


def heed(
    messages: Sequence[Message],
    at: datetime,
    *,
    near: Near | None = None,
    beside: Mapping[int, str] | None = None,
) -> Heeded:
    """What of a conversation may still be shown to a model.

    Args:
        messages: The conversation, newest last.
        at: Now, UTC.
        near: Tells by meaning what is about a topic, beside its words.
        beside: By the place of a message, words that it carries beside its text, such as the
            arguments of a tool call.
    """
    own = [n for n, message in enumerate(messages) if message.role == "user"]
    read = {n: _read(messages, n, at) for n in own}
    newest = own[-1] if own else -1
    if not any(each.requests for each in read.values()):
        return Heeded(tuple(message.text for message in messages))
    left = _Left(messages, near, beside or {})
    for n, reading in read.items():
        rest = reading.rest
        for request in reading.requests:
            left.take(request, n)
            rest = left.without(rest, request.topic)
            if request.here and n != newest:  # it was answered, and was not for memory
                rest = ""
        if reading.requests:
            left.strike(n, rest, keep=n == newest)
    asked = read[newest].requests
    meant = [left.said(newest) for r in asked if r.kind == "last" and not r.here]
    private = any(r.kind == "last" and r.here for r in asked)
    return Heeded(tuple(left.texts), asked, tuple(filter(None, meant)), private)


def heeding(context: Context, near: Near | None = None) -> Context:
    """A turn as a model may see it and a journal keep it."""
    made = heed(context.messages, context.at, near=near)
    if made.texts == tuple(message.text for message in context.messages):
        return context
    return shown(context, made)


def shown(context: Context, heeded: Heeded) -> Context:
    """The turn with what is left of its messages; its newest never empty, for it is answered."""
    last = max(n for n, message in enumerate(context.messages) if message.role == "user")
    messages = [
        replace(message, text=(text or ASKED) if n == last else text)
        for n, (message, text) in enumerate(zip(context.messages, heeded.texts, strict=True))
        if text is not None
    ]
    incognito = context.incognito or heeded.private
    return replace(context, messages=tuple(messages), incognito=incognito)


def _read(messages: Sequence[Message], n: int, at: datetime) -> Reading:
    """The requests of a message; a "yes" to our question is one for everything."""
    if _says_yes(messages, n):
        return Reading((Request(kind="all", confirmed=True),), "")
    text = messages[n].text
    return read_requests(text, at) if asks(text) else Reading((), text)


def _says_yes(messages: Sequence[Message], n: int) -> bool:
    """Whether a message agrees to the question of `SURE` before it."""
    before = messages[n - 1] if n else None
    if before is None or before.role != "assistant" or not before.text.startswith(SURE):
        return False
    return _YES.match(re.sub(r"\W+", " ", mended(messages[n].text)).strip()) is not None


class _Left:
    """What is left of a conversation, request by request."""

    def __init__(
        self, messages: Sequence[Message], near: Near | None, beside: Mapping[int, str]
    ) -> None:
        self.messages, self.near, self.beside = messages, near, beside
        self.texts: list[str | None] = [message.text for message in messages]

    def take(self, request: Request, n: int) -> None:
        """Take away what a request of message ``n`` names, from what was said before."""
        before = [m for m in range(n) if self.messages[m].role != "system"]
        if request.kind == "last" and not request.here:
            self._strike_all(self._turn(self._previous(n)))
        elif request.topic:
            for m in before:
                self._without(m, request.topic)
        elif request.kind == "all":
            self._strike_all(before if request.confirmed else ())
        elif request.period is not None and request.period.until is None:
            self._strike_all(before)  # the turns of a conversation carry no dates

    def strike(self, n: int, rest: str, *, keep: bool) -> None:
        """Take a request itself away; with nothing beside it, the whole turn."""
        if keep or (rest and self.texts[n] is not None):
            self.texts[n] = rest
        else:
            self._strike_all(self._turn(n))

    def said(self, n: int) -> str:
        """What the person had said before message ``n``."""
        before = self._previous(n)
        return self.messages[before].text if before >= 0 else ""

    def _previous(self, n: int) -> int:
        return next((m for m in range(n - 1, -1, -1) if self.messages[m].role == "user"), -1)

    def _turn(self, n: int) -> range:
        """A message of the person and the answers to it."""
        if n < 0:
            return range(0)
        after = range(n + 1, len(self.messages))
        end = next((m for m in after if self.messages[m].role == "user"), len(self.messages))
        return range(n, end)

    def _strike_all(self, places: Sequence[int]) -> None:
        for m in places:
            if self.messages[m].role != "system":
                self.texts[m] = None

    def without(self, text: str, topic: str) -> str:
        """A text without the sentences about a topic; "" where it stands between sentences."""
        if not topic:
            return text
        parts = _SENTENCE.findall(text)
        kept = [part for part in parts if not self._about(topic, part)]
        if len(kept) < len(parts):
            return "".join(kept).strip()
        return "" if about(topic, text) else text

    def _without(self, m: int, topic: str) -> None:
        """Take the sentences about a topic out of one message; an emptied one goes."""
        text = self.texts[m]
        if text is None:
            return
        if self._about(topic, self.beside.get(m, "")):
            turn = max((k for k in range(m + 1) if self.messages[k].role == "user"), default=-1)
            self._strike_all(self._turn(turn) if turn >= 0 else [m])
            return
        rest = self.without(text, topic)
        if rest == text:
            return
        if rest:
            self.texts[m] = rest
        elif self.messages[m].role == "user":
            self._strike_all(self._turn(m))
        else:
            self.texts[m] = None

    def _about(self, topic: str, text: str) -> bool:
        if not text.strip():
            return False
        return about(topic, text) or (self.near is not None and self.near(topic, text))
