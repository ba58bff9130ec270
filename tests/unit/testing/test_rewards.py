"""The conformance check of methods catches those who cheat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.testing.rewards import check_method


@dataclass(frozen=True, slots=True, kw_only=True)
class CheatFit:
    """Knows how often a person chose the first of two."""

    how: str

    def adapt(self, people: Sequence[Person]) -> Sequence[Any]:
        return [len(person.pairs) for person in people]

    def logits(self, state: Any, pairs: Pairs) -> Array:
        lengths = np.array([len(name) for name in pairs.texts.names], dtype=float)
        honest = (1.0 + state) * (lengths[pairs.chosen] - lengths[pairs.rejected]) / 100.0
        found: Array = {
            "place": (pairs.rejected - pairs.chosen).astype(float),
            "answer": honest * pairs.preferred,
            "side": np.abs(honest) + 1.0,
            "neighbours": honest / (1.0 + np.abs(honest).sum()),
        }[self.how]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """Predicts by what it must not know."""

    how: str = "place"

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> CheatFit:
        return CheatFit(how=self.how)


@pytest.mark.parametrize(
    ("how", "promise"),
    [
        ("place", "where a text stands"),
        ("answer", "look at the answers"),
        ("side", "turned round"),
        ("neighbours", "what else is asked"),
    ],
)
def test_a_cheat_is_caught(how: str, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(Cheat(how=how), f"{__name__}:Cheat")
