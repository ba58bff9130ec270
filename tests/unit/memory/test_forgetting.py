"""Forgetting a part: whatever belongs to it goes, everywhere, and nothing else does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.artifact import Artifact
from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import InputError
from befit.core.feedback import Choice, Comment, Feedback, Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.consented import ConsentedMemory
from befit.memory.forgetting import Forgotten, Part, forget_part
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import SqliteLedger
from befit.memory.portability import export_person
from befit.memory.sqlite import SqliteMemory

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Kept:
    """All that is kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        within = SqliteMemory(folder / "befit.db")
        self.memory = ConsentedMemory(memory=within, ledger=SqliteLedger(path=folder / "rights"))
        self.journal = SqliteJournal(folder / "befit.db")
        self.artifacts = SqliteArtifacts(folder / "befit.db")

    def forget(self, **part: object) -> Forgotten:
        made = Part(**part)  # type: ignore[arg-type]
        return forget_part(self.memory, self.journal, self.artifacts, ADA, made)

    def bytes(self) -> bytes:
        files = (f for f in self.folder.rglob("*") if f.is_file())
        return b"".join(f.read_bytes() for f in files)

    def close(self) -> None:
        assert isinstance(self.memory.memory, SqliteMemory)
        self.memory.memory.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.close()


def _said(name: str, text: str = "", day: int = 0, user: UserId = ADA, **more: object) -> Evidence:
    at = AT + timedelta(days=day)
    made = Evidence(id=name, user=user, kind=EvidenceKind.STATED, at=at, text=text)
    return replace(made, **more)  # type: ignore[arg-type]


def _turn(name: str, prompt: str, day: int = 0, *feedback: Feedback) -> Interaction:
    asked = Context(
        user=ADA, messages=(Message("user", prompt),), at=AT + timedelta(days=day), scope=""
    )
    draft = Draft(text=f"On {name}", policy="toy")
    answer = Response(id=name, text=f"On {name}", draft=draft, verdicts=())
    return Interaction(context=asked, response=answer, feedback=feedback)


def test_one_thing_goes_with_the_turn_that_told_it(kept: Kept) -> None:
    comment = Comment(response="r1", at=AT, text="I adore marzipan")
    kept.journal.record(_turn("r1", "Dessert?", 0, comment))
    kept.journal.record(_turn("r2", "Dinner?", 1))
    kept.memory.remember(
        [_said("1", "I adore marzipan", source="r1"), _said("2", "I like soup", 1)]
    )
    assert kept.forget(ids=("1",)) == Forgotten(evidence=1, turns=1)
    assert [e.id for e in kept.memory.evidence(ADA)] == ["2"]
    assert [turn.response.id for turn in kept.journal.read(ADA)] == ["r2"]
    assert b"marzipan" not in kept.bytes()
    assert kept.forget(ids=("1",)) == Forgotten()


def test_a_topic_goes_wherever_it_is(kept: Kept) -> None:
    pair = Pair(prompt="About violins", chosen="a", rejected="b")
    kept.memory.remember(
        [
            _said("1", "My VIOLIN lessons"),
            _said("2", values={"topic:violins": 0.5}),
            _said("3", pair=pair),
            _said("4", graded=Graded(prompt="", text="the violin", value=1.0)),
            _said("5", "violet is my colour"),
            _said("6", "plays the violin", origin="tool"),
            _said("7", "violin", user=BOB),
        ]
    )
    kept.memory.judge(ADA, "pin", "topic:violins", AT)
    kept.memory.consent(ADA, "stated", "train", AT, allowed=True)
    kept.journal.record(_turn("r1", "How do I tune a violin?"))
    kept.journal.record(
        _turn("r2", "What is for dinner?", 0, Choice(response="r2", at=AT, over="r1"))
    )
    done = kept.forget(topic="violin")
    assert done == Forgotten(evidence=5, turns=1, decisions=1)
    assert [e.id for e in kept.memory.evidence(ADA)] == ["5"]
    assert [e.id for e in kept.memory.evidence(BOB)] == ["7"]
    (left,) = kept.journal.read(ADA)
    assert (left.response.id, left.feedback) == ("r2", ())
    assert len(kept.memory.ledger.decisions(ADA)) == 1
    kept.memory.forget(BOB)
    assert b"violin" not in kept.bytes().lower()


