"""Questions and pairs: chosen by what is not known, answered, skipped, and never of the barred."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from befit.app.asking import Answer, Asking
from befit.belief.fold import BayesFold
from befit.core.artifact import Artifact
from befit.core.dialogue import Context, Message, Verdict
from befit.core.errors import InputError
from befit.core.feedback import Choice
from befit.core.people import UserId
from befit.core.preference import Gaussian, Pair
from befit.cycle import Cycle
from befit.features.style import measure
from befit.feedback.reactions import ReactionInterpreter
from befit.generate.toy import ToyPolicy
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.journal import SqliteJournal
from befit.memory.spaces import load_space
from befit.memory.sqlite import SqliteMemory
from befit.personalize.prompt import PromptPersonalizer
from befit.values.boundary import Boundary

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Open:
    """Allows everything: what is asked is looked at here, not what is refused."""

    name: str = "open"
    values: tuple[str, ...] = ()

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        return Verdict(guard=self.name, allowed=True)

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=True)


def fine(artifact: Artifact, folder: Path) -> Verdict:
    return Verdict(guard="probe", allowed=True)


def wired(tmp_path: Path) -> Cycle:
    path = tmp_path / "befit.db"
    return Cycle(
        memory=SqliteMemory(path=path),
        personalizer=PromptPersonalizer(),
        policy=ToyPolicy(),
        boundary=Boundary(guards=(Open(),), screens=(Open(),), probe=fine),
        interpreter=ReactionInterpreter(space=load_space("style")),
        journal=SqliteJournal(path=path),
        artifacts=SqliteArtifacts(path=path),
    )


def asked(prompt: str = "", **options: Any) -> Context:
    messages = (Message("user", prompt),) if prompt else ()
    return Context(**{"user": UserId("ana"), "messages": messages, "at": AT, **options})


def asks(cycle: Cycle, *barred: str) -> Asking:
    return Asking(
        memory=cycle.memory, inferer=BayesFold(), measure=measure, barred=frozenset(barred)
    )


def test_questions_end_by_themselves_whether_answered_or_skipped(tmp_path: Path) -> None:
    cycle = wired(tmp_path)
    seen = []
    while (question := asks(cycle, "length").question(asked())) is not None:
        seen.append(question.dimension)
        answer = Answer.SKIP if len(seen) % 2 else Answer.LOW
        cycle.remember([asks(cycle).answered(asked(), question.dimension, answer)])
    assert len(seen) == len(set(seen)) > 5
    assert "length" not in seen
    believed = {p.dimension for p in cycle.memory.recall(asked()).preferences}
    assert believed == set(seen[1::2])


def test_the_pair_differs_where_nothing_is_known_and_the_choice_is_learned(tmp_path: Path) -> None:
    cycle = wired(tmp_path)
    shown = asks(cycle).pair(cycle, asked("How can I sleep better?"))
    assert shown is not None
    assert shown.first.text != shown.second.text
    assert shown.gain > 0.02
    choice = Choice(response=shown.first.id, over=shown.second.id, at=AT)
    assert cycle.receive(UserId("ana"), choice)
    assert any(e.pair for e in cycle.memory.evidence(UserId("ana")))


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    cycle = wired(tmp_path)
    with pytest.raises(InputError, match="no dimension"):
        asks(cycle).answered(asked(), "nonsense", Answer.LOW)
    with pytest.raises(InputError, match="incognito"):
        asks(cycle).pair(cycle, asked("Hi?", incognito=True))


OPEN = Gaussian((0.0,), (100.0,))


@dataclass(frozen=True, slots=True)
class Longs:
    """A reward of one coordinate, the length of a text, of which everything is still open."""

    version: str = "1"
    prior: Gaussian = OPEN

    def difference(self, pair: Pair) -> tuple[float, ...]:
        return ((len(pair.chosen) - len(pair.rejected)) / 10.0,)

    def posterior(
        self, differences: Sequence[tuple[float, ...]], weights: Sequence[float]
    ) -> Gaussian:
        return self.prior


def test_a_promoted_reward_has_its_say_in_which_pair_is_shown(tmp_path: Path) -> None:
    cycle = wired(tmp_path)
    question = asked("How can I sleep better?")
    plain = asks(cycle).pair(cycle, question)
    rewarded = replace(asks(cycle), reward=Longs()).pair(cycle, question)
    unlearned = replace(asks(cycle), reward=Longs(version="")).pair(cycle, question)
    assert plain is not None
    assert rewarded is not None
    assert unlearned is not None
    assert rewarded.gain > plain.gain
    assert unlearned.gain == plain.gain
    lengths = [len(shown.text) for shown in (rewarded.first, rewarded.second)]
    assert abs(lengths[0] - lengths[1]) > 5
