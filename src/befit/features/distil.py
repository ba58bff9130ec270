"""Finds statements of preference in free text: posts, messages, reviews, conversations.

`Distiller` needs no language model. Each sentence is read by the grammar of ``features.statements``
(which knows the space's words) and judged by the head of ``features.statement_head``; what that
takes for an own preference goes through ``features.stance``, which says what it is
about. Questions,
quotations, reports of others, jokes, hypotheticals and the past are left out as far as the head
knows them; its measured precision and recall stand in its card. English; in other languages it
finds next to nothing. `AskedDistiller` asks a language model instead, and believes only what it can
find again in the text.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.preference import TOPIC, PreferenceSpace
from befit.core.protocols import Policy
from befit.features.asking import asked, one_object
from befit.features.cues import plain
from befit.features.doubts import foreign, ironic, supposed
from befit.features.idioms import ANSWER, Stance
from befit.features.scopes import scope_of
from befit.features.stance import matter_of, stance_of
from befit.features.statement_head import StatementHead, Thresholds, shipped_head
from befit.features.statements import read_statement

LONGEST = 20_000  # characters read of one text
STATED = 0.3  # noise of a plain statement that was understood

_SENTENCE = re.compile(rf"(?<=[.!?\u2026])[\"'\u201d)]*\s+(?=[^a-z])(?!(?<=\?\s){ANSWER})|\n+")
_SELF = re.compile(r"\b(?:i|me|mine|myself)\b", re.IGNORECASE)
_TOPICS = PreferenceSpace("topics", "1", ())
_LEAST, _MOST = 2, 60  # words of a sentence that is worth reading
_MISREAD = 1.6  # variance of a value that was read where nothing was stated: prior and value
_GUESSED = 0.7  # strength where no frame says how strong
_UNDECIDED = 0.2  # of the head's lean in [-1, 1]; less says neither for nor against
_TOPICAL = 0.5  # share of the least probability, of an open topic that the grammar read
_GRAMMAR = 0.02  # least probability of what is said of how to answer, which the grammar knows well
_REQUESTED = 0.5  # likewise of another dimension, which a request may name as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A preference that a text states.

    Attributes:
        sentence: The words that state it.
        values: Dimension, or ``topic:`` and the topic -> position in [-1, 1].
        confidence: Probability that its writer states a preference of their own.
        noise: Standard deviation of the values, that doubt included.
        scope: Where it holds, as far as the sentence says; "" is everywhere.
    """

    sentence: str
    values: Mapping[str, float] = field(default_factory=dict)
    confidence: float
    noise: float
    scope: str = ""


@runtime_checkable
class Distils(Protocol):
    """Finds statements of preference in a text, in its order."""

    def distil(self, text: str) -> Sequence[Statement]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Distiller:
    """Grammar and trained head together.

    Attributes:
        space: Its dimensions' words are read first; what is left is an open topic.
        head: The head; None is the one that ships.
    """

    space: PreferenceSpace
    head: StatementHead | None = None

    def distil(self, text: str) -> Sequence[Statement]:
        """Statements in the order of the text; reads up to `LONGEST` characters.

        Raises:
            MissingExtraError: The encoder's package is not installed.
            ModelFileError: The head or the encoder does not load.
        """
        head = self.head or shipped_head()
        read = sentences(text[:LONGEST])
        judged = zip(read, head.judge(read), strict=True)
        told = [self._statement(each, own, liked, head.least) for each, (own, liked) in judged]
        return [each for each in told if each is not None]

    def _statement(
        self, sentence: str, own: float, liked: float, least: Thresholds
    ) -> Statement | None:
        values = read_statement(self.space, sentence)
        noise = 0.0
        if values and own >= self._least(values, least):
            own = max(own, least.framed)
        elif not values and heard(sentence, own, liked, least):
            stance, noise = _stance(sentence, liked)
            values = {TOPIC + stance.topic: stance.value}
        else:
            return None
        return Statement(
            sentence=sentence,
            values=values,
            confidence=own,
            noise=math.hypot(noise, doubted(own)),
            scope=scope_of(sentence),
        )

    def _least(self, values: Mapping[str, float], least: Thresholds) -> float:
        """From which probability what the grammar read is believed.

        "Keep it short" can only be meant; "show me cats" is a request where cats are a dimension.
        """
        if any(name.startswith(TOPIC) for name in values):
            return _TOPICAL * least.framed
        answers = {d.name for d in self.space.dimensions if d.feature or d.universal}
        return _GRAMMAR if answers.issuperset(values) else _REQUESTED


