"""Whose words are these? What befit or a model said is never learned again as the person's.

A person who quotes an answer back, or an edit that keeps a recalled sentence, would otherwise make
one observation count twice, and then three times. Compares words, not meanings.

Source: shingling, Broder 1997, "On the resemblance and containment of documents", section 2
(containment).
"""

import re
from collections.abc import Iterable

from befit.core.feedback import Interaction
from befit.core.preference import TOPIC, PreferenceSpace

SHINGLE = 4  # words
CONTAINED = 0.6  # share of a sentence's shingles that makes it an echo

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def placed(space: PreferenceSpace, interaction: Interaction) -> list[str]:
    """What befit put into this turn's prompt: asks of the beliefs used, topics, system text.

    Earlier answers in the conversation are a model's words as well.
    """
    used = set(interaction.response.beliefs)
    asks = [ask for d in space.dimensions if d.name in used for ask in (d.ask_low, d.ask_high)]
    topics = [
        f"They {verb} {name.removeprefix(TOPIC)}"
        for name in sorted(used)
        if name.startswith(TOPIC)
        for verb in ("like", "dislike")
    ]
    said = [m.text for m in interaction.context.messages if m.role in ("system", "assistant")]
    return [text for text in (*asks, *topics, *said) if text]


def own_words(text: str, sources: Iterable[str]) -> str:
    """``text`` without the sentences that are echoes of ``sources``; may be empty."""
    wholes, shingles = set[tuple[str, ...]](), set[tuple[str, ...]]()
    for source in sources:
        for sentence in _SENTENCE.split(source):
            words = _words(sentence)
            wholes.add(words)
            shingles |= _shingles(words)
    kept = [s for s in _SENTENCE.split(text) if s.strip() and not _echo(s, wholes, shingles)]
    return "\n".join(kept) if len(kept) < len(_SENTENCE.split(text)) else text


def _echo(sentence: str, wholes: set[tuple[str, ...]], shingles: set[tuple[str, ...]]) -> bool:
    words = _words(sentence)
    own = _shingles(words)
    if not own:
        return bool(words) and words in wholes
    return len(own & shingles) / len(own) >= CONTAINED


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


def _shingles(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[i : i + SHINGLE] for i in range(len(words) - SHINGLE + 1)}
