import asyncio
from datetime import UTC, datetime

import pytest

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.people import UserId
from befit.core.protocols import Batches, Policy, Streams
from befit.generate.toy import ToyPolicy

CONTEXT = Context(
    user=UserId("ana"),
    messages=(Message("user", "How do I plan a trip?"),),
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


def answer(**slots: object) -> str:
    return ToyPolicy().generate(CONTEXT, Conditioning(**slots), 1)[0].text  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [0, 1, 5])
def test_n_different_drafts_always_the_same(n: int) -> None:
    drafts = ToyPolicy().generate(CONTEXT, Conditioning(), n)
    assert len({draft.text for draft in drafts}) == n
    assert drafts == ToyPolicy().generate(CONTEXT, Conditioning(), n)


def test_it_obeys_wishes_in_words_and_in_numbers() -> None:
    neutral = answer()
    assert len(answer(instructions=("Keep it short.",))) < len(neutral)
    assert len(answer(instructions=("Go into detail.",))) > len(neutral)
    assert answer(instructions=("Write in short sentences.",)) == neutral
    assert answer(instructions=("Write in full, long paragraphs.",)) == neutral
    assert answer(instructions=("Leave out examples.",)) == neutral
    assert len(answer(objectives={"length": -1.0})) < len(neutral)
    assert answer(objectives={"lists": 1.0}).startswith("- ")
    assert not answer(objectives={"lists": 1.0}, instructions=("No lists.",)).startswith("- ")
    assert "glad" in answer(objectives={"warmth": 1.0})
    assert "\U0001f642" in answer(instructions=("Use emoji.",))
    assert "For example" in answer(instructions=("Give examples.",))
    assert "plan a trip" in answer()


def test_it_streams_and_serves_batches() -> None:
    policy = ToyPolicy()
    assert isinstance(policy, Policy)
    assert isinstance(policy, Streams)
    assert isinstance(policy, Batches)

    async def read() -> str:
        return "".join([piece async for piece in policy.stream(CONTEXT, Conditioning())])

    assert asyncio.run(read()) == answer()
    short = Conditioning(objectives={"length": -1.0})
    drafts = policy.generate_batch([(CONTEXT, Conditioning()), (CONTEXT, short)])
    assert [draft.text for draft in drafts] == [answer(), answer(objectives={"length": -1.0})]
