"""The lane steps the boundary's stream by hand; it must give what the event loop would."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.app.server.admission import Lane, words
from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Message, Passage, Response, Verdict
from befit.core.people import UserId
from befit.values.boundary import Boundary

ASKED = Context(
    user=UserId("ana"),
    messages=(Message("user", "Hello?"),),
    at=datetime(2026, 1, 1, tzinfo=UTC),
)
TEXT = st.text(alphabet="abX .!?\n", max_size=12)


class NoX:
    name = "no-x"
    values = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        return Verdict(guard=self.name, allowed="X" not in text)

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=True)


def fine(artifact: Artifact, folder: Path) -> Verdict:
    return Verdict(guard="probe", allowed=True)


BOUNDARY = Boundary(guards=(NoX(),), screens=(NoX(),), probe=fine)


def admit(pieces: AsyncIterator[str]) -> AsyncIterator[Passage | Response]:
    return BOUNDARY.admit_stream(ASKED, Conditioning(), pieces)


async def by_the_loop(pieces: list[str]) -> tuple[list[str], Response]:
    async def given_pieces() -> AsyncIterator[str]:
        for piece in pieces:
            yield piece

    *passages, last = [out async for out in admit(given_pieces())]
    assert isinstance(last, Response)
    return [p.text for p in passages], last


@given(st.lists(TEXT, max_size=8))
def test_a_lane_gives_what_the_event_loop_gives(pieces: list[str]) -> None:
    expected, response = asyncio.run(by_the_loop(pieces))
    lane, released = Lane(admit), list[str]()
    for piece in [*pieces, None]:
        if lane.response is None:
            released += lane.say(piece)
    assert released == expected
    assert lane.response is not None
    assert (lane.response.text, lane.response.finish) == (response.text, response.finish)


def test_a_sentence_is_released_with_the_piece_that_ends_it() -> None:
    lane = Lane(admit)
    assert [lane.say(p) for p in ("One", ". Tw", "o. ", None)] == [[], ["One. "], ["Two. "], []]


def test_a_lane_that_is_given_up_says_nothing_more() -> None:
    lane = Lane(admit)
    lane.say("One. Tw")
    lane.close()
    lane.close()
    assert lane.response is None


def test_what_a_guard_raises_is_raised() -> None:
    async def broken(pieces: AsyncIterator[str]) -> AsyncIterator[Passage | Response]:
        async for _ in pieces:
            raise KeyError("a bug")
        yield Passage("")

    with pytest.raises(KeyError, match="a bug"):
        Lane(broken).say("One.")


def test_no_string_inside_a_message_is_overlooked() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{a}"}}
    message = {"role": "assistant", "tool_calls": [call], "details": [{"deep": [["x", None, 1]]}]}
    assert words(message) == "f\n{a}\nx"
