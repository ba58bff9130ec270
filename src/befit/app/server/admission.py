"""A streamed answer on its way through the boundary: upstream chunks in, allowed chunks out.

Text leaves in the passages that the boundary released; whatever else carries words (tool calls,
details of the reasoning) is held until its choice ends and is judged whole. Token probabilities
spell the text out before it is judged, so they are dropped. Decides nothing itself.
"""

from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from typing import Any, cast

from befit.app.server.offload import Offload, Prepared
from befit.app.server.turn import Turn
from befit.app.server.upstream import Chunk
from befit.core.dialogue import Passage, Response
from befit.values.sentences import Sentences

NOT_WORDS = ("id", "type", "role", "index")  # of a message: names that no model makes up
KEPT = ("index", "finish_reason", "stop_reason", "content_filter_results")  # of a choice

SLOW_CPU_S = 0.002  # from which a guard would keep others waiting
SLOW_WALL_S = 0.02  # the same for one that waits itself, well above being put off by the system

Admit = Callable[[AsyncIterator[str]], AsyncIterator[Passage | Response]]


def words(value: object) -> str:
    """Every string inside a JSON value, one a line; nothing that a model wrote is left out."""
    found, left = [], [value]
    while left:
        match left.pop():
            case str() as text:
                found.append(text)
            case Mapping() as table:
                left += [v for k, v in table.items() if k not in NOT_WORDS][::-1]
            case list() as items:
                left += reversed(items)
            case _:
                pass
    return "\n".join(found)


class _Wanted:
    """What the boundary waits for: the next piece, None at the end."""

    def __await__(self) -> Generator["_Wanted", str | None, str | None]:
        return (yield self)


class _GivenUpError(Exception):
    """Nobody reads on."""


class Lane:
    """One text in passage: give it pieces, get back what the boundary released.

    The boundary waits for nothing but the next piece, so its stream is stepped by hand: without a
    task, and in any thread. Not for two threads at once.

    Attributes:
        response: What was let through in all; None before the end.
    """

    __slots__ = ("_heard", "_stream", "_waiting", "response")

    def __init__(self, admit: Admit) -> None:
        self.response: Response | None = None
        self._heard = Sentences()  # as the boundary cuts them
        self._stream = admit(_pieces())
        self._waiting: Generator[object, str | None, Passage | Response] | None = None

    def judges(self, piece: str | None) -> bool:
        """Whether the guards will be asked if this piece comes next. Ask once, then say it."""
        first = not self._heard.said and not self._heard.rest
        whole = 0
        for sentence in self._heard.push(piece or ""):
            self._heard.release(sentence)
            whole += 1
        return first or piece is None or whole > 0

    def say(self, piece: str | None) -> list[str]:
        """Judge a piece, or what is left at the end (None); what may be said now."""
        released: list[str] = []
        given = self._waiting is not None
        step, value = self._waiting or self._next(), piece if given else None
        self._waiting = None
        while True:
            try:
                wanted = step.send(value)
            except StopIteration as end:
                self._take(end.value, released)
                step, value = self._next(), None
            except StopAsyncIteration:
                return released
            else:
                if not isinstance(wanted, _Wanted):
                    raise TypeError("the boundary waits for something that is no piece")
                if given:
                    self._waiting = step
                    return released
                given, value = True, piece

    def close(self) -> None:
        """Give up on the text."""
        if self._waiting is not None:
            with suppress(_GivenUpError):
                self._waiting.throw(_GivenUpError())
            self._waiting = None

    def _next(self) -> Generator[object, str | None, Passage | Response]:
        step: Any = self._stream.__anext__().__await__()
        return cast("Generator[object, str | None, Passage | Response]", step)

    def _take(self, out: Passage | Response, released: list[str]) -> None:
        if isinstance(out, Passage):
            released.append(out.text)
        else:
            self.response = out


async def _pieces() -> AsyncIterator[str]:
    while (piece := await _Wanted()) is not None:
        yield piece


@dataclass(slots=True)
class _Choice:
    index: int
    lanes: dict[str, Lane] = field(default_factory=dict)
    held: list[dict[str, Any]] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    greeted: bool = False
    ended: bool = False