def sentences(text: str) -> list[str]:
    """The sentences of a text that are neither too short nor too long to state anything."""
    parts = [part.strip() for part in _SENTENCE.split(text)]
    return [part for part in parts if _LEAST <= len(part.split()) <= _MOST]


def stated(sentence: str, own: float, liked: float, least: Thresholds) -> bool:
    """Whether a sentence is taken for a statement on an open topic, by grammar or by the head."""
    if read_statement(_TOPICS, sentence):
        return own >= _TOPICAL * least.framed
    return heard(sentence, own, liked, least)


def heard(sentence: str, own: float, liked: float, least: Thresholds) -> bool:
    """Whether a sentence that the grammar does not read is taken for a statement.

    Args:
        sentence: One sentence.
        own: Probability that its writer states a preference.
        liked: Probability that they are for it.
        least: What ``own`` has to reach.
    """
    if sentence.rstrip("\"' ").endswith("?") or own < min(least.framed, least.unframed):
        return False
    lower = plain(sentence)
    if ironic(lower) or supposed(lower) or foreign(lower):
        return False
    if own >= least.framed and stance_of(sentence) is not None:
        return True
    sure = own >= least.unframed and abs(2.0 * liked - 1.0) >= _UNDECIDED
    sure = sure and _SELF.search(sentence) is not None  # without a frame, they speak of themselves
    return sure and bool(matter_of(sentence))


def _stance(sentence: str, liked: float) -> tuple[Stance, float]:
    """The stance of a frame, else a guess from the head's direction; and how uncertain its sign."""
    if stance := stance_of(sentence):
        return stance, 0.0
    lean = 2.0 * liked - 1.0
    guess = Stance(matter_of(sentence), _GUESSED if lean > 0 else -_GUESSED)
    return guess, _GUESSED * math.sqrt(1.0 - lean * lean)


def doubted(probability: float) -> float:
    """Noise of a value that was stated with this probability, and misread otherwise."""
    return math.sqrt(probability * STATED**2 + (1.0 - probability) * _MISREAD)


_ASK = (
    "Below is a text, as data. List the lasting preferences that its writer states of themselves."
    " Leave out questions, quotations, jokes, hypotheticals, the past, and what others like."
    ' Answer with one JSON object only, of the form {"statements": [{"sentence": "the exact words'
    ' of the text", "topic": "what it is about", "for": true}]}; "for" is false where they are'
    ' against it. Without any: {"statements": []}.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedDistiller:
    """Asks a language model, in a form that allows nothing but quotations of the text.

    Attributes:
        policy: Any policy; what it writes is parsed strictly, and nonsense says nothing.
        context: Who asks and when; its messages are replaced.
        confidence: What one finding of this model is worth, in (0, 1); measure it before relying
            on it.
    """

    policy: Policy
    context: Context
    confidence: float = 0.8

    def distil(self, text: str) -> Sequence[Statement]:
        """Statements whose sentence stands in the text, in the model's order, each once."""
        body = text[:LONGEST]
        shown = Message("user", f"{_ASK}\n\n<text>\n{body}\n</text>")
        drafts = self.policy.generate(asked(self.context, shown), Conditioning(), 1)
        answer = one_object(drafts[0].text) if drafts else {}
        rows = answer.get("statements") if set(answer) == {"statements"} else None
        told = [self._statement(row, body) for row in rows] if isinstance(rows, list) else []
        return list({each.sentence: each for each in told if each is not None}.values())

    def _statement(self, row: object, text: str) -> Statement | None:
        if not isinstance(row, dict) or set(row) != {"sentence", "topic", "for"}:
            return None
        sentence, topic, liked = row["sentence"], row["topic"], row["for"]
        if not (isinstance(sentence, str) and isinstance(topic, str) and isinstance(liked, bool)):
            return None
        name = " ".join(topic.lower().split())
        if not sentence.strip() or sentence not in text or not 1 <= len(name.split()) <= 8:
            return None
        return Statement(
            sentence=sentence,
            values={TOPIC + name: 0.8 if liked else -0.8},
            confidence=self.confidence,
            noise=doubted(self.confidence),
            scope=scope_of(sentence),
        )
