"""PostgreSQL on a real server: the same promises as in SQLite, kept by many gateways at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.app.build import Workshop
from befit.app.settings import Settings
from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import InputError, StoreError, UnknownResponseError
from befit.core.feedback import Choice, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Pair
from befit.testing import check_artifact_store, check_journal, check_memory, check_options

psycopg = pytest.importorskip("psycopg")
from befit.memory.postgres import PostgresJournal, PostgresMemory  # noqa: E402
from befit.memory.postgres_server import (  # noqa: E402
    Connection,
    hold,
    open_server,
    shield,
    unshield,
)
from befit.memory.postgres_shelf import PostgresArtifacts  # noqa: E402
from befit.memory.sqlite import SqliteMemory  # noqa: E402

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")


def said(text: str, *, user: UserId = ADA, value: float = -0.5, key: str = "") -> Evidence:
    return Evidence(
        id=key or f"{user}-{text}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT,
        text=text,
        values={"length": value},
    )


def ask(prompt: str = "", user: UserId = ADA) -> Context:
    return Context(user=user, messages=(Message("user", prompt),), at=AT + timedelta(days=1))


def turn(user: UserId, response: str) -> Interaction:
    made = Response(id=response, text="t", draft=Draft(text="t", policy="toy"), verdicts=())
    return Interaction(
        context=Context(user=user, messages=(Message("user", "?"),), at=AT), response=made
    )


@pytest.fixture
def memory(dsn: str, tenant: str) -> Iterator[PostgresMemory]:
    made = PostgresMemory(dsn, tenant)
    yield made
    made.close()


def test_conforms(memory: PostgresMemory, tmp_path: Path) -> None:
    check_memory(memory)
    check_options(memory)
    check_journal(PostgresJournal(memory.dsn, memory.tenant))
    (tmp_path / "made").mkdir()
    shelf = PostgresArtifacts(memory.dsn, memory.tenant, files=tmp_path / "shelf")
    check_artifact_store(shelf, tmp_path / "made")


def test_the_settings_of_the_docs_put_journal_and_artifacts_beside(
    dsn: str, tenant: str, tmp_path: Path
) -> None:
    table = {"use": "postgres", "dsn": dsn, "tenant": tenant, "files": str(tmp_path / "files")}
    made = Workshop(Settings(memory=table))
    journal, artifacts = made.journal, made.artifacts
    assert isinstance(journal, PostgresJournal)
    assert (journal.dsn, journal.tenant) == (dsn, tenant)
    assert isinstance(artifacts, PostgresArtifacts)
    assert artifacts.shelf == tmp_path / "files"
    assert isinstance(made.build("memory", table, "memory"), PostgresMemory)


def test_what_was_said_is_kept_as_it_was(memory: PostgresMemory) -> None:
    whole = replace(
        said("odd \0 \x1a \x1aN \\ text é \U0001f600", key="i\0d"),
        kind=EvidenceKind.BEHAVIOUR,
        at=AT.replace(microsecond=123457),
        noise=0.123456789,
        pair=Pair(prompt="p\0", chosen="c", rejected="r", weight=0.3),
        graded=Graded(prompt="p", text="t\x1a", value=0.1),
        learned=AT.replace(microsecond=123458),
        origin="other",
        scope="work\0",
        source="r1",
        by="ai",
    )
    memory.remember([whole, said("b"), said("c")])
    assert memory.evidence(ADA) == [whole, said("b"), said("c")]
    memory.close()
    assert memory.evidence(ADA) == [whole, said("b"), said("c")]


@given(st.text(st.sampled_from("\0\x1aSNa")))
def test_a_shielded_text_has_no_nul_and_comes_back(text: str) -> None:
    assert "\0" not in shield(text)
    assert unshield(shield(text)) == text


def test_beliefs_are_those_of_sqlite(memory: PostgresMemory, tmp_path: Path) -> None:
    other = SqliteMemory(tmp_path / "befit.db")
    for number in range(12):
        pieces = [said(f"tea number {number}", value=0.1 * number - 0.5)]
        for each in (memory, other):
            each.remember(pieces)
            each.recall(ask("tea"))
    left, right = memory.recall(ask("tea")), other.recall(ask("tea"))
    assert (left.preferences, left.evidence) == (right.preferences, right.evidence)


def test_the_same_evidence_again_counts_once(memory: PostgresMemory) -> None:
    memory.remember([said("a")] * 2)
    before = memory.recall(ask())
    memory.remember([said("a")])
    assert memory.recall(ask()) == before
    assert memory.evidence(ADA) == [said("a")]


def test_caches_of_other_gateways_see_writes_and_deletions(memory: PostgresMemory) -> None:
    there = PostgresMemory(memory.dsn, memory.tenant, connections=2)
    memory.remember([said("a")])
    assert [e.text for e in there.evidence(ADA)] == ["a"]
    memory.remember([said("b")])
    assert [e.text for e in there.evidence(ADA)] == ["a", "b"]
    assert memory.forget(ADA, ["ada-a"]) == 1
    assert [e.text for e in there.evidence(ADA)] == ["b"]
    assert memory.forget(ADA) == 1
    assert there.evidence(ADA) == []
    assert memory.people() == []
    there.close()


def test_all_of_it_or_none(memory: PostgresMemory) -> None:
    too_long = UserId("".join(map(chr, range(0x4E00, 0x6E00))))  # for any index
    with pytest.raises(StoreError):
        memory.remember([said("a"), said("b", user=too_long)])
    assert memory.evidence(ADA) == []
    with pytest.raises(InputError):
        memory.remember([said("a"), said("b", value=7.0)])
    assert memory.evidence(ADA) == []


def test_many_gateways_write_at_once_and_lose_nothing(memory: PostgresMemory) -> None:
    there = PostgresMemory(memory.dsn, memory.tenant, connections=3)
    users = [UserId(f"u{n}") for n in range(5)]

    def write(number: int) -> None:
        here = (memory, there)[number % 2]
        mine = [said(f"{number}", user=user) for user in users]
        here.remember(mine if number % 3 else mine[::-1])
        here.recall(ask("x", users[number % 5]))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(120)))
    for each in (memory, there):
        for user in users:
            assert sorted(int(e.text) for e in each.evidence(user)) == list(range(120))
    there.close()


def test_rows_come_in_the_order_in_which_they_were_committed(memory: PostgresMemory) -> None:
    """A cache that loads what is newer than its last row misses none that came to be late."""
    there = PostgresMemory(memory.dsn, memory.tenant, connections=2)
    stop = threading.Event()
    seen: list[int] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(len(there.evidence(ADA)))

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (memory, there)[n % 2].remember([said(f"{n}")]), range(200)))
    stop.set()
    reader.join()
    assert len(there.evidence(ADA)) == 200
    assert seen == sorted(seen)
    there.close()


def test_who_writes_for_a_person_waits_for_who_began_before(memory: PostgresMemory) -> None:
    there = PostgresMemory(memory.dsn, memory.tenant, connections=2)
    began, go = threading.Event(), threading.Event()

    def work(connection: Connection) -> bool:
        hold(connection, memory.tenant, ADA)
        connection.execute("SELECT 1").fetchone()
        began.set()
        return go.wait(20)

    server = open_server(memory.dsn, memory.connections)
    first = server.submit(work, order=ADA)
    assert began.wait(20)
    there.submit([said("b", user=BOB)]).result(20)  # another person's does not
    second = there.submit([said("a")])
    with pytest.raises(TimeoutError):
        second.result(0.3)
    go.set()
    assert first.result(20)
    second.result(20)
    there.close()


def test_turns_and_reactions(memory: PostgresMemory) -> None:
    journal = PostgresJournal(memory.dsn, memory.tenant)
    journal.record(turn(ADA, "r1"))
    journal.record(turn(ADA, "r\0"))
    journal.record(turn(BOB, "r3"))
    journal.record(replace(turn(ADA, "r1"), feedback=(Rating(response="r1", at=AT, value=0.1),)))
    chosen = journal.react(ADA, Choice(response="r1", at=AT, over="r\0"))
    assert [each.id for each in chosen.compared] == ["r\0"]
    assert [each.response.id for each in journal.read(ADA)] == ["r1", "r\0"]
    assert [each.context.user for each in journal.read()] == [ADA, ADA, BOB]
    for user, response in ((BOB, "r1"), (ADA, "r9"), (UserId("eve"), "r1")):
        with pytest.raises(UnknownResponseError):
            journal.react(user, Rating(response=response, at=AT, value=0.5))
    assert memory.forget(ADA) == 0
    assert memory.people() == [ADA, BOB]
    assert journal.erase(ADA) == 2
    assert memory.people() == [BOB]


def test_turns_erased_in_part_were_never_there(memory: PostgresMemory) -> None:
    journal = PostgresJournal(memory.dsn, memory.tenant)
    never = PostgresJournal(memory.dsn, f"{memory.tenant}-never")
    for name in ("r1", "r2", "r\0"):
        journal.record(turn(ADA, name))
    journal.record(turn(BOB, "r1"))
    rated = Rating(response="r2", at=AT, value=0.5)
    chosen = Choice(response="r2", at=AT, over="r1")
    for each in (rated, chosen, replace(chosen, over="r\0")):
        journal.react(ADA, each)
    assert journal.erase(ADA, ["r1", "none"]) == 1
    for name in ("r2", "r\0"):
        never.record(turn(ADA, name))
    for each in (rated, replace(chosen, over="r\0")):
        never.react(ADA, each)
    assert journal.read(ADA) == never.read(ADA)
    assert len(journal.read(BOB)) == 1
    assert journal.erase(ADA, ["r2", "r\0"]) == 2
    assert journal.erase(ADA) == 0
    assert memory.people() == [BOB]


def test_one_failure_harms_no_other(memory: PostgresMemory) -> None:
    journal = PostgresJournal(memory.dsn, memory.tenant)
    wrong = Rating(response="r9", at=AT, value=0.5)
    outcomes = []

    def react(number: int) -> None:
        try:
            journal.react(ADA, wrong)
        except UnknownResponseError:
            outcomes.append(number)

    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            pool.submit(react, number)
            pool.submit(memory.remember, [said(f"{number}")])
    assert len(outcomes) == 40
    assert len(memory.evidence(ADA)) == 40
