"""What may become memory, and what of it is said twice. Pure.

Only the person's own words may move a belief: a piece of evidence is trusted as far as the least
trusted thing in its lineage, so that a web page does not gain trust by passing through a summary.
Text that gives a model orders waits until the person confirms it. Recalled text that comes back is
not learned again. Excerpts that say the same are shown once; all of them are kept, so that
forgetting one leaves the other.

Source: Broder 1997, "On the resemblance and containment of documents" (token sets, resemblance).
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Evidence, Origin
from befit.core.protocols import Screen

#: From most to least trusted.
TRUST: dict[Origin, int] = {"person": 4, "model": 3, "tool": 2, "document": 1, "other": 0}

SAME = 0.8  # resemblance from which two texts say the same
_DEEPEST = 64  # steps of a lineage that are followed
_WORD = re.compile(r"[^\W_]+")
_NEGATION = frozenset(("not", "no", "never", "don", "dont", "without", "stop", "less", "hate"))


def origin_of(evidence: Evidence, known: Mapping[str, Evidence]) -> Origin:
    """The least trusted origin in the lineage of a piece of evidence.

    Args:
        evidence: Where the lineage ends; ``source`` names the piece before, where it is one.
        known: By id, what else there is of the person.
    """
    least, at, seen = evidence.origin, evidence, {evidence.id}
    while at.source in known and at.source not in seen and len(seen) < _DEEPEST:
        at = known[at.source]
        seen.add(at.id)
        least = min(least, at.origin, key=TRUST.__getitem__)
    return least


def why_hold(evidence: Evidence, known: Mapping[str, Evidence], screen: Screen | None) -> str:
    """Why a piece of evidence has to wait for the person's word; "" where it need not.

    Args:
        evidence: What would be remembered.
        known: By id, what else there is of the person, what waits included.
        screen: Finds text that gives a model orders; None finds none.
    """
    origin = origin_of(evidence, known)
    if origin != "person":
        return f"the words come from {_ORIGINS[origin]}, not from the person"
    if screen is not None:
        for text in (evidence.text, *(name.removeprefix(TOPIC) for name in evidence.values)):
            verdict = screen.inspect(text) if text else None
            if verdict is not None and not verdict.allowed:
                return verdict.reason or f"refused by {verdict.guard}"
    return ""


_ORIGINS = {
    "model": "a model",
    "tool": "a tool",
    "document": "a document",
    "other": "somebody else",
}


def recalled(evidence: Evidence, shown: Iterable[str]) -> bool:
    """Whether the text is one that memory itself had shown, and so says nothing new.

    What a person states in their own turn is theirs even where it repeats; it is what was drawn out
    of a conversation (authored text) that may be an echo.
    """
    if evidence.kind is not EvidenceKind.AUTHORED or not evidence.text.strip():
        return False
    words = _tokens(evidence.text)
    return any(_resembles(words, _tokens(each)) for each in shown)


def merged(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """One of each group that says the same: the first to be true, then by id; order is kept.

    Groups do not depend on the order given. Texts that differ in a negation, in scope, or in which
    way their values point do not say the same.
    """
    kept: list[tuple[Evidence, frozenset[str]]] = []
    for each in sorted(evidence, key=lambda e: (e.at, e.id)):
        words = _tokens(each.text)
        if not any(_same(each, words, *other) for other in kept):
            kept.append((each, words))
    ids = {each.id for each, _ in kept}
    return tuple(each for each in evidence if each.id in ids)


def _same(one: Evidence, words: frozenset[str], other: Evidence, others: frozenset[str]) -> bool:
    if one.id == other.id or not words or one.scope != other.scope:
        return False
    if (words ^ others) & _NEGATION or one.pair is not None or other.pair is not None:
        return False
    opposed = any(one.values[n] * other.values[n] < 0 for n in one.values.keys() & other.values)
    return not opposed and _resembles(words, others)


def _resembles(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and len(one & other) >= SAME * len(one | other)


def _tokens(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
