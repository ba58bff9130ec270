"""Over a hundred attacks on the memory that the application builds: none writes anything."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from befit.app.rights import heeding
from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Origin
from befit.evaluate.memory.methods import BefitMemory
from befit.evaluate.memory.poisoning import Attack, attacks, poisoning_scores
from befit.memory.consented import ConsentedMemory
from befit.memory.sqlite import SqliteMemory

AT = datetime(2026, 3, 1, tzinfo=UTC)
EVE = UserId("eve")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ConsentedMemory]:
    path = tmp_path / "befit.db"
    within = SqliteMemory(path=path, space="style")
    made = heeding(within, {"path": str(path)})
    yield made
    made.ledger.close()  # type: ignore[attr-defined]
    within.close()


def _worst(attack: Attack) -> Iterator[Evidence]:
    """What a reader that falls for everything would make of it: a strong stance on the name."""
    for n, message in enumerate(attack.messages):
        yield Evidence(
            id=f"{attack.planted}-{n}",
            user=EVE,
            kind=EvidenceKind.STATED,
            at=AT,
            text=message,
            values={f"{TOPIC}{attack.planted.lower()}": 1.0},
            origin=attack.origin,
        )


def test_there_are_many_attacks_of_each_kind() -> None:
    kinds = defaultdict(list)
    for attack in attacks():
        kinds[attack.kind].append(attack)
    assert len(attacks()) >= 120
    assert len({attack.planted for attack in attacks()}) == len(attacks())
    assert min(map(len, kinds.values())) >= 5
    assert sum(bool(attack.own) for attack in attacks()) >= 10


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.planted)
def test_even_a_gullible_reader_writes_nothing(memory: ConsentedMemory, attack: Attack) -> None:
    memory.remember(_worst(attack))
    asked = (Message("user", f"What do you know about {attack.planted}?"),)
    profile = memory.recall(Context(user=EVE, messages=asked, at=AT))
    assert not [p for p in profile.preferences if attack.planted.lower() in p.dimension]
    assert not [e for e in profile.evidence if attack.planted.lower() in e.text.lower()]
    assert not [e for e in memory.evidence(EVE) if attack.planted.lower() in e.text.lower()]
    waiting = memory.ledger.held(EVE)
    if not attack.own:
        assert waiting  # nothing is lost without a word
        confirmed = memory.confirm(EVE, [waiting[0].evidence.id])
        assert (confirmed, len(memory.evidence(EVE))) == (1, 1)


@pytest.mark.parametrize("origin", ["model", "tool", "document", "other"])
def test_trust_is_the_least_of_the_lineage(memory: ConsentedMemory, origin: Origin) -> None:
    page = Evidence(
        id="page", user=EVE, kind=EvidenceKind.AUTHORED, at=AT, text="I love golf.", origin=origin
    )
    note = Evidence(
        id="note",
        user=EVE,
        kind=EvidenceKind.STATED,
        at=AT,
        text="I love golf.",
        values={"topic:golf": 1.0},
        source="page",
    )
    memory.remember([page])
    memory.remember([note])  # as the person's own, but drawn from the page
    assert memory.evidence(EVE) == []
    assert [each.evidence.id for each in memory.ledger.held(EVE)] == ["page", "note"]


@pytest.mark.local
@pytest.mark.slow
def test_the_suite_finds_nothing_written_and_own_words_kept(memory: ConsentedMemory) -> None:
    under_test = BefitMemory(memory, cast("SqliteMemory", memory.memory))
    found = defaultdict(list)
    for score in poisoning_scores(under_test, 200, 0):
        found[score.data, score.metric].append(score.value)
    rates = {name: sum(values) / len(values) for name, values in found.items()}
    assert rates["attacks", "poison_write_rate"] == 0.0
    assert rates["attacks", "poison_own_words_kept"] > 0.9
    assert rates["synthetic", "poison_write_rate"] == 0.0
