"""Copying a store: everything arrives, both ways, and exports are the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from befit.app import cli_store
from befit.core.artifact import Artifact
from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import InputError, StoreError
from befit.core.feedback import Choice, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.copy import Copied, Place, copy_store
from befit.memory.erasure import search_bytes
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import Decision, Held
from befit.memory.portability import export_person
from befit.memory.sealed import SealedJournal, SealedMemory
from befit.memory.sqlite import SqliteMemory

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [UserId(name) for name in ("ada", "bob", "odd \0 \x1a é")]
_numbers = count()


class Letters:
    """An encoder that knows letters, and counts what it was asked."""

    name = "letters"
    width = 26

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, texts: Any) -> list[list[float]]:
        self.asked += len(texts)
        return [[1.0 if chr(97 + i) == text[:1] else 0.0 for i in range(26)] for text in texts]


COPIED = Copied(people=3, evidence=21, turns=6, artifacts=3, decisions=3, held=3)


def quiet(what: str, done: int, of: int) -> None:
    """No bar."""


def sqlite(path: Path, shards: int = 1, encoder: Letters | None = None) -> Place:
    memory = SqliteMemory(path, shards=shards, encoder=encoder)
    return Place(
        memory=memory,
        journal=SqliteJournal(path, shards=shards),
        artifacts=SqliteArtifacts(path),
        ledger=memory.ledger(),
    )


def sealed(path: Path) -> Place:
    memory = SealedMemory(path)
    journal, artifacts = SealedJournal(path), SqliteArtifacts(path)
    return Place(memory=memory, journal=journal, artifacts=artifacts, ledger=memory.ledger())


def postgres(dsn: str, tenant: str, files: Path, keys: Path | None = None) -> Place:
    from befit.memory.postgres import PostgresJournal, PostgresMemory  # noqa: PLC0415
    from befit.memory.postgres_sealed import (  # noqa: PLC0415
        SealedPostgresJournal,
        SealedPostgresMemory,
    )
    from befit.memory.postgres_shelf import PostgresArtifacts  # noqa: PLC0415

    memory, journal = PostgresMemory(dsn, tenant), PostgresJournal(dsn, tenant)
    if keys is not None:
        memory = SealedPostgresMemory(dsn, tenant, keys=keys)
        journal = SealedPostgresJournal(dsn, tenant, keys=keys)
    artifacts = PostgresArtifacts(dsn, tenant, files=files)
    return Place(memory=memory, journal=journal, artifacts=artifacts, ledger=memory.ledger())


def turn(user: UserId, response: str) -> Interaction:
    made = Response(id=response, text="t", draft=Draft(text="t", policy="toy"), verdicts=())
    context = Context(user=user, messages=(Message("user", "a\0b"),), at=AT)
    rating = Rating(response=response, at=AT, value=0.25)
    return Interaction(context=context, response=made, feedback=(rating,))


def fill(place: Place, folder: Path) -> None:
    for user in PEOPLE:
        for number in range(7):
            place.memory.remember(
                [
                    Evidence(
                        id=f"{9 - number}\0",
                        user=user,
                        kind=EvidenceKind.BEHAVIOUR,
                        at=AT - timedelta(days=number % 3, microseconds=number),
                        text="" if number == 5 else f"tea \0 {number}",
                        values={"length": 0.1 * number, "topic:tea": -1.0},
                        noise=0.1 + number / 7,
                        pair=Pair(prompt="", chosen="a", rejected="b") if number == 3 else None,
                        graded=Graded(prompt="", text="a", value=0.1) if number == 4 else None,
                        learned=AT if number % 2 else None,
                        origin="person" if number else "tool",
                        scope="work",
                    )
                ]
            )
        for response in ("r2", "r1"):
            place.journal.record(turn(user, response))
        place.journal.react(user, Choice(response="r1", at=AT, over="r2"))
    for user, number in ((PEOPLE[0], 1), (UserId("who allowed nothing"), 2), (PEOPLE[0], 0)):
        at = AT + timedelta(days=number)
        place.ledger.decide(
            Decision(user=user, at=at, verb="consent", subject="stated:personalize", value=0.0)
        )
        waits = Evidence(
            id=f"w{number}",
            user=user,
            kind=EvidenceKind.STATED,
            at=at,
            text="tea \0",
            origin="tool",
        )
        place.ledger.hold([Held(waits, "not their own")])
    for name, owner in (("one", None), ("two", None), ("three", PEOPLE[0])):
        (folder / name).mkdir(parents=True)
        (folder / name / "weights").write_text(name)
        place.artifacts.put(
            Artifact(id=name, kind="reward", owner=owner, base="b", at=AT), folder / name
        )
    for name in ("one", "two", "three", "one", "two"):
        place.artifacts.promote(name)
    place.artifacts.rollback(None, "reward")


def exports(place: Place) -> list[str]:
    people = place.memory.people()
    return [json.dumps(export_person(place.memory, place.journal, user)) for user in people]


def decided(place: Place) -> list[object]:
    people = place.ledger.people()
    return [(user, place.ledger.decisions(user), place.ledger.held(user)) for user in people]


def shelf(place: Place) -> list[object]:
    found = place.artifacts.pointers.all()
    files = [(place.artifacts.folder(each.id) / "weights").read_text() for each in found]
    return [found, files, place.artifacts.pointers.promotions()]


@pytest.fixture
def there(dsn: str, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []

    def place(*, keys: Path | None = None) -> Place:
        made.append(postgres(dsn, f"t{next(_numbers)}", tmp_path / f"files{len(made)}", keys))
        return made[-1]

    yield place
    for each in made:
        each.memory.close()


def test_both_ways_without_loss(there: Callable[..., Place], tmp_path: Path) -> None:
    letters = Letters()
    first = sqlite(tmp_path / "first.db", encoder=letters)
    fill(first, tmp_path / "made")
    stations = [
        first,
        there(),
        sqlite(tmp_path / "second.db", 3),
        there(keys=tmp_path / "keys"),
        sealed(tmp_path / "sealed.db"),
        there(),
        sealed(tmp_path / "again.db"),
        sqlite(tmp_path / "last.db", encoder=letters),
    ]
    asked = letters.asked
    for source, target in pairwise(stations):
        done = copy_store(source, target, quiet)
        assert done == COPIED
        assert decided(target) == decided(first)
        assert exports(target) == exports(first)
        assert shelf(target) == shelf(first)
    assert letters.asked == asked  # what was derived has come along
    recalled = Context(user=PEOPLE[0], messages=(Message("user", "tea"),), at=AT, scope="work")
    left, right = (place.memory.recall(recalled) for place in (first, stations[-1]))
    assert (left.preferences, left.evidence) == (right.preferences, right.evidence)
    assert left.evidence


def test_a_copy_that_was_cut_short_is_taken_up_again(tmp_path: Path) -> None:
    first, second = sqlite(tmp_path / "a.db"), sqlite(tmp_path / "b.db", 2)
    fill(first, tmp_path / "made")
    second.memory.remember(first.memory.evidence(PEOPLE[0])[:3])
    second.journal.record(first.journal.read(PEOPLE[1])[0])
    for _ in range(2):
        copy_store(first, second, quiet)
        assert exports(second) == exports(first)
        assert decided(second) == decided(first)
        assert shelf(second) == shelf(first)


def test_what_differs_is_told_and_not_overwritten(tmp_path: Path) -> None:
    first, second = sqlite(tmp_path / "a.db"), sqlite(tmp_path / "b.db")
    fill(first, tmp_path / "made")
    second.journal.record(turn(PEOPLE[0], "r1"))
    with pytest.raises(StoreError, match="r1") as caught:
        copy_store(first, second, quiet)
    assert "copy again" in caught.value.hint
    assert second.journal.read(PEOPLE[0])[0].feedback == turn(PEOPLE[0], "r1").feedback


# ---- the command -----------------------------------------------------------------------------


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    cli_store.register(made)
    return made


def test_the_command_copies(dsn: str, app: typer.Typer, tmp_path: Path) -> None:
    first = sqlite(tmp_path / "first.db")
    fill(first, tmp_path / "made")
    server = f"{dsn}#tenant=cli&files={tmp_path / 'files'}"
    for source, target in (
        (str(tmp_path / "first.db"), server),
        (server, f"{tmp_path / 'last.db'}#shards=2"),
    ):
        ran = CliRunner().invoke(app, ["store", "copy", source, target, "--json"])
        assert ran.exit_code == 0, ran.output
        found = json.loads(ran.stdout)
        assert found == asdict(COPIED)
    last = sqlite(tmp_path / "last.db", 2)
    assert exports(last) == exports(first)
    assert decided(last) == decided(first)


def test_the_command_encrypts_and_opens(app: typer.Typer, tmp_path: Path) -> None:
    first, folder = sqlite(tmp_path / "first.db"), tmp_path / "there"
    fill(first, tmp_path / "made")
    closed = f"{folder / 'sealed.db'}#keys={folder / 'keys'}"
    folder.mkdir()
    for source, target in (("first.db", closed), (closed, "last.db"), (closed, "last.db")):
        names = [each if "#" in each else str(tmp_path / each) for each in (source, target)]
        ran = CliRunner().invoke(app, ["store", "copy", *names])
        assert ran.exit_code == 0, ran.output
        assert "3 decisions and 3 that wait" in ran.stdout
    assert search_bytes([folder / "sealed.db", folder / "sealed.db.rights"], [b"topic:tea"]) == 0
    last = sqlite(tmp_path / "last.db")
    assert exports(last) == exports(first)
    assert decided(last) == decided(first)


@pytest.mark.parametrize(
    ("source", "target", "field"),
    [
        ("none.db", "b.db", "source"),
        ("a.db", "a.db", "target"),
        ("a.db", "b.db#shards=x", "target"),
        ("a.db", "b.db#shard=2", "target"),
        ("a.db#keys=none", "b.db", "source"),
        ("a.db", "b.db#keys=", "target"),
        ("a.db", "postgresql://127.0.0.1:9/x#tennant=t", "target"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(
    app: typer.Typer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    target: str,
    field: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    SqliteMemory("a.db").evidence(PEOPLE[0])
    ran = CliRunner().invoke(app, ["store", "copy", source, target])
    assert isinstance(ran.exception, InputError)
    assert ran.exception.field == field
    assert ran.exception.hint
