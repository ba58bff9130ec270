"""The ledger keeps decisions in order, across processes, and leaves nothing of who was erased."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from befit.core.errors import CorruptStoreError, InputError, StoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.ledger import Decision, Held, Ledger, SqliteLedger
from befit.memory.sealed import vault_at

ADA, BOB = UserId("ada-the-first"), UserId("bob-the-other")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _decision(n: int, user: UserId = ADA) -> Decision:
    return Decision(user=user, at=AT + timedelta(days=n), verb="pin", subject="length", value=0.5)


def _held(name: str, text: str, user: UserId = ADA) -> Held:
    made = Evidence(id=name, user=user, kind=EvidenceKind.STATED, at=AT, text=text, origin="tool")
    return Held(made, "because")


def test_decisions_come_back_in_order_whoever_reads(tmp_path: Path) -> None:
    one, other = SqliteLedger(path=tmp_path / "r"), SqliteLedger(path=tmp_path / "r")
    assert isinstance(one, Ledger)
    assert one.decisions(ADA) == ()
    assert not (tmp_path / "r").exists()  # reading makes no file
    for n in (3, 1, 2):
        one.decide(_decision(n))
        assert other.decisions(ADA)[-1] == _decision(n)
    assert one.decisions(ADA) == tuple(_decision(n) for n in (3, 1, 2))
    assert one.decisions(BOB) == ()
    other.erase(ADA)
    assert one.decisions(ADA) == ()


def test_what_waits_comes_back_whole_and_once(tmp_path: Path) -> None:
    ledger = SqliteLedger(path=tmp_path / "r")
    ledger.hold([_held("1", "first"), _held("2", "second"), _held("1", "again")])
    ledger.hold([])
    assert ledger.held(ADA) == (_held("1", "first"), _held("2", "second"))
    assert ledger.held(BOB) == ()
    assert ledger.drop_held(BOB, ["1"]) == 0
    assert ledger.drop_held(ADA, ["1", "none"]) == 1
    assert ledger.held(ADA) == (_held("2", "second"),)


def test_nothing_is_left_of_who_was_erased(tmp_path: Path) -> None:
    ledger = SqliteLedger(path=tmp_path / "r")
    for n in range(200):
        ledger.decide(_decision(n, BOB if n % 2 else ADA))
        ledger.hold([_held(str(n), f"canary-{n}-words " * 9, BOB if n % 2 else ADA)])
    assert ledger.erase(ADA) == 200
    found = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert ADA.encode() not in found
    assert not any(f"canary-{n}-words".encode() in found for n in range(0, 200, 2))
    assert b"canary-1-words" in found
    assert len(ledger.decisions(BOB)) == len(ledger.held(BOB)) == 100
    assert ledger.erase(ADA) == 0


def test_what_was_decided_on_a_subject_goes(tmp_path: Path) -> None:
    ledger = SqliteLedger(path=tmp_path / "r")
    ledger.decide(_decision(1))
    ledger.decide(replace(_decision(2), subject="topic:marzipan"))
    assert ledger.drop_decisions(ADA, ["topic:marzipan", "none"]) == 1
    assert ledger.decisions(ADA) == (_decision(1),)
    assert b"marzipan" not in (tmp_path / "r").read_bytes()
    assert SqliteLedger(path=tmp_path / "none").drop_decisions(ADA, ["length"]) == 0


def test_sealed_it_says_nothing_and_is_the_same(tmp_path: Path) -> None:
    vault = vault_at(tmp_path / "keys", "rights")
    ledger = SqliteLedger(path=tmp_path / "r", vault=vault)
    decision = replace(_decision(1), subject="topic:marzipan")
    for each in (decision, _decision(2)):
        ledger.decide(each)
    ledger.hold([_held("1", "marzipan"), _held("2", "soup")])
    again = SqliteLedger(path=tmp_path / "r", vault=vault)
    assert again.decisions(ADA) == (decision, _decision(2))
    assert again.held(ADA) == (_held("1", "marzipan"), _held("2", "soup"))
    assert b"marzipan" not in (tmp_path / "r").read_bytes()
    plain = SqliteLedger(path=tmp_path / "plain")
    plain.decide(decision)
    with pytest.raises(StoreError, match="without encryption"):
        SqliteLedger(path=tmp_path / "plain", vault=vault).decisions(ADA)
    assert ledger.drop_decisions(ADA, ["topic:marzipan"]) == 1
    assert ledger.decisions(ADA) == (_decision(2),)
    assert ledger.erase(ADA) == 3
    assert list(vault.shelf.names()) == []


def test_a_fork_has_its_own_connection(tmp_path: Path) -> None:
    ledger = SqliteLedger(path=tmp_path / "r")
    ledger.decide(_decision(1))
    ledger._open.process = os.getpid() + 1  # as in a child
    ledger.decide(_decision(2))
    assert len(ledger.decisions(ADA)) == 2
    ledger.close()
    assert len(ledger.decisions(ADA)) == 2


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("user", {"user": UserId("")}),
        ("user", {"user": UserId("\ud800")}),
        ("subject", {"subject": ""}),
        ("scope", {"scope": "\ud800"}),
        ("verb", {"verb": "adore"}),
        ("value", {"value": float("nan")}),
        ("at", {"at": datetime(2026, 3, 1)}),  # noqa: DTZ001
    ],
)
def test_a_senseless_decision_is_refused(
    tmp_path: Path, field: str, change: dict[str, object]
) -> None:
    ledger = SqliteLedger(path=tmp_path / "r")
    good: dict[str, object] = {"user": ADA, "at": AT, "verb": "pin", "subject": "length"}
    with pytest.raises(InputError) as caught:
        ledger.decide(Decision(**{**good, **change}))  # type: ignore[arg-type]
    assert caught.value.field == field
    assert ledger.decisions(UserId("\ud800")) == ()


def test_a_damaged_file_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"no database at all " * 100)
    with pytest.raises(CorruptStoreError):
        SqliteLedger(path=tmp_path / "r").decisions(ADA)
