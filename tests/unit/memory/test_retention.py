"""Retention: the shorter limit holds, age is counted from when it became known."""

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
from befit.core.feedback import Interaction
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.artifacts import SqliteArtifacts
from befit.memory.consented import ConsentedMemory
from befit.memory.erasure import search_bytes
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import Decision, Held, SqliteLedger
from befit.memory.retention import CLASSES, Kept, Swept, check_limits, limit, limits_of, sweep
from befit.memory.sqlite import SqliteMemory

ADA, BOB = UserId("ada"), UserId("bob")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _said(days: float, *, user: UserId = ADA, kind: str = "stated") -> Evidence:
    return Evidence(
        id=f"{kind}-{days:g}",
        user=user,
        kind=EvidenceKind(kind),
        at=NOW - days * DAY,
        text=f"said {days:g} days ago by {user}",
        values={"length": 0.5},
    )


def _turn(days: float, user: UserId = ADA) -> Interaction:
    made = Response(id=f"r{days:g}", text="t", draft=Draft(text="t", policy="t"), verdicts=())
    asked = Context(user=user, messages=(Message("user", "?"),), at=NOW - days * DAY)
    return Interaction(context=asked, response=made)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    within, ledger = SqliteMemory(tmp_path / "befit.db"), SqliteLedger(path=tmp_path / "rights")
    yield Kept(
        memory=within,
        journal=SqliteJournal(tmp_path / "befit.db"),
        artifacts=SqliteArtifacts(tmp_path / "befit.db"),
        ledger=ledger,
    )
    ledger.close()
    within.close()


def test_what_is_too_old_goes_and_leaves_no_byte(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    made = Artifact(id="a", kind="reward", owner=ADA, base="b", at=NOW)
    kept.artifacts.put(made, tmp_path / "made")
    for user in (ADA, BOB):
        kept.memory.remember([_said(days, user=user) for days in (1, 40, 400)])
        kept.memory.remember([_said(40, user=user, kind="behaviour")])
        for days in (1, 40):
            kept.journal.record(_turn(days, user))
        kept.ledger.hold(
            [Held(replace(_said(days, user=user), origin="tool"), "") for days in (9, 1)]
        )
    limits = {"stated": 100.0, "behaviour": 30.0, "turns": 30.0, "waiting": 7.0}
    done = sweep(kept, [ADA], limits, NOW)
    assert done == Swept(people=1, evidence=2, turns=1, held=1, artifacts=1)
    assert {e.id for e in kept.memory.evidence(ADA)} == {"stated-1", "stated-40"}
    assert [t.response.id for t in kept.journal.read(ADA)] == ["r1"]
    assert [h.evidence.id for h in kept.ledger.held(ADA)] == ["stated-1"]
    assert len(kept.memory.evidence(BOB)) == 4
    assert len(kept.journal.read(BOB)) == len(kept.ledger.held(BOB)) == 2
    assert search_bytes([tmp_path], [b"said 400 days ago by ada", b"said 9 days ago by ada"]) == 0
    assert sweep(kept, [ADA], limits, NOW) == Swept()


def test_age_counts_from_when_it_became_known(kept: Kept) -> None:
    old = replace(_said(900), learned=NOW - DAY)
    kept.memory.remember([old])
    assert sweep(kept, [ADA], {"stated": 30.0}, NOW) == Swept()
    assert sweep(kept, [ADA], {"stated": 30.0}, NOW + 30 * DAY).evidence == 1


def test_a_person_may_want_it_shorter_and_change_their_mind(kept: Kept) -> None:
    kept.memory.remember([_said(10), _said(10, user=BOB)])
    limit(kept.ledger, ADA, "stated", 90, NOW)
    limit(kept.ledger, ADA, "stated", 7, NOW)
    assert limits_of(kept.ledger.decisions(ADA), {"stated": 30.0})["stated"] == pytest.approx(7)
    limit(kept.ledger, ADA, "stated", 0, NOW)
    assert limits_of(kept.ledger.decisions(ADA), {"stated": 30.0}) == {"stated": 30.0}
    limit(kept.ledger, ADA, "stated", 90, NOW)  # a longer one than the deployment's
    assert sweep(kept, [ADA, BOB], {"stated": 30.0}, NOW) == Swept()
    limit(kept.ledger, ADA, "stated", 7, NOW)
    assert sweep(kept, [ADA, BOB], {}, NOW) == Swept(people=1, evidence=1)
    assert kept.memory.evidence(BOB)


def test_a_limit_is_no_stance_on_a_belief(kept: Kept) -> None:
    memory = ConsentedMemory(memory=kept.memory, ledger=kept.ledger)
    memory.remember([_said(1)])
    asked = Context(user=ADA, messages=(), at=NOW)
    before = memory.recall(asked).preferences
    limit(kept.ledger, ADA, "stated", 90, NOW - DAY)
    assert before
    assert memory.recall(asked).preferences == before


days = st.dictionaries(st.sampled_from(CLASSES), st.floats(0.5, 500.0), max_size=4)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days, st.lists(st.tuples(st.sampled_from(list(EvidenceKind)), st.integers(0, 500))))
def test_what_stays_is_what_no_limit_touches(
    tmp_path_factory: pytest.TempPathFactory,
    limits: dict[str, float],
    told: list[tuple[EvidenceKind, int]],
) -> None:
    folder = tmp_path_factory.mktemp("retain")
    within, ledger = SqliteMemory(folder / "m.db"), SqliteLedger(path=folder / "rights")
    given_ = {e.id: e for kind, old in told for e in [_said(old, kind=kind.value)]}
    within.remember(given_.values())
    journal, artifacts = SqliteJournal(folder / "m.db"), SqliteArtifacts(folder / "m.db")
    kept = Kept(memory=within, journal=journal, artifacts=artifacts, ledger=ledger)
    sweep(kept, [ADA], limits, NOW)
    stays = {
        name
        for name, e in given_.items()
        if (NOW - e.at).total_seconds() <= 86_400 * limits.get(e.kind.value, 10_000)
    }
    assert {e.id for e in within.evidence(ADA)} == stays
    within.close()


@pytest.mark.parametrize("limits", [{"statd": 1.0}, {"stated": 0.0}, {"turns": float("nan")}])
def test_a_limit_that_makes_no_sense_is_refused(kept: Kept, limits: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        check_limits(limits)
    assert caught.value.field in limits
    with pytest.raises(InputError):
        sweep(kept, [], limits, NOW)
    with pytest.raises(InputError):
        limit(kept.ledger, ADA, next(iter(limits)), -1.0, NOW)
    assert kept.ledger.decisions(ADA) == ()


def test_a_limit_comes_back_from_the_ledger(kept: Kept) -> None:
    made = limit(kept.ledger, ADA, "turns", 0.5, NOW)
    assert kept.ledger.decisions(ADA) == (made,)
    assert isinstance(made, Decision)
    assert limits_of([made], {}) == {"turns": pytest.approx(0.5)}
