"""What speaks against each other on one dimension, settled in the open.

A correction replaces what was there in its scope and wider ones. What a person says counts over
the opposite said or observed before (newer over older), over the opposite that they only did
(explicit over implicit), and what they say of one part of life over the opposite said of a wider
one (specific over general). The loser keeps little weight, and a sentence says so. Two opposite
statements that none of this decides become a question. Somebody who does otherwise at certain times
is believed to do so again (`belief.recurrence`). What is universal never comes here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from befit.belief.change import changes
from befit.belief.clock import Moment
from befit.belief.recurrence import LEAST, recurring
from befit.belief.scopes import depth, distance
from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Dimension, Evidence

CORRECTION = (
    0.05  # noise up to which a value replaces what was observed before in its scope or a wider one
)
SUPERSEDED = 0.1  # what is left of a value's weight once the person has stated the opposite
FORGOTTEN = 1e-4  # weight below which what was superseded again and again is left out
IMPLICIT = 0.5  # what is left of what was done against what was said
MOST_REASONS = 5  # the newest
LEAST_REACTIONS = 12  # observed values from which a change is looked for

Weighed = tuple[Evidence, float]


@dataclass(slots=True)
class Settled:
    """What stands on one dimension.

    Attributes:
        said: The evidence and what each piece counts now, oldest first.
        since: When the present version began; None where nothing was replaced.
        reasons: One sentence for each conflict that was settled.
        question: What to ask the person; "" where all is settled.
    """

    said: list[Weighed]
    since: datetime | None = None
    reasons: list[str] = field(default_factory=list)
    question: str = ""

    def replaced(self, at: datetime, reason: str) -> None:
        """Open a new version."""
        self.since = at if self.since is None else max(at, self.since)
        self.reasons.append(reason)


def explicit(evidence: Evidence) -> bool:
    """Whether the person said so in words."""
    return evidence.kind is EvidenceKind.STATED and evidence.by != "ai"


def settle(
    name: str,
    told: Sequence[Weighed],
    *,
    began: datetime | None = None,
    rate: float = 0.0,
    now: Moment | None = None,
) -> Settled:
    """Settle what was observed on one dimension.

    Args:
        name: The dimension, or a topic.
        told: Evidence with a value for it, oldest first, and what each counts.
        began: When the person's choices changed, where they did: what came before gives way.
        rate: False alarms per 1,000 observed values in looking for changes; 0 does not look.
        now: When it is asked for: of somebody who does otherwise at certain times, what was done
            at such times as this one counts alone. None does not look.
    """
    settled = Settled(list(told))
    if len(told) > 1:
        if now is not None and len(told) >= LEAST:
            _recurs(settled, name, now)
        if rate > 0.0 and len(told) >= LEAST_REACTIONS:
            _changed(settled, name, rate)
        _in_turn(settled, name)
        _weigh_kinds(settled, name)
        _weigh_scopes(settled, name)
    if began is not None:
        settled.said = [_before(each, began) for each in settled.said]
        settled.since = began if settled.since is None else max(began, settled.since)
    settled.reasons = list(dict.fromkeys(settled.reasons))[-MOST_REASONS:]
    return settled


def _before(each: Weighed, began: datetime) -> Weighed:
    """What is left of evidence from before a change; a correction stands."""
    e, weight = each
    if e.at >= began or e.noise <= CORRECTION:
        return each
    return e, weight * (SUPERSEDED if explicit(e) else 0.0)


def _in_turn(settled: Settled, name: str) -> None:
    """Newer over older, one piece after the other."""
    kept: list[Weighed] = []
    sides = set[bool]()  # of what is kept; most people never take the other one
    for e, weight in settled.said:
        if e.noise <= CORRECTION:
            left = [old for old in kept if distance(old[0].scope, e.scope) is None]
            if len(left) < len(kept):
                gone = len(kept) - len(left)
                settled.replaced(
                    e.at,
                    f"You set this right on {_day(e)}: it replaces {gone} earlier"
                    f" observation{'s' if gone > 1 else ''}.",
                )
                settled.question = ""
            kept = left
        elif explicit(e):
            settled.question = ""
            if (e.values[name] < 0.0) in sides:
                kept = _outdone(settled, kept, name, e)
        kept.append((e, weight))
        sides.add(e.values[name] > 0.0)
    settled.said = kept


def _outdone(settled: Settled, kept: list[Weighed], name: str, e: Evidence) -> list[Weighed]:
    """What came before a statement, with less weight where it is the opposite."""
    left, beaten, tied = [], 0, False
    for old, weight in kept:
        within = distance(old.scope, e.scope) is not None
        if not within or old.values[name] * e.values[name] >= 0.0:
            left.append((old, weight))
            continue
        tied = tied or _tied(old, e)
        if _tied(old, e) and old.at == e.at:
            left.append((old, weight))  # neither is newer
            continue
        beaten += 1
        if weight * SUPERSEDED > FORGOTTEN:
            left.append((old, weight * SUPERSEDED))
    if tied:
        settled.question = _question(name, e)
    if beaten:
        settled.replaced(
            e.at,
            f"What you said on {_day(e)} counts over the opposite from before: the newer holds.",
        )
    return left


def _tied(one: Evidence, other: Evidence) -> bool:
    """Whether nothing but the hour of the day tells two statements' ranks apart."""
    if not explicit(one) or one.scope != other.scope or one.noise <= CORRECTION:
        return False
    as_sure = one.noise == other.noise and one.at.date() == other.at.date()
    return as_sure or one.at == other.at


