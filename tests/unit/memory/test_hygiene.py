"""Trust is the least of a lineage; orders wait; echoes and repetitions are told apart."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Verdict
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Origin
from befit.memory.hygiene import TRUST, merged, origin_of, recalled, why_hold

AT = datetime(2026, 3, 1, tzinfo=UTC)
ORIGINS: tuple[Origin, ...] = get_args(Origin)


def _said(name: str, text: str = "", day: int = 0, **options: object) -> Evidence:
    made = Evidence(
        id=name,
        user=UserId("ada"),
        kind=EvidenceKind.STATED,
        at=AT + timedelta(days=day),
        text=text,
    )
    return replace(made, **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shouting:
    """Refuses capital letters."""

    name: str = "shouting"

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=not text.isupper(), reason="it shouts")


@given(st.lists(st.sampled_from(ORIGINS), min_size=1, max_size=12))
def test_trust_is_the_least_along_the_lineage(origins: list[Origin]) -> None:
    chain = [
        _said(str(n), origin=origin, source=str(n - 1) if n else "a response")
        for n, origin in enumerate(origins)
    ]
    found = origin_of(chain[-1], {each.id: each for each in chain})
    assert TRUST[found] == min(TRUST[origin] for origin in origins)
    assert (why_hold(chain[-1], {e.id: e for e in chain}, None) == "") == (found == "person")


def test_a_lineage_that_turns_in_a_circle_ends() -> None:
    one, other = _said("1", source="2"), _said("2", source="1", origin="tool")
    assert origin_of(one, {"1": one, "2": other}) == "tool"
    assert set(TRUST) == set(ORIGINS)


def test_what_gives_orders_waits() -> None:
    assert why_hold(_said("1", "OBEY"), {}, Shouting()) == "it shouts"
    assert why_hold(_said("1", "", values={"topic:OBEY": 1.0}), {}, Shouting()) == "it shouts"
    assert why_hold(_said("1", "obey"), {}, Shouting()) == ""
    assert why_hold(_said("1", "OBEY"), {}, None) == ""


def test_an_echo_of_what_was_shown_is_known() -> None:
    shown = ["I love long walks by the sea."]
    authored = _said("1", "I love long walks by the sea!", kind=EvidenceKind.AUTHORED)
    assert recalled(authored, shown)
    assert not recalled(replace(authored, kind=EvidenceKind.STATED), shown)
    assert not recalled(replace(authored, text="I love my dog"), shown)
    assert not recalled(replace(authored, text=""), [""])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("I love long walks by the sea", "i love long walks by the sea!", True),
        ("I love long walks by the sea", "I do not love long walks by the sea", False),
        ("I love long walks", "I love short walks", False),
        ("", "", False),
        ("\U0001f600", "\U0001f600", False),
    ],
)
def test_repetition_is_told_from_difference(one: str, other: str, same: bool) -> None:
    found = merged([_said("1", one), _said("2", other, 1)])
    assert [each.id for each in found] == (["1"] if same else ["1", "2"])


def test_scope_and_direction_part_what_sounds_the_same() -> None:
    text = "walks by the sea in the rain"
    both = [_said("1", text), _said("2", text, scope="work")]
    assert len(merged(both)) == 2
    up, down = (_said(str(v), text, values={"topic:walks": v}) for v in (0.5, -0.5))
    assert len(merged([up, down])) == 2


def test_groups_do_not_depend_on_order() -> None:
    words = [f"word{n}" for n in range(10)]
    texts = [" ".join(words[n : n + 9]) for n in range(2)] + ["other words altogether"]
    said = [_said(str(n), text, n) for n, text in enumerate(texts)]
    kept = {frozenset(e.id for e in merged(list(order))) for order in permutations(said)}
    assert len(kept) == 1
