"""Usefulness: what always led to disliked answers sinks, and what is forgotten leaves no trace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import EXCERPT, USEFUL, Evidence
from befit.memory.sqlite import SqliteMemory
from befit.memory.usefulness import of_excerpts, usefulness

ANA, NOW = UserId("ana"), datetime(2026, 3, 1, tzinfo=UTC)


def said(name: str, text: str, **values: float) -> Evidence:
    return Evidence(id=name, user=ANA, kind=EvidenceKind.STATED, at=NOW, text=text, values=values)


def liked(n: int, name: str, value: float, source: str = "") -> Evidence:
    return Evidence(
        id=f"l{n}-{name}",
        user=ANA,
        kind=EvidenceKind.BEHAVIOUR,
        at=NOW + timedelta(minutes=n),
        values={USEFUL + name: value},
        noise=1.0,
        source=source,
    )


def test_it_is_compared_with_the_usual_and_shrunk() -> None:
    strict = [liked(n, name, -0.8) for n in range(50) for name in ("length", "warmth")]
    factors = usefulness(strict, [1.0] * len(strict))
    assert factors.keys() == {"length", "warmth"}
    assert all(abs(f - 1.0) < 0.1 for f in factors.values())
    mixed = [liked(n, "length", 1.0) for n in range(9)] + [
        liked(n, "warmth", -1.0) for n in range(9)
    ]
    factors = usefulness(mixed, [1.0] * 18)
    assert factors["length"] > 1.7
    assert 0.0 < factors["warmth"] < 0.3
    assert usefulness(mixed[:1], [1.0])["length"] < 1.4
    assert usefulness(mixed, [0.0] * 18) == {}


@given(st.permutations([liked(n, f"b{n % 3}", v) for n, v in enumerate((1, -1, 0.5, -0.5, 1, 1))]))
def test_order_does_not_matter(evidence: list[Evidence]) -> None:
    known = usefulness(sorted(evidence, key=lambda e: e.id), [1.0] * 6)
    assert usefulness(evidence, [1.0] * 6) == known
    assert all(0.0 <= factor <= 2.0 for factor in known.values())


def test_an_excerpt_has_its_own_factor_and_that_of_what_it_speaks_for() -> None:
    evidence = [said("a", "Short.", length=-1.0), said("b", "Other.")]
    assert of_excerpts({"length": 0.5, EXCERPT + "b": 1.5}, evidence) == [0.5, 1.5]


def recalled(memory: SqliteMemory, days: int = 1) -> list[str]:
    asked = (Message("user", "What tea should I drink?"),)
    at = NOW + timedelta(days=days)
    return [e.id for e in memory.recall(Context(user=ANA, messages=asked, at=at)).evidence]


@pytest.mark.parametrize("reactions", [1, 3, 10])
def test_what_always_led_to_disliked_answers_sinks_to_the_end(
    tmp_path: Path, reactions: int
) -> None:
    memory = SqliteMemory(tmp_path / "m.db")
    kinds = ("green", "black", "white", "mint", "iced")
    memory.remember(said(kind, f"My {kind} tea drink stays in the pot.") for kind in kinds)
    first, *rest = recalled(memory)
    assert len(rest) == 4
    bad = [liked(n, EXCERPT + first, -1.0, first) for n in range(reactions)]
    good = [liked(n, EXCERPT + name, 1.0, name) for n in range(reactions) for name in rest]
    memory.remember([*bad, *good])
    assert recalled(memory)[-1] == first
    asked = Context(user=ANA, messages=(), at=NOW + timedelta(days=1))
    fresh = SqliteMemory(tmp_path / "fresh.db")
    fresh.remember(said(kind, f"My {kind} tea drink stays in the pot.") for kind in kinds)
    memory.forget(ANA, [e.id for e in (*bad, *good)])
    assert recalled(memory) == recalled(fresh) == [first, *rest]
    one, two = memory.recall(asked), fresh.recall(asked)
    assert replace(one, version="") == replace(two, version="")


def test_a_belief_that_spoiled_answers_is_cared_about_less(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "m.db")
    memory.remember([said("1", "Short.", length=-0.8), said("2", "Warm.", warmth=0.8)])
    memory.remember(liked(n, "length", -1.0) for n in range(5))
    memory.remember(liked(n, "warmth", 1.0) for n in range(5))
    asked = Context(user=ANA, messages=(), at=NOW + timedelta(days=1))
    found = {b.dimension: b for b in memory.recall(asked).preferences}
    assert found.keys() == {"length", "warmth"}
    assert found["length"].weight < 0.6
    assert found["warmth"].weight > 1.4
    assert found["length"].mean < -0.5  # what they said stands