def test_a_period_goes_by_either_time(kept: Kept) -> None:
    late = AT + timedelta(days=9)
    kept.memory.remember(
        [*(_said(str(n), f"day {n}", n) for n in range(5)), _said("9", "told late", learned=late)]
    )
    for n in range(5):
        kept.journal.record(_turn(f"r{n}", f"question {n}", n))
    since, until = AT + timedelta(days=1), AT + timedelta(days=3)
    assert kept.forget(since=since, until=until) == Forgotten(evidence=3, turns=3)
    assert [e.id for e in kept.memory.evidence(ADA)] == ["0", "4", "9"]
    assert kept.forget(since=late).evidence == 1
    assert kept.forget(until=AT).evidence == 1
    assert [turn.response.id for turn in kept.journal.read(ADA)] == ["r4"]


def test_what_was_learned_falls_with_the_evidence(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "learned").mkdir()
    (tmp_path / "learned" / "weights").write_bytes(b"w")
    owned = Artifact(id="x", kind="adapter", owner=ADA, base="toy", at=AT)
    kept.artifacts.put(owned, tmp_path / "learned")
    kept.memory.remember([_said("1", "I like soup")])
    assert kept.forget(topic="chess") == Forgotten()
    assert kept.forget(topic="soup") == Forgotten(evidence=1, artifacts=1)


@pytest.mark.parametrize(
    ("topic", "text", "about"),
    [
        ("story", "I like stories", True),
        ("stories", "a story", True),
        ("car", "my career", False),
        ("car", "my car", True),
        ("classical music", "music, classical and old", True),
        ("classical music", "music", False),
        ("straße", "STRASSE", True),
        ("cats", "concatenate", False),
    ],
)
def test_a_topic_is_told_by_its_words(topic: str, text: str, about: bool) -> None:
    assert Part(topic=topic).about(text) == about


@pytest.mark.parametrize("part", [{}, {"topic": "?!"}])
def test_a_part_must_be_named(part: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Part(topic=part.get("topic", ""))


WORDS = ("harbour", "violin", "saffron", "granite")
told = st.lists(
    st.tuples(st.sampled_from(WORDS), st.floats(-1, 1), st.integers(0, 4), st.booleans()),
    max_size=6,
)
parts = st.one_of(
    st.sampled_from(WORDS).map(lambda word: Part(topic=word)),
    st.sets(st.integers(0, 5).map(lambda n: f"id-{n}"), min_size=1).map(
        lambda ids: Part(ids=tuple(sorted(ids)))
    ),
    st.integers(0, 4).map(lambda n: Part(since=AT + timedelta(days=n))),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told, parts)
def test_it_is_as_if_the_part_had_never_been(
    tmp_path_factory: pytest.TempPathFactory,
    told: list[tuple[str, float, int, bool]],
    part: Part,
) -> None:
    said = [
        (
            _said(f"id-{n}", f"on {word} {n}", day, values={f"topic:{word}": v}, source=f"r{n}"),
            _turn(f"r{n}", f"tell of {word} {n}", day) if asked else None,
        )
        for n, (word, v, day, asked) in enumerate(told)
    ]
    knew, never = (Kept(tmp_path_factory.mktemp("part")) for _ in range(2))
    for kept in (knew, never):
        for evidence, turn in said:
            if kept is knew or not part.holds(evidence):
                if turn is not None:
                    kept.journal.record(turn)
                kept.memory.remember([evidence])
    forget_part(knew.memory, knew.journal, knew.artifacts, ADA, part)
    exports = [export_person(kept.memory, kept.journal, ADA) for kept in (knew, never)]
    assert exports[0] == exports[1]
    asked = Context(user=ADA, messages=(Message("user", "on violin"),), at=AT + timedelta(days=9))
    one, other = (kept.memory.recall(asked) for kept in (knew, never))
    assert replace(one, version="") == replace(other, version="")
    knew.close()
    never.close()
    stored = knew.bytes()
    assert not any(e.text.encode() in stored for e, _ in said if part.holds(e))