@dataclass(slots=True)
class Admission:
    """One streamed answer.

    Attributes:
        offload: The cycle.
        turn: What was asked.
        prepared: What the model was conditioned on.
        refused: Whether the boundary has ended the answer; nothing follows then.
        unrecorded: Whether the journal could not take it.
    """

    offload: Offload
    turn: Turn
    prepared: Prepared
    refused: bool = False
    unrecorded: bool = False
    _choices: dict[int, _Choice] = field(default_factory=dict)
    _envelope: Chunk = field(default_factory=dict)

    async def take(self, chunk: Chunk) -> list[Chunk]:
        """What may follow one chunk of the upstream."""
        self._envelope = {k: v for k, v in chunk.items() if k not in ("choices", "usage")}
        out: list[Chunk] = []
        for raw in chunk.get("choices") or ():
            if isinstance(raw, Mapping) and not self.refused:
                out += await self._take(raw)
        if chunk.get("usage") is not None and not self.refused:
            out.append({**self._envelope, "choices": [], "usage": chunk["usage"]})
        return out

    async def finish(self) -> list[Chunk]:
        """What is left when the upstream is done without having said why."""
        out: list[Chunk] = []
        for choice in self._choices.values():
            if not (choice.ended or self.refused):
                out += await self._end(choice, {"finish_reason": "stop"})
        return out

    def close(self) -> None:
        """Give up on what is still held."""
        for choice in self._choices.values():
            for lane in choice.lanes.values():
                lane.close()

    async def _take(self, raw: Mapping[str, Any]) -> list[Chunk]:
        index = raw["index"] if isinstance(raw.get("index"), int) else 0
        out: list[Chunk] = []
        if index not in self._choices:
            self._choices[index] = _Choice(index)
        choice = self._choices[index]
        delta = raw.get("delta")
        for name, value in delta.items() if isinstance(delta, Mapping) else ():
            if choice.ended or name == "role" or not value:
                continue
            if isinstance(value, str):
                out += await self._say(choice, name, value)
            else:
                choice.held.append({name: value})
        if raw.get("finish_reason") and not choice.ended:
            out += await self._end(choice, raw)
        return out

    async def _say(self, choice: _Choice, name: str, piece: str) -> list[Chunk]:
        """One piece of one text; what is thought aloud ends where the answer begins."""
        out: list[Chunk] = []
        if name == "content":
            for other in [lane for lane in choice.lanes if lane != name]:
                out += await self._flush(choice, other, None)
        if not choice.ended:
            choice.lanes.setdefault(name, Lane(self._admit))
            out += await self._flush(choice, name, piece)
        return out

    async def _flush(self, choice: _Choice, name: str, piece: str | None) -> list[Chunk]:
        lane = choice.lanes[name]
        out = [self._chunk(choice, {name: text}) for text in await self._judged(lane, piece)]
        if lane.response is None:
            return out
        del choice.lanes[name]
        if lane.response.finish == "content_filter":
            choice.responses = [lane.response]
            return out + await self._stop(choice, {"finish_reason": "content_filter"})
        if name == "content":
            choice.responses.append(lane.response)
        return out

    async def _end(self, choice: _Choice, raw: Mapping[str, Any]) -> list[Chunk]:
        out: list[Chunk] = []
        for name in list(choice.lanes):
            if not choice.ended:
                out += await self._flush(choice, name, None)
        if choice.ended:
            return out
        if choice.held:
            verdict = await self.offload.judge(
                self.turn.context, self.prepared.conditioning, _spoken(choice.held)
            )
            if verdict.finish == "content_filter":
                choice.responses = choice.responses or [verdict]
                choice.held = [{"content": verdict.text}]
                raw = {"finish_reason": "content_filter"}
            out += [self._chunk(choice, delta) for delta in choice.held]
        return out + await self._stop(choice, raw)

    async def _stop(self, choice: _Choice, raw: Mapping[str, Any]) -> list[Chunk]:
        """The last chunk of a choice; by then what the person can react to is recorded."""
        choice.ended = True
        self.refused = self.refused or raw["finish_reason"] == "content_filter"
        last = {**{k: raw[k] for k in KEPT if k in raw}, "index": choice.index, "delta": {}}
        chunk = {**self._envelope, "choices": [last]}
        if self.turn.context.incognito or not choice.responses:
            return [chunk]
        if await self.offload.record(self.turn, self.prepared, choice.responses):
            chunk["befit"] = {"response_id": choice.responses[-1].id}
        else:
            self.unrecorded = True
        return [chunk]

    async def _judged(self, lane: Lane, piece: str | None) -> list[str]:
        """Guards that took long are run beside the event loop, until they do not any more."""
        if not lane.judges(piece):
            return lane.say(piece)
        if self.offload.guards_are_slow:
            released, slow = await self.offload.finish(_timed, lane, piece)
        else:
            released, slow = _timed(lane, piece)
        self.offload.guards_are_slow = slow
        return released

    def _admit(self, pieces: AsyncIterator[str]) -> AsyncIterator[Passage | Response]:
        return self.offload.cycle.admit_stream(
            self.turn.context, self.prepared.conditioning, pieces
        )

    def _chunk(self, choice: _Choice, delta: Mapping[str, Any]) -> Chunk:
        """A chunk in the upstream's envelope; the first of a choice says whose words they are."""
        role = {} if choice.greeted else {"role": "assistant"}
        choice.greeted = True
        only = {"index": choice.index, "delta": {**role, **delta}, "finish_reason": None}
        return {**self._envelope, "choices": [only]}


def _timed(lane: Lane, piece: str | None) -> tuple[list[str], bool]:
    """What may be said now, and whether finding out took long."""
    began, spent = perf_counter(), thread_time()
    released = lane.say(piece)
    slow = thread_time() - spent > SLOW_CPU_S or perf_counter() - began > SLOW_WALL_S
    return released, slow


def _spoken(held: list[dict[str, Any]]) -> str:
    """The words of held deltas; the arguments of a tool call, which come in pieces, as one text."""
    arguments: dict[object, str] = {}
    for delta in held:
        for call in delta.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, Mapping) else None
            piece = function.get("arguments") if isinstance(function, Mapping) else None
            if isinstance(piece, str):
                arguments[str(call.get("index"))] = (
                    arguments.get(str(call.get("index")), "") + piece
                )
    return "\n".join([*arguments.values(), words(held)])
