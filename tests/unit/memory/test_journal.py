"""The journal: lossless, each person's own, reactions in order, erased with proof."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Draft, Message, Response, Verdict
from befit.core.errors import UnknownResponseError
from befit.core.feedback import Behaviour, Choice, Comment, Edit, Feedback, Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.erasure import search_bytes
from befit.memory.journal import SqliteJournal
from befit.memory.sealed import SealedJournal
from befit.memory.sqlite import SqliteMemory
from befit.testing import check_options

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB = UserId("ada"), UserId("bob")
texts = st.text(max_size=40) | st.just("\ud800 lone")
finishes = st.sampled_from(("stop", "length", "content_filter"))
maybe = st.none() | st.floats(0, 1)
verdicts = st.builds(
    Verdict, guard=texts, allowed=st.booleans(), reason=texts, score=maybe, threshold=maybe
)
drafts = st.builds(Draft, text=texts, policy=texts, finish=finishes)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
interactions = st.builds(
    Interaction,
    context=st.builds(
        Context,
        user=st.just(ADA),
        messages=st.lists(
            st.builds(Message, st.sampled_from(("system", "user", "assistant")), texts), max_size=3
        ).map(tuple),
        at=times,
        scope=texts,
        incognito=st.just(False),
        seed=st.integers(0, 2**40),
    ),
    response=st.builds(
        Response,
        id=st.uuids().map(str),
        text=texts,
        draft=drafts,
        verdicts=st.lists(verdicts, max_size=2).map(tuple),
        finish=finishes,
        beliefs=st.lists(texts, max_size=3).map(tuple),
    ),
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> SqliteJournal:
    return SqliteJournal(tmp_path_factory.mktemp("journal") / "befit.db")


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "befit.db")


def turn(name: str, user: UserId = ADA, text: str = "an answer") -> Interaction:
    return Interaction(
        context=Context(user=user, messages=(Message("user", "a question"),), at=AT),
        response=Response(id=name, text=text, draft=Draft(text=text, policy="toy"), verdicts=()),
    )


@settings(max_examples=40, deadline=None)
@given(interactions)
def test_a_turn_comes_back_as_it_went_in(shelf: SqliteJournal, interaction: Interaction) -> None:
    shelf.erase(ADA)
    shelf.record(interaction)
    assert shelf.read(ADA) == [interaction]


def test_options() -> None:
    check_options(SqliteJournal("x.db"))


REACTIONS: list[Feedback] = [
    Rating(response="r1", at=AT, value=0.25),
    Choice(response="r1", at=AT, over="r2"),
    Edit(response="r1", at=AT, text="better", by="ai"),
    Comment(response="r1", at=AT, text='too "long"'),
    Behaviour(response="r1", at=AT, name="dwell_seconds", value=12.5),
]


def test_reactions_stand_in_order_with_the_response_chosen_over(journal: SqliteJournal) -> None:
    journal.record(turn("r1"))
    journal.record(turn("r2", text="the other"))
    turns = [journal.react(ADA, reaction) for reaction in REACTIONS]
    for count, found in enumerate(turns, start=1):
        assert found.feedback == tuple(REACTIONS[:count])
    found = turns[-1]
    assert found.compared == (turn("r2", text="the other").response,)
    assert list(journal.read(ADA)) == [found, turn("r2", text="the other")]
    assert list(journal.read()) == list(journal.read(ADA))


def test_a_turn_recorded_with_its_reactions_keeps_them_and_is_recorded_once(
    journal: SqliteJournal,
) -> None:
    full = replace(turn("r1"), feedback=(REACTIONS[0], REACTIONS[3]))
    journal.record(full)
    journal.record(full)
    assert list(journal.read(ADA)) == [full]


@pytest.mark.parametrize(
    ("reaction", "field"),
    [
        (Rating(response="nothing", at=AT, value=1.0), "response"),
        (Rating(response="of-bob", at=AT, value=1.0), "response"),
        (Rating(response="\ud800", at=AT, value=1.0), "response"),
        (Choice(response="r1", at=AT, over="of-bob"), "over"),
    ],
)
def test_a_response_that_is_not_theirs_is_unknown(
    journal: SqliteJournal, reaction: Feedback, field: str
) -> None:
    journal.record(turn("r1"))
    journal.record(turn("of-bob", BOB))
    with pytest.raises(UnknownResponseError) as caught:
        journal.react(ADA, reaction)
    assert caught.value.field == field
    assert all(not each.feedback for each in journal.read())


def test_an_incognito_turn_is_not_kept(journal: SqliteJournal) -> None:
    hidden = turn("r1")
    journal.record(replace(hidden, context=replace(hidden.context, incognito=True)))
    assert journal.read() == []


def test_two_people_may_have_the_same_response_id(journal: SqliteJournal) -> None:
    journal.record(turn("r1"))
    journal.record(turn("r1", BOB))
    journal.react(BOB, Rating(response="r1", at=AT, value=0.0))
    assert [len(each.feedback) for each in journal.read(ADA)] == [0]
    assert [len(each.feedback) for each in journal.read(BOB)] == [1]


def test_erasing_leaves_no_byte_and_nobody_else_out(journal: SqliteJournal) -> None:
    folder = Path(journal.path).parent
    memory = SqliteMemory(journal.path)
    for number in range(30):
        journal.record(turn(f"a{number}", text=f"ada's answer {number} " + "x" * 50 * number))
        journal.record(turn(f"b{number}", BOB, text=f"bob's answer {number} " + "x" * 70 * number))
        journal.react(ADA, Comment(response=f"a{number}", at=AT, text=f"ada's comment {number}"))
    memory.remember(
        [Evidence(id="e", user=ADA, kind=EvidenceKind.STATED, at=AT, text="ada's statement")]
    )
    bobs = journal.read(BOB)
    assert search_bytes([folder], [b"ada's"]) >= 61
    assert memory.forget(ADA) == 1
    assert search_bytes([folder], [b"ada's statement"]) == 0
    assert journal.erase(ADA) == 30
    assert search_bytes([folder], [b"ada's"]) == 0
    assert journal.read(ADA) == []
    assert journal.read(BOB) == bobs
    assert journal.erase(ADA) == 0


def _history(keep: set[str]) -> list[Interaction]:
    """Three turns, each chosen over the next and commented on; without those that never were."""
    names = [f"r{n}" for n in range(4)]
    made = []
    for name, after in zip(names, [*names[1:], ""], strict=True):
        said: list[Feedback] = [Comment(response=name, at=AT, text=f"note on {name}")]
        if after in keep:
            said = [Choice(response=name, at=AT, over=after), *said]
        if name in keep:
            made.append(replace(turn(name, text=f"words of {name}"), feedback=tuple(said)))
    return made


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("gone", [["r1"], ["r0", "r3"], ["r2", "none", "\ud800"], []])
def test_what_is_erased_in_part_was_never_there(
    tmp_path: Path, gone: list[str], *, sealed: bool
) -> None:
    kind = SealedJournal if sealed else SqliteJournal
    knew, never = kind(path=tmp_path / "knew.db"), kind(path=tmp_path / "never.db")
    names = {"r0", "r1", "r2", "r3"}
    for each in _history(names):
        knew.record(each)
        knew.record(replace(turn(each.response.id, BOB), feedback=()))
    for each in _history(names - set(gone)):
        never.record(each)
    bobs = knew.read(BOB)
    assert knew.erase(ADA, gone) == len(names & set(gone))
    assert knew.read(ADA) == never.read(ADA)
    assert knew.read(BOB) == bobs
    lost = [f"{what} {name}".encode() for name in names & set(gone) for what in ("on", "of")]
    assert not lost or search_bytes([tmp_path / "knew.db", tmp_path / "knew.db-wal"], lost) == 0


def test_whose_last_turn_is_erased_is_nobody(journal: SqliteJournal) -> None:
    journal.record(turn("r1"))
    assert journal.erase(ADA, ["r1"]) == 1
    assert SqliteMemory(journal.path).people() == []
    assert journal.erase(ADA, ["r1"]) == 0
