"""What becomes of evidence that is offered: kept, held until the person has spoken, or refused.

Only what the person wrote themselves may speak for them. The words of others in their message are
taken out before anything is kept, and what was observed stands only as far as their own words bear
it. What they did not write, what gives a model orders, and what is disguised waits. Pure, but for
the screen that it asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from befit.core.people import EvidenceKind
from befit.core.preference import Evidence
from befit.core.protocols import Screen
from befit.features.foreign import mixed_scripts, own_part, third_person
from befit.memory.hygiene import recalled, why_hold
from befit.memory.ledger import Held

#: What a text says of dimensions and topics.
Read = Callable[[str], Mapping[str, float]]

IMPORTED = "import:"  # heads the source of what the person brought from another product
ECHO = "it repeats what memory had shown"
_WRITTEN = (EvidenceKind.STATED, EvidenceKind.AUTHORED)


@dataclass(frozen=True, slots=True)
class Sifted:
    """What becomes of evidence that is offered.

    Attributes:
        kept: May be remembered, with secrets masked.
        held: Waits for the person's word.
        refused: Is not kept, each with the reason.
    """

    kept: tuple[Evidence, ...] = ()
    held: tuple[Held, ...] = ()
    refused: tuple[Held, ...] = ()


def sift(
    given: Iterable[Evidence],
    *,
    refuse: Callable[[Evidence], str],
    known: Callable[[Evidence], Mapping[str, Evidence]],
    safe: Callable[[Evidence], Evidence],
    shown: Callable[[Evidence], Sequence[str]],
    screen: Screen | None,
    read: Read | None,
) -> Sifted:
    """Divide evidence.

    Args:
        given: What is offered.
        refuse: Why there is no consent to keep it; "" where there is.
        known: By id, what else there is of that person.
        safe: Masks what must not be kept.
        shown: Excerpts of that person that memory had put before a model.
        screen: Finds text that gives a model orders; None finds none.
        read: Reads anew what is left of a text; None believes none of what was observed in it.
    """
    offered = list(given)
    beside = {each.id: each for each in offered}
    kept: list[Evidence] = []
    held: list[Held] = []
    refused: list[Held] = []
    for each in offered:
        reason = refuse(each) or (ECHO if recalled(each, shown(each)) else "")
        if reason:
            refused.append(Held(each, reason))
            continue
        own = in_own_words(each, read)
        others = {**beside, **known(each)} if each.source else {}
        reason = _why_wait(each, own) or why_hold(own, others, screen)
        if reason:
            held.append(Held(safe(each), reason))
        else:
            kept.append(safe(own))
    return Sifted(tuple(kept), tuple(held), tuple(refused))


def sift_again(
    given: Iterable[Evidence],
    *,
    refuse: Callable[[Evidence], str],
    safe: Callable[[Evidence], Evidence],
) -> Sifted:
    """Divide evidence that comes back from an export: its words were judged when it was kept.

    Args:
        given: What comes back.
        refuse: Why there never was consent to keep it; "" where there was.
        safe: Masks what must not be kept.
    """
    kept: list[Evidence] = []
    held: list[Held] = []
    refused: list[Held] = []
    for each in given:
        if reason := refuse(each):
            refused.append(Held(each, reason))
        elif reason := why_hold(each, {}, None):
            held.append(Held(safe(each), reason))
        else:
            kept.append(safe(each))
    return Sifted(tuple(kept), tuple(held), tuple(refused))


def in_own_words(evidence: Evidence, read: Read | None) -> Evidence:
    """The evidence without the words of others in its text, and without what only they said.

    Args:
        evidence: What is offered.
        read: What a text says; of what was observed, that stands which their own words say.
    """
    own = own_part(evidence.text)
    if evidence.kind not in _WRITTEN or own == evidence.text:
        return evidence
    said = read(own) if read is not None else {}
    values = {name: said[name] for name in evidence.values if name in said}
    return replace(evidence, text=own, values=values)


def doubts(message: str, screen: Screen | None) -> str:
    """Why nothing that a message states may be taken for its sender's own word; "" where it may.

    Args:
        message: Whole, as it was sent: an order in one sentence speaks against the next one too.
        screen: Finds text that gives a model orders; None finds none.
    """
    if third_person(message):
        return "it speaks of the user as somebody else would"
    if mixed_scripts(message):
        return "it mixes letters of different alphabets in one word"
    verdict = screen.inspect(message) if screen is not None and message else None
    if verdict is not None and not verdict.allowed:
        return verdict.reason or f"refused by {verdict.guard}"
    return ""


def _why_wait(evidence: Evidence, own: Evidence) -> str:
    """Why the words look like somebody else's although they came as the person's."""
    if evidence.text and not own.text:
        return "the words are quoted or pasted"
    if evidence.values and not own.values:
        return "what it says is said in words that are quoted or pasted"
    if third_person(own.text) and not evidence.source.startswith(IMPORTED):
        return "it speaks of the user as somebody else would"
    if any(map(mixed_scripts, (own.text, *own.values))):
        return "it mixes letters of different alphabets in one word"
    return ""
