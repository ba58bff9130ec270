"""Learning reads only whom it may; a person reads all that is theirs."""

from datetime import UTC, datetime
from pathlib import Path

from befit.core.dialogue import Context, Draft, Message, Response
from befit.core.feedback import Comment, Interaction
from befit.core.people import UserId
from befit.core.protocols import Journal, Submits
from befit.memory.consented_journal import ConsentedJournal
from befit.memory.journal import SqliteJournal
from befit.memory.ledger import Decision, SqliteLedger

ADA, BOB = UserId("ada"), UserId("bob")
AT = datetime(2026, 3, 1, tzinfo=UTC)


def _turn(name: str, user: UserId, prompt: str = "Dinner?") -> Interaction:
    asked = Context(user=user, messages=(Message("user", prompt),), at=AT)
    draft = Draft(text="Soup.", policy="toy")
    return Interaction(
        context=asked, response=Response(id=name, text="Soup.", draft=draft, verdicts=())
    )


def _ids(turns: object) -> list[str]:
    assert isinstance(turns, list)
    return [turn.response.id for turn in turns]


def test_learning_reads_whom_it_may(tmp_path: Path) -> None:
    ledger = SqliteLedger(path=tmp_path / "rights")
    journal = ConsentedJournal(journal=SqliteJournal(tmp_path / "befit.db"), ledger=ledger)
    assert isinstance(journal, Journal)
    assert isinstance(journal, Submits)
    journal.record(_turn("a1", ADA))
    journal.submit(_turn("a2", ADA, "I was diagnosed with gout. Dinner?")).result()
    journal.record(_turn("b1", BOB))
    journal.react(BOB, Comment(response="b1", at=AT, text="Good"))
    assert _ids(journal.read()) == ["a1", "b1"]
    assert _ids(journal.read(ADA)) == ["a1", "a2"]
    for kind, value in (("sensitive", 1.0), ("behaviour", 0.0)):
        user = ADA if value else BOB
        ledger.decide(
            Decision(user=user, at=AT, verb="consent", subject=f"{kind}:train", value=value)
        )
    assert _ids(journal.read()) == ["a1", "a2"]
    asking = ConsentedJournal(journal=journal.journal, ledger=ledger, assumed=())
    assert _ids(asking.read()) == []
    assert journal.erase(ADA) == 2
    assert _ids(journal.read(BOB)) == ["b1"]
