"""What may move what is believed of a person, whatever database the rows are in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Gaussian, Origin, Pair
from befit.memory.sqlite import SqliteMemory

ADA = UserId("ada")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counts:
    """A taste that counts what it is told."""

    version: str = "1"

    @property
    def prior(self) -> Gaussian:
        return Gaussian((0.0,), (1.0,))

    def difference(self, pair: Pair) -> tuple[float, ...]:
        return (float(len(pair.chosen)),)

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        assert len(differences) == len(weights)
        return Gaussian((float(len(differences)),), (1.0,))


@pytest.mark.parametrize("origin", ["model", "tool", "document", "other"])
def test_only_their_own_choices_move_a_persons_taste(tmp_path: Path, origin: Origin) -> None:
    memory = SqliteMemory(tmp_path / "befit.db", taste=Counts())
    own = Evidence(
        id="own",
        user=ADA,
        kind=EvidenceKind.BEHAVIOUR,
        at=AT,
        pair=Pair(prompt="p", chosen="c", rejected="r"),
    )
    asked = Context(user=ADA, messages=(), at=AT)
    memory.remember([replace(own, id="planted", origin=origin)])
    assert memory.recall(asked).taste == Counts().prior
    memory.remember([own])
    assert memory.recall(asked).taste == Gaussian((1.0,), (1.0,))
