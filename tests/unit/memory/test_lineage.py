"""What was read out of evidence falls with it, and nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.consented import ConsentedMemory
from befit.memory.ledger import SqliteLedger
from befit.memory.lineage import with_derived
from befit.memory.sqlite import SqliteMemory

ANA, NOW = UserId("ana"), datetime(2026, 3, 1, tzinfo=UTC)


def made(name: str, source: str = "") -> Evidence:
    return Evidence(
        id=name,
        user=ANA,
        kind=EvidenceKind.AUTHORED,
        at=NOW,
        values={f"topic:{name}": 0.5},
        source=source,
    )


def test_what_is_derived_is_found_however_far_down_and_round() -> None:
    known = [made("a", "c"), made("b", "a"), made("c", "b"), made("d", "e"), made("f")]
    assert set(with_derived(["a"], known)) == {"a", "b", "c"}
    assert with_derived(["e"], known) == ("e", "d")
    assert with_derived([], known) == ()


def test_forgetting_a_text_leaves_what_would_be_if_it_had_never_been_read(tmp_path: Path) -> None:
    def memory(name: str) -> ConsentedMemory:
        path = tmp_path / name
        ledger = SqliteLedger(path=f"{path}.rights")
        return ConsentedMemory(memory=SqliteMemory(path), ledger=ledger)

    told, never = memory("told.db"), memory("never.db")
    other = made("other")
    told.remember([made("text"), made("read", "text"), made("again", "read"), other])
    never.remember([other])
    assert told.forget(ANA, ["text"]) == 3
    asked = Context(user=ANA, messages=(), at=NOW)
    one, two = told.recall(asked), never.recall(asked)
    assert replace(one, version="") == replace(two, version="")
    assert told.evidence(ANA) == never.evidence(ANA) == [other]
