"""What a turn states is kept once, and what it asks to be forgotten is as if it had never been."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from befit.app.listening import ALL_GONE, GONE, NOTHING, Grammar, Listener
from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft, Message, Verdict
from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.cycle import Cycle
from befit.features.distil import Statement
from befit.features.forget_conversation import SURE
from befit.feedback.reactions import ReactionInterpreter
from befit.generate.toy import ToyPolicy
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.consented import ConsentedMemory
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import SqliteLedger
from befit.memory.portability import export_person
from befit.memory.spaces import load_space
from befit.memory.sqlite import SqliteMemory
from befit.personalize.prompt import PromptPersonalizer
from befit.values.boundary import Boundary

ANA = UserId("ana")
AT = datetime(2026, 4, 15, 12, tzinfo=UTC)
SPACE = load_space("style")


def fine(artifact: Artifact, folder: Path) -> Verdict:
    del artifact, folder
    return Verdict(guard="probe", allowed=True)


@dataclass(frozen=True, slots=True)
class Open:
    """Allows everything."""

    name: str = "open"
    values: tuple[str, ...] = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        del context, text, caution
        return Verdict(guard=self.name, allowed=True)

    def inspect(self, text: str) -> Verdict:
        del text
        return Verdict(guard=self.name, allowed=True)


@dataclass(frozen=True, slots=True)
class Overheard:
    """A policy that notes what it is shown."""

    seen: list[str] = field(default_factory=list)

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        self.seen.append(repr((context.messages, conditioning)))
        return ToyPolicy().generate(context, conditioning, n)


class Person:
    """Somebody who talks with a cycle of their own."""

    def __init__(self, folder: Path, listener: Listener | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "befit.db"
        self.policy = Overheard()
        ledger = SqliteLedger(path=folder / "rights")
        self.cycle = Cycle(
            memory=ConsentedMemory(memory=SqliteMemory(path=path), ledger=ledger),
            personalizer=PromptPersonalizer(),
            policy=self.policy,
            boundary=Boundary(guards=(Open(),), screens=(Open(),), probe=fine),
            interpreter=ReactionInterpreter(space=SPACE),
            journal=SqliteJournal(path=path),
            artifacts=SqliteArtifacts(path=path),
        )
        self.listener = replace(listener, cycle=self.cycle) if listener else None
        self.listener = self.listener or Listener(cycle=self.cycle)
        self.messages: tuple[Message, ...] = ()
        self.at = AT

    def say(self, text: str, *, scope: str = "", days: float = 0.1) -> tuple[str, int | None]:
        self.at += timedelta(days=days)
        messages = (*self.messages, Message("user", text))
        context = Context(user=ANA, messages=messages, at=self.at, scope=scope)
        assert self.listener is not None
        response, gone = self.listener.respond(context)
        self.messages = (*messages, Message("assistant", response.text))
        return response.text, gone

    def told(self) -> list[str]:
        return [e.text for e in self.cycle.memory.evidence(ANA)]

    def later(self) -> "Person":
        """The same person, in another conversation."""
        self.messages = ()
        return self


@pytest.fixture
def ana(tmp_path: Path) -> Person:
    return Person(tmp_path)


def test_each_sentence_that_states_something_is_kept_once(ana: Person) -> None:
    ana.say("I have a question. Keep it short, please. I love jazz!")
    assert ana.told() == ["Keep it short, please.", "I love jazz!"]
    ana.say("Keep it short, please.")
    assert len(ana.told()) == 2
    ana.later().say("Keep it short, please.", days=3)
    assert len(ana.told()) == 3


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("Please forget that I love jazz.", ["Keep it short, please.", "I hate olives."]),
        ("Forget that I like it short.", ["I love jazz.", "I hate olives."]),
        ("Forget what I just said.", ["I love jazz.", "Keep it short, please."]),
        ("Forget the last five hours.", ["I love jazz.", "Keep it short, please."]),
        ("Forget what I told you at work.", ["I love jazz.", "I hate olives."]),
        ("forget about skiing", ["I love jazz.", "Keep it short, please.", "I hate olives."]),
    ],
)
def test_what_is_named_goes_and_nothing_else(ana: Person, asked: str, left: list[str]) -> None:
    ana.say("I love jazz.")
    ana.say("Keep it short, please.", scope="work", days=1)
    ana.say("I hate olives.", days=1)
    said, gone = ana.say(asked)
    assert ana.told() == left
    assert said == (GONE if len(left) < 3 else NOTHING)
    assert bool(gone) == (len(left) < 3)
    prompts = [turn.context.prompt for turn in ana.cycle.journal.read(ANA)]
    assert prompts == left


def test_the_whole_person_goes_after_a_second_word(ana: Person) -> None:
    ana.say("I love jazz.")
    said, gone = ana.say("Forget everything about me.")
    assert said.startswith(SURE)
    assert (gone, ana.told()) == (0, ["I love jazz."])
    assert ana.say("Yes, forget everything about me.") == (ALL_GONE, 2)
    assert ana.told() == []


ASKED = (
    "Please forget what I told you about jazz.", "Don't ever mention jazz again.",
    "I'd rather you deleted everything about jazz from your memory.",
)  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_it_is_as_if_it_had_never_been_said(tmp_path: Path, asked: str) -> None:
    knew, never = Person(tmp_path / "knew"), Person(tmp_path / "never")
    for person in (knew, never):
        person.say("Keep it short, please.")
        person.later()
        if person is knew:
            person.say("I love jazz.", days=0.0)
            person.say(asked, days=0.0)
        person.later().say("What shall I cook?", days=1.0)
    shown = [
        _without_ids(export_person(p.cycle.memory, p.cycle.journal, ANA)) for p in (knew, never)
    ]
    assert shown[0] == shown[1]
    context = Context(user=ANA, messages=(Message("user", "jazz?"),), at=AT + timedelta(days=9))
    one, other = (p.cycle.memory.recall(context) for p in (knew, never))
    assert [(b.dimension, b.mean, b.std) for b in one.preferences] == [
        (b.dimension, b.mean, b.std) for b in other.preferences
    ]
    assert "jazz" not in knew.policy.seen[-1]
    assert b"jazz" not in b"".join(f.read_bytes() for f in (tmp_path / "knew").iterdir())


def _without_ids(value: object) -> object:
    """The same without the ids that are drawn."""
    if isinstance(value, dict):
        drawn = ("id", "source", "response")
        return {
            k: _without_ids(v) for k, v in value.items() if k not in drawn or not isinstance(v, str)
        }
    return [_without_ids(v) for v in value] if isinstance(value, list) else value


def test_the_model_is_not_shown_it_again_in_that_conversation(ana: Person) -> None:
    ana.say("I love jazz. Where can I go?")
    ana.say("Forget that I love jazz.")
    ana.say("And where to eat?")
    assert "jazz" not in ana.policy.seen[-1]
    assert "Where can I go?" in ana.policy.seen[-1]
    assert len(ana.policy.seen) == 2  # the request itself went to no model


def test_a_cycle_alone_hides_it_and_keeps_no_request(ana: Person) -> None:
    messages = (Message("user", "I love jazz."), Message("assistant", "Good."))
    asked = (*messages, Message("user", "Forget that I love jazz. What is for dinner?"))
    ana.cycle.respond(Context(user=ANA, messages=asked, at=AT))
    assert "jazz" not in ana.policy.seen[-1]
    (turn,) = ana.cycle.journal.read(ANA)
    assert turn.context.messages == (Message("user", "What is for dinner?"),)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A reader that finds one thing in everything."""

    def distil(self, text: str) -> Sequence[Statement]:
        return [Statement(sentence=text, values={"topic:x": 0.5}, confidence=0.6, noise=0.7)]


