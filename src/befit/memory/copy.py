"""Moves a whole store to another database, row by row, and looks whether all of it arrived.

Evidence with what was derived from it, turns with their reactions, decisions of people and what
waits for their word, artifacts with their files and the history of their promotion. Either store
may be encrypted: rows are opened and sealed anew. What is there already counts once, so a copy that
was cut short is taken up again by starting it again. Nobody should write to the source meanwhile.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from befit.core.errors import StoreError
from befit.core.people import UserId
from befit.memory.artifacts import RowArtifacts
from befit.memory.blocks import row_again
from befit.memory.journal import RowJournal
from befit.memory.ledger import Held, ListedLedger
from befit.memory.profiles import RowMemory

_TOGETHER = 1000  # rows of a person in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One store.

    Attributes:
        memory: Its evidence.
        journal: Its turns.
        artifacts: What was learned.
        ledger: What people decided, and what waits for their word.
    """

    memory: RowMemory
    journal: RowJournal
    artifacts: RowArtifacts
    ledger: ListedLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How much there was.

    Attributes:
        people: Of whom anything was kept.
        evidence: Pieces.
        turns: Of the journal.
        artifacts: Learned files.
        decisions: Of people on their memory.
        held: Pieces of evidence that wait for their word.
    """

    people: int
    evidence: int
    turns: int
    artifacts: int
    decisions: int
    held: int


def copy_store(source: Place, target: Place, progress: Callable[[str, int, int], None]) -> Copied:
    """Copy everything; returns how much there is.

    Args:
        source: Where from; stays as it is.
        target: Where to; what is there stays too.
        progress: Called with what is done, how far, and of how much.

    Raises:
        StoreError: The target has something else under the same id, or cannot be written.
    """
    people = source.memory.people()
    evidence = turns = 0
    for done, user in enumerate(people):
        progress("people", done, len(people))
        evidence += _evidence(source.memory, target.memory, user)
        turns += _turns(source.journal, target.journal, user)
    progress("people", len(people), len(people))
    artifacts = _artifacts(source.artifacts, target.artifacts)
    decisions, held = _ledger(source.ledger, target.ledger)
    return Copied(
        people=len(people),
        evidence=evidence,
        turns=turns,
        artifacts=artifacts,
        decisions=decisions,
        held=held,
    )


def _evidence(source: RowMemory, target: RowMemory, user: UserId) -> int:
    entries = sorted(source.rows.load(user, None).entries, key=lambda each: each.key)
    for start in range(0, len(entries), _TOGETHER):
        some = entries[start : start + _TOGETHER]
        target.rows.add([(user, row_again(each)) for each in some]).result()
    arrived = {e.evidence.id: e.evidence for e in target.rows.load(user, None).entries}
    for each in entries:
        if arrived.get(each.evidence.id) != each.evidence:
            raise _differs(f"evidence {each.evidence.id!r}", user)
    return len(entries)


def _turns(source: RowJournal, target: RowJournal, user: UserId) -> int:
    turns = source.rows.turns(user)
    kept = [target.rows.add(user, turn.response, turn.body, turn.reactions) for turn in turns]
    for each in kept:
        each.result()
    arrived = set(target.rows.turns(user))
    for turn in turns:
        if turn not in arrived:
            raise _differs(f"turn {turn.response!r}", user)
    return len(turns)


def _artifacts(source: RowArtifacts, target: RowArtifacts) -> int:
    found = source.pointers.all()
    slots = {each.id: (each.owner, each.kind) for each in found}
    before = {each.id: (each.owner, each.kind) for each in target.pointers.all()}
    for each in found:
        target.put(each, source.folder(each.id))
    # a history that is there is the target's own, or was copied before
    known = {before.get(name) for name in target.pointers.promotions()}
    for name in source.pointers.promotions():
        if slots.get(name) not in known:
            target.promote(name)
    return len(found)


def _ledger(source: ListedLedger, target: ListedLedger) -> tuple[int, int]:
    """Decisions of everyone, also of those of whom nothing else is kept; how many, and held."""
    decisions = held = 0
    for user in source.people():
        said, waits = source.decisions(user), source.held(user)
        before = Counter(target.decisions(user))
        for each in said:
            if before[each]:
                before[each] -= 1
            else:
                target.decide(each)
        target.hold(waits)
        if not (set(said) <= set(target.decisions(user)) and _all_in(waits, target.held(user))):
            raise _differs("a decision", user)
        decisions, held = decisions + len(said), held + len(waits)
    return decisions, held


def _all_in(waits: Sequence[Held], there: Sequence[Held]) -> bool:
    arrived = {each.evidence.id: each for each in there}
    return all(arrived.get(each.evidence.id) == each for each in waits)


def _differs(what: str, user: UserId) -> StoreError:
    return StoreError(
        f"{what} of {user!r} is not the same in both stores",
        hint="nobody may write meanwhile; forget the person in the target, and copy again",
    )
