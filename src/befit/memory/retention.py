"""How long each class of what is kept may be kept, and the sweep that erases what is older.

A deployment sets limits, and a person may set shorter ones for themselves; the shorter of the two
holds, and a person's last word counts. Age is counted from when a thing became known, not from when
it was true: what is imported today is new today. What was learned from a person falls with their
evidence, as it does when they ask to forget a part. Nothing is erased by itself: whoever runs a
deployment runs the sweep (``befit store retain``), once a day for instance.

Source: Regulation (EU) 2016/679, article 5(1)(e) (storage limitation).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.protocols import ArtifactStore, Memory
from befit.memory.blocks import known_at
from befit.memory.journal import RowJournal
from befit.memory.ledger import Decision, Ledger

TURNS, WAITING = "turns", "waiting"
#: What has a limit of its own: the kinds of evidence, turns of the journal, and what waits.
CLASSES: tuple[str, ...] = (*(kind.value for kind in EvidenceKind), TURNS, WAITING)

_SUBJECT = "keep:"  # of a decision on a limit
_LONGEST = 36_500.0  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How much was too old.

    Attributes:
        people: Of whom anything was.
        evidence: Pieces of evidence.
        turns: Turns of the journal, with their reactions.
        held: Pieces that waited for a word.
        artifacts: What had been learned from these people.
    """

    people: int = 0
    evidence: int = 0
    turns: int = 0
    held: int = 0
    artifacts: int = 0


def check_limits(limits: Mapping[str, float]) -> None:
    """Refuse limits that make no sense.

    Args:
        limits: Class to days.

    Raises:
        InputError: There is no such class, or it is no number of days > 0.
    """
    for name, days in limits.items():
        if name not in CLASSES:
            raise InputError(
                f"there is no class {name!r}", hint=f"one of {', '.join(CLASSES)}", field=name
            )
        if not 0.0 < days <= _LONGEST:
            raise InputError(
                f"{name} cannot be kept for {days:g} days",
                hint=f"more than 0, at most {_LONGEST:g}",
                field=name,
            )


def limit(ledger: Ledger, user: UserId, name: str, days: float, at: datetime) -> Decision:
    """Keep a person's own limit.

    Args:
        ledger: Where decisions are kept.
        user: The person.
        name: One of `CLASSES`.
        days: How long at most, in days; 0 takes their limit back.
        at: When they said so, UTC.

    Raises:
        InputError: There is no such class, or it is no number of days.
    """
    check_limits({name: days or 1.0})
    share = days / _LONGEST  # a decision holds a number in [-1, 1]
    made = Decision(user=user, at=at, verb="retain", subject=f"{_SUBJECT}{name}", value=share)
    ledger.decide(made)
    return made


def limits_of(
    decisions: Iterable[Decision], deployment: Mapping[str, float]
) -> Mapping[str, float]:
    """What holds for a person, class to days: of their own limit and the deployment's the shorter.

    Args:
        decisions: What the person decided, in the order in which they did.
        deployment: Its limits; a class without one is kept for ever.
    """
    own: dict[str, float] = {}
    for each in decisions:
        if each.verb == "retain":
            own[each.subject.removeprefix(_SUBJECT)] = each.value * _LONGEST
    chosen = {name: days for name, days in own.items() if days > 0.0}
    return {
        name: min(each[name] for each in (chosen, deployment) if name in each)
        for name in CLASSES
        if name in chosen or name in deployment
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is kept of people.

    Attributes:
        memory: Their evidence.
        journal: Their turns.
        artifacts: What was learned from them.
        ledger: What they decided, and what waits for their word.
    """

    memory: Memory
    journal: RowJournal
    artifacts: ArtifactStore
    ledger: Ledger


def sweep(
    kept: Kept, people: Sequence[UserId], deployment: Mapping[str, float], at: datetime
) -> Swept:
    """Erase what is older than it may be, of some people.

    Run again it finds nothing; cut short, it is to be run again.

    Args:
        kept: Where everything is.
        people: Whose.
        deployment: Its limits, class to days; see `CLASSES`.
        at: Now, UTC.

    Raises:
        InputError: A limit makes no sense.
        StoreError: It could not be erased.
    """
    check_limits(deployment)
    whole = Swept()
    for user in people:
        done = _sweep_one(kept, user, deployment, at)
        whole = Swept(
            people=whole.people + bool(done.evidence or done.turns or done.held),
            evidence=whole.evidence + done.evidence,
            turns=whole.turns + done.turns,
            held=whole.held + done.held,
            artifacts=whole.artifacts + done.artifacts,
        )
    return whole


def _sweep_one(kept: Kept, user: UserId, deployment: Mapping[str, float], at: datetime) -> Swept:
    limits = limits_of(kept.ledger.decisions(user), deployment)
    if not limits:
        return Swept()
    until = {name: at - timedelta(days=days) for name, days in limits.items()}
    old = [e.id for e in kept.memory.evidence(user) if _before(until, e.kind.value, known_at(e))]
    turns = []
    if TURNS in until:
        read = kept.journal.read(user)
        turns = [t.response.id for t in read if t.context.at < until[TURNS]]
    waits = []
    if WAITING in until:
        held = [each.evidence for each in kept.ledger.held(user)]
        waits = [e.id for e in held if known_at(e) < until[WAITING]]
    return Swept(
        evidence=kept.memory.forget(user, old) if old else 0,
        turns=kept.journal.erase(user, turns) if turns else 0,
        held=kept.ledger.drop_held(user, waits) if waits else 0,
        artifacts=kept.artifacts.erase(user) if old or turns else 0,
    )


def _before(until: Mapping[str, datetime], name: str, at: datetime) -> bool:
    return name in until and at < until[name]
