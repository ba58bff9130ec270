"""Ranking by the lower bound: nothing invented, nothing lost, the surest best first."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from befit.align.decode.best_of_n import BestOfN
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.people import UserId
from befit.core.protocols import Policy, Streams

CONTEXT = Context(user=UserId("ada"), messages=(), at=datetime(2026, 1, 1, tzinfo=UTC))
NONE = Conditioning()
SCORES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 5)), min_size=1, max_size=8)


@dataclass
class Numbered:
    """Draft i says i; remembers how many were asked for."""

    most: int = 99
    asked: int = 0

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        self.asked = n
        return [Draft(text=str(i), policy="numbered") for i in range(min(n, self.most))]


class Streaming(Numbered):
    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        for piece in ("one ", "piece ", "each"):
            yield piece


@dataclass
class Table:
    """Scores and doubts by the number a draft says."""

    rows: Sequence[tuple[float, float]]

    def _row(self, draft: Draft) -> tuple[float, float]:
        return self.rows[int(draft.text) % len(self.rows)]

    def score(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        return [self._row(draft)[0] for draft in drafts]

    def uncertainty(
        self, context: Context, conditioning: Conditioning, drafts: Sequence[Draft]
    ) -> Sequence[float]:
        return [self._row(draft)[1] for draft in drafts]


@given(rows=SCORES, asked=st.integers(1, 8), own=st.integers(1, 8), beta=st.floats(0, 3))
def test_the_best_bounds_come_first(
    rows: list[tuple[float, float]], asked: int, own: int, beta: float
) -> None:
    inner = Numbered()
    decoder = BestOfN(policy=inner, reward=Table(rows), n=own, beta=beta)
    got = decoder.generate(CONTEXT, NONE, asked)
    assert inner.asked == max(asked, own)
    assert len(got) == asked
    assert len({draft.text for draft in got}) == asked

    def bound(number: int) -> float:
        score, doubt = rows[number % len(rows)]
        return score - beta * doubt

    bounds = [bound(int(draft.text)) for draft in got]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == max(bound(i) for i in range(inner.asked))


@given(asked=st.integers(1, 8))
def test_equal_drafts_keep_the_policys_order(asked: int) -> None:
    got = BestOfN(policy=Numbered(), reward=Table([(1.0, 1.0)])).generate(CONTEXT, NONE, asked)
    assert [draft.text for draft in got] == [str(i) for i in range(asked)]


def test_the_unsure_best_loses_to_the_sure_second() -> None:
    rows = [(0.0, 0.0), (2.0, 3.0), (1.5, 0.1)]
    first = BestOfN(policy=Numbered(), reward=Table(rows), n=3).generate(CONTEXT, NONE, 1)[0]
    assert first.text == "2"
    bold = BestOfN(policy=Numbered(), reward=Table(rows), n=3, beta=0.0)
    assert bold.generate(CONTEXT, NONE, 1)[0].text == "1"


def test_what_cannot_be_scored_comes_last() -> None:
    rows = [(float("nan"), 0.0), (-3.0, 0.0), (0.0, float("nan"))]
    got = BestOfN(policy=Numbered(), reward=Table(rows), n=3).generate(CONTEXT, NONE, 3)
    assert [draft.text for draft in got] == ["1", "0", "2"]


def test_fewer_drafts_than_asked_are_taken_as_they_are() -> None:
    for most in (0, 1, 2):
        decoder = BestOfN(policy=Numbered(most), reward=Table([(0.0, 0.0)]))
        assert len(decoder.generate(CONTEXT, NONE, 4)) == most


async def _pieces(decoder: BestOfN) -> list[str]:
    return [piece async for piece in decoder.stream(CONTEXT, NONE)]


def test_it_streams_as_the_inner_policy_does_or_the_best_in_one_piece() -> None:
    reward = Table([(0.0, 0.0), (1.0, 0.0)])
    through = BestOfN(policy=Streaming(), reward=reward)
    assert isinstance(through, Policy)
    assert isinstance(through, Streams)
    assert asyncio.run(_pieces(through)) == ["one ", "piece ", "each"]
    assert asyncio.run(_pieces(BestOfN(policy=Numbered(), reward=reward))) == ["1"]
