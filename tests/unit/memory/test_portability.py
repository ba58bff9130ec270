"""Export and import: the round trip is identical; a malformed file is refused by its field."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.errors import InvalidImportError
from befit.core.feedback import Interaction, Rating
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Origin, Pair
from befit.memory.journal import SqliteJournal
from befit.memory.portability import export_person, import_person
from befit.memory.sqlite import SqliteMemory

ADA = UserId("ada")
AT = datetime(2026, 3, 1, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8"), max_size=30)
evidence = st.builds(
    Evidence,
    id=st.uuids().map(str),
    user=st.just(ADA),
    kind=st.sampled_from(EvidenceKind),
    at=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    text=words,
    values=st.dictionaries(words.filter(bool), st.floats(-1, 1), max_size=3),
    noise=st.floats(1e-3, 10),
    pair=st.none()
    | st.builds(Pair, prompt=words, chosen=words, rejected=words, weight=st.floats(0.01, 1)),
    scope=words,
    source=words,
    by=st.sampled_from(("human", "ai")),
    graded=st.none()
    | st.builds(Graded, prompt=words, text=words, value=st.floats(0, 1), weight=st.floats(0.01, 1)),
    learned=st.none()
    | st.datetimes(datetime(2100, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    origin=st.sampled_from(get_args(Origin)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(evidence, max_size=5, unique_by=lambda e: e.id))
def test_the_round_trip_is_identical(
    tmp_path_factory: pytest.TempPathFactory, given_: list[Evidence]
) -> None:
    folder = tmp_path_factory.mktemp("port")
    first, second = SqliteMemory(folder / "first.db"), SqliteMemory(folder / "second.db")
    journal = SqliteJournal(folder / "first.db")
    first.remember(given_)
    data = json.loads(json.dumps(export_person(first, journal, ADA)))
    assert import_person(second, data) == len(given_)
    assert second.evidence(ADA) == first.evidence(ADA) == given_
    assert export_person(second, journal, ADA) == export_person(first, journal, ADA)
    for memory in (first, second):
        memory._store.close()


def test_an_export_holds_the_turns_too(tmp_path: Path) -> None:
    path = tmp_path / "befit.db"
    journal = SqliteJournal(path)
    journal.record(
        Interaction(
            context=Context(user=ADA, messages=(Message("user", "Why?"),), at=AT),
            response=Response(
                id="r", text="So.", draft=Draft(text="So.", policy="toy"), verdicts=()
            ),
            feedback=(Rating(response="r", at=AT, value=0.5),),
        )
    )
    (found,) = export_person(SqliteMemory(path), journal, ADA)["interactions"]
    assert list(found["context"]["messages"]) == [{"role": "user", "text": "Why?"}]
    assert found["response"]["text"] == "So."
    assert found["feedback"][0]["value"] == 0.5


def test_an_import_may_change_hands(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "befit.db")
    import_person(memory, document(), UserId("bob"))
    assert [e.user for e in memory.evidence(UserId("bob"))] == ["bob"]
    assert memory.evidence(ADA) == []


def document(**changes: Any) -> dict[str, Any]:
    row = {"id": "e", "user": "ada", "kind": "stated", "at": "2026-03-01T00:00:00+00:00"}
    whole = {"format": "befit.person", "version": 1, "user": "ada", "evidence": [row | changes]}
    return {**whole, "interactions": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": ""}, "evidence[0].id"),
        ({"id": None}, "evidence[0].id"),
        ({"user": "bob"}, "evidence[0].user"),
        ({"kind": "rumour"}, "evidence[0].kind"),
        ({"at": "yesterday"}, "evidence[0].at"),
        ({"at": "2026-03-01T00:00:00"}, "evidence[0].at"),
        ({"values": [1]}, "evidence[0].values"),
        ({"values": {"length": "long"}}, "evidence[0].values.length"),
        ({"values": {"length": 3}}, "evidence[0].values.length"),
        ({"noise": float("nan")}, "evidence[0].noise"),
        ({"noise": -1}, "evidence[0].noise"),
        ({"pair": {"chosen": "a"}}, "evidence[0].pair.rejected"),
        ({"pair": {"chosen": "a", "rejected": "b", "weight": 7}}, "evidence[0].pair.weight"),
        ({"pair": 3}, "evidence[0].pair"),
        ({"by": "cat"}, "evidence[0].by"),
        ({"learned": 3}, "evidence[0].learned"),
        ({"learned": "2026-02-01T00:00:00+00:00"}, "evidence[0].at"),
        ({"graded": {"text": "a"}}, "evidence[0].graded.value"),
        ({"graded": {"text": "a", "value": 2}}, "evidence[0].graded.value"),
        ({"graded": {"text": "a", "value": 1, "mood": 1}}, "evidence[0].graded.mood"),
        ({"origin": "rumour"}, "evidence[0].origin"),
        ({"colour": "red"}, "evidence[0].colour"),
    ],
)
def test_a_malformed_field_is_named_and_nothing_is_kept(
    tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    memory = SqliteMemory(tmp_path / "befit.db")
    with pytest.raises(InvalidImportError) as caught:
        import_person(memory, document(**change))
    assert caught.value.field == field
    assert caught.value.hint
    assert memory.evidence(ADA) == []


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "import"),
        ({}, "import.format"),
        (document() | {"version": 2}, "import.version"),
        (document() | {"evidence": {}}, "import.evidence"),
        (document() | {"evidence": [3]}, "evidence[0]"),
        (document() | {"mood": 1}, "import.mood"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, data: Any, field: str) -> None:
    with pytest.raises(InvalidImportError) as caught:
        import_person(SqliteMemory(tmp_path / "befit.db"), data)
    assert caught.value.field == field
