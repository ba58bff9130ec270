"""What may move what is believed of a person, whatever database the rows are in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Behaviour, Choice, Edit, Feedback, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Gaussian, Origin, Pair, PreferenceSpace
from befit.feedback.reactions import ReactionInterpreter
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


@dataclass(frozen=True, slots=True)
class Lengths(Counts):
    """A taste of how much longer the chosen text is."""

    def difference(self, pair: Pair) -> tuple[float, ...]:
        return (float(len(pair.chosen) - len(pair.rejected)),)

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        total = sum(w * d for (d,), w in zip(differences, weights, strict=True))
        return Gaussian((total,), (1.0 / (1.0 + sum(weights)),))


LONG, SHORT = "a long answer to it", "brief"
CHOSE = [("2", Choice(response="2", at=AT, over="1"))]
EDITED = [("1", Edit(response="1", at=AT, text=SHORT))]
RATED = [
    ("1", Rating(response="1", at=AT, value=0.25)),
    ("2", Rating(response="2", at=AT, value=1.0)),
]
KEPT = [
    ("1", Behaviour(response="1", at=AT, name="regenerated", value=1.0)),
    ("2", Behaviour(response="2", at=AT, name="copied", value=1.0)),
]


@pytest.mark.parametrize(
    ("reactions", "counts"), [(CHOSE, 1.0), (EDITED, 1.0), (RATED, 0.75), (KEPT, 0.3)]
)
def test_a_reaction_moves_the_taste_as_it_teaches_a_population(
    tmp_path: Path, reactions: list[tuple[str, Feedback]], counts: float
) -> None:
    """Of two answers to one question the brief one is preferred, in four ways of saying so."""
    asked = Context(user=ADA, messages=(Message("user", "Why?"),), at=AT)
    interpreter = ReactionInterpreter(
        space=PreferenceSpace(name="none", version="1", dimensions=())
    )
    turns = {
        key: Interaction(
            context=asked,
            response=Response(id=key, text=text, draft=Draft(text=text, policy="p"), verdicts=()),
        )
        for key, text in (("1", LONG), ("2", SHORT))
    }
    memory = SqliteMemory(tmp_path / "befit.db", taste=Lengths())
    for key, reaction in reactions:
        turn = turns[key]
        turns[key] = replace(turn, feedback=(reaction,), compared=(turns["1"].response,))
        memory.remember(interpreter.evidence(turns[key]))
    (taught,) = interpreter.comparisons(list(turns.values()))
    assert (taught.chosen.text, taught.rejected.text, taught.weight) == (SHORT, LONG, counts)
    taste = memory.recall(asked).taste
    assert taste is not None
    assert taste.mean == pytest.approx((counts * (len(SHORT) - len(LONG)),), rel=2e-3)
    memory.forget(ADA)
    assert memory.recall(asked).taste == Lengths().prior
