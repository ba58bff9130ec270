"""A person's word on single beliefs: pinned, rejected, released. Pure.

A pin holds a belief where it is, whatever is observed later. A rejection takes all that was
observed before it as saying nothing of that dimension; the belief comes back only by the person's
own later statement, never by inference alone. A release ends either. What belongs to everyone
(universal values) can be neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from befit.belief.scopes import distance
from befit.core.errors import InputError
from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Evidence, Preference, PreferenceSpace
from befit.memory.ledger import Decision

PINNED = 0.05  # standard deviation of a pinned belief, as of a correction

_OF_BELIEFS = ("pin", "reject", "release")


def stances(decisions: Iterable[Decision], at: datetime, scope: str) -> Mapping[str, Decision]:
    """By dimension, the pin or rejection that holds at a moment in a scope.

    The narrowest scope counts first, then the latest decision.
    """
    last: dict[tuple[str, str], Decision] = {}
    for each in decisions:
        if each.verb in _OF_BELIEFS and each.at <= at and within(scope, each.scope):
            before = last.get((each.subject, each.scope))
            if before is None or each.at >= before.at:
                last[each.subject, each.scope] = each
    narrow: dict[str, Decision] = {}
    for (subject, _), each in sorted(last.items(), key=lambda item: len(item[0][1])):
        narrow[subject] = each
    return {name: each for name, each in narrow.items() if each.verb != "release"}


def within(scope: str, wider: str) -> bool:
    """Whether a scope is another one or lies in it."""
    return distance(wider, scope) is not None


def unsaid(evidence: Evidence, held: Mapping[str, Decision]) -> Evidence:
    """The evidence without what it says of dimensions that were rejected since."""
    gone = [name for name in evidence.values if _before(evidence, held.get(name))]
    if not gone:
        return evidence
    return replace(evidence, values={n: v for n, v in evidence.values.items() if n not in gone})


def standing(
    preferences: Iterable[Preference],
    held: Mapping[str, Decision],
    evidence: Sequence[Evidence],
    space: PreferenceSpace,
) -> tuple[Preference, ...]:
    """Beliefs as the person's word leaves them, in the order of the space.

    Args:
        preferences: As folded from what was not rejected.
        held: What `stances` found.
        evidence: What is known of the person.
        space: The named dimensions.
    """
    back = {n for e in evidence if e.kind is EvidenceKind.STATED for n in _later(e, held)}
    found = {p.dimension: p for p in preferences if _stands(held.get(p.dimension), p, back)}
    for name, word in held.items():
        if word.verb == "pin":
            known = found.get(name, Preference(dimension=name, mean=word.value, scope=word.scope))
            reason = f"pinned by the person on {word.at:%Y-%m-%d}"
            found[name] = replace(
                known,
                mean=word.value,
                std=PINNED,
                weight=1.0 - PINNED * PINNED,
                reasons=(*known.reasons, reason),
                question="",
            )
    order = {d.name: place for place, d in enumerate(space.dimensions)}
    named = sorted(found, key=lambda name: (order.get(name, len(order)), name))
    return tuple(found[name] for name in named)


def check_dimension(space: PreferenceSpace, dimension: str) -> None:
    """Refuse what is neither a dimension nor an open topic.

    Raises:
        InputError: It is neither; the hint lists the dimensions.
    """
    names = [d.name for d in space.dimensions]
    if dimension not in names and not dimension.startswith(TOPIC):
        raise InputError(
            f"there is no dimension {dimension!r}",
            hint=f"one of {', '.join(names)}, or {TOPIC}...",
            field="dimension",
        )


def _stands(word: Decision | None, belief: Preference, back: set[str]) -> bool:
    return word is None or word.verb != "reject" or belief.dimension in back


def _before(evidence: Evidence, word: Decision | None) -> bool:
    return word is not None and word.verb == "reject" and evidence.at <= word.at


def _later(evidence: Evidence, held: Mapping[str, Decision]) -> list[str]:
    return [n for n in evidence.values if n in held and evidence.at > held[n].at]