def test_the_reader_is_the_one_that_was_chosen(tmp_path: Path, ana: Person) -> None:
    other = Person(tmp_path / "other", Listener(cycle=ana.cycle, reader=Fixed()))
    other.say("The sky is blue.")
    (found,) = other.cycle.memory.evidence(ANA)
    assert (found.values, found.noise) == ({"topic:x": 0.5}, 0.7)


def test_the_grammar_reads_each_sentence_for_itself() -> None:
    told = Grammar(space=SPACE).distil("At work, keep it short. Hm. I love jazz.")
    assert [(t.sentence, t.scope, dict(t.values)) for t in told] == [
        ("At work, keep it short.", "work", {"length": -0.8}),
        ("I love jazz.", "", {"topic:jazz": 1.0}),
    ]


def test_incognito_keeps_nothing_and_still_forgets(ana: Person) -> None:
    ana.say("I love jazz.")
    asked = Context(
        user=ANA, messages=(Message("user", "Forget jazz."),), at=ana.at, incognito=True
    )
    assert ana.listener is not None
    assert ana.listener.respond(asked)[1] == 2
    assert ana.told() == []


@pytest.mark.local
def test_a_real_model_is_not_told_again(tmp_path: Path) -> None:
    hf = pytest.importorskip("befit.generate.hf")
    person = Person(tmp_path)
    cycle = replace(person.cycle, policy=hf.HfPolicy(), candidates=1)
    person.listener = Listener(cycle=cycle)
    person.say("My dog is called Zebulon. Say hello.")
    person.say("Please forget my dog.")
    told, _ = person.say("What is my dog called?")
    assert "zebulon" not in told.casefold()


def test_evidence_keeps_where_it_came_from(ana: Person) -> None:
    ana.say("I love jazz.")
    found: Evidence = ana.cycle.memory.evidence(ANA)[0]
    (turn,) = ana.cycle.journal.read(ANA)
    assert found.source == turn.response.id