def _weigh_kinds(settled: Settled, name: str) -> None:
    """Explicit over implicit."""
    words = sum(weight * e.values[name] for e, weight in settled.said if explicit(e))
    against = [not explicit(e) and e.values[name] * words < 0.0 for e, _ in settled.said]
    if any(against):
        settled.said = [
            (e, weight * IMPLICIT if beaten else weight)
            for (e, weight), beaten in zip(settled.said, against, strict=True)
        ]
        settled.reasons.append(DEEDS)


#: The sentence for explicit over implicit.
DEEDS = "What you did points the other way and counts less than what you said."


def _weigh_scopes(settled: Settled, name: str) -> None:
    """Specific over general, among what was said."""
    scopes = {e.scope for e, _ in settled.said if explicit(e)}
    if len(scopes) < 2:
        return
    narrowest = max(scopes, key=lambda scope: (depth(scope), scope))
    here = sum(w * e.values[name] for e, w in settled.said if explicit(e) and e.scope == narrowest)
    left, beaten = [], False
    for e, weight in settled.said:
        wider = e.scope != narrowest and distance(e.scope, narrowest) is not None
        if wider and e.values[name] * here < 0.0:
            beaten = True
            left.append((e, weight * SUPERSEDED))
        else:
            left.append((e, weight))
    settled.said = left
    if beaten:
        settled.reasons.append(
            f"What you said of {narrowest} counts over the opposite said of more than that."
        )


def _recurs(settled: Settled, name: str, now: Moment) -> None:
    """Leave out what was done at other times than this, where that makes a difference."""
    done = [e for e, _ in settled.said if not explicit(e)]
    values = np.array([[e.values[name]] for e in done]).reshape(len(done), 1)
    (found,) = recurring([e.at for e in done], values, now.clock)
    if found is not None:
        settled.said = [
            (e, weight) for e, weight in settled.said if explicit(e) or now.alike(found.name, e.at)
        ]
        settled.reasons.append(found.reason(now))


def _changed(settled: Settled, name: str, rate: float) -> None:
    """Drop what was done before the person changed, scope by scope."""
    for scope in sorted({e.scope for e, _ in settled.said}):
        done = [e for e, _ in settled.said if e.scope == scope and not explicit(e)]
        if len(done) < LEAST_REACTIONS:
            continue
        found = changes(_surprises([e.values[name] for e in done], done), rate=rate)
        if found:
            began = done[found[-1].began].at
            settled.said = [_before(x, began) if x[0].scope == scope else x for x in settled.said]
            settled.said = [(e, weight) for e, weight in settled.said if weight > 0.0]
            settled.replaced(began, CHANGED.format(f"{began:%Y-%m-%d}"))


#: The sentence for a change point.
CHANGED = "You changed about {}: what came before no longer counts."


def _surprises(values: Sequence[float], done: Sequence[Evidence]) -> list[float]:
    """Each value less what was expected from those before, in standard deviations."""
    precision, mean, found = 1.0, 0.0, []
    for value, e in zip(values, done, strict=True):
        noise = e.noise * e.noise
        gap = value - mean
        found.append(gap / (noise + 1.0 / precision) ** 0.5)
        precision += 1.0 / noise
        mean += gap / noise / precision
    return found


def _question(name: str, e: Evidence) -> str:
    where = f" of {e.scope}" if e.scope else ""
    if name.startswith(TOPIC):
        topic = name.removeprefix(TOPIC)
        return f"On {_day(e)} you said{where} both that you like {topic} and that you do not:" + (
            " which holds?"
        )
    return f"On {_day(e)} you said{where} two opposite things about {name}: which holds?"


def in_words(question: str, dimension: Dimension) -> str:
    """The question of `settle` with the two ends of the dimension as a person reads them."""
    return f"{question} {dimension.low.capitalize()}, or {dimension.high}?" if question else ""


def _day(e: Evidence) -> str:
    return f"{e.at:%Y-%m-%d}"
