"""A memory as the suites see it, and three of them: befit's own, words alone, meaning alone.

Everything is told turn by turn and asked for texts; a memory that also holds beliefs shows them.
What a memory is told about a turn (when, in which part of life, who wrote it, what was observed)
is told to all of them alike; what it makes of that is its own affair.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from math import log
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Origin, Preference
from befit.core.protocols import Encoder
from befit.evaluate.memory.asked import asks, honour, sent
from befit.features.distil import Distiller, Statement
from befit.features.foreign import own_part
from befit.features.forget_words import Near, near_by
from befit.features.statements import read_statement
from befit.memory.consent import EVER, KINDS, Grant
from befit.memory.consented import ConsentedMemory
from befit.memory.ledger import SqliteLedger
from befit.memory.recall import stems
from befit.memory.spaces import load_space
from befit.memory.sqlite import SqliteMemory
from befit.values.injection import InjectionScreen

SPACE = "style"
AUTHORED_NOISE = 1.0  # of what they merely wrote: its words are kept, they state no preference
BEHAVED_NOISE = (
    1.2  # of what a rating says of one dimension; as the interpreter of reactions has it
)
BUDGET = 4_096  # tokens, so that k texts fit and the order alone decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Something said or done, as it is told to a memory.

    Attributes:
        id: Unique within the person.
        text: The words.
        at: When, UTC.
        scope: In which part of life.
        origin: Who wrote the words.
        observed: Dimension or topic -> position that was seen in what the person did; empty where
            they only spoke.
    """

    id: str
    text: str
    at: datetime
    scope: str = ""
    origin: Origin = "person"
    observed: Mapping[str, float] = field(default_factory=dict, hash=False)


class MemoryUnderTest(Protocol):
    """What a suite asks of a memory."""

    def remember(self, user: str, turns: Sequence[Turn]) -> None: ...
    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]: ...
    def forget(self, user: str, about: str) -> int:
        """Delete all that was said about a subject; how many pieces went."""
        ...

    def beliefs(self, user: str, at: datetime, scope: str = "") -> Sequence[Preference] | None:
        """What is believed; None of a memory that keeps texts alone."""
        ...


class Method(Protocol):
    """Makes an empty memory in a folder."""

    @property
    def name(self) -> str: ...
    def open(self, folder: Path) -> AbstractContextManager[MemoryUnderTest]: ...


def mentions(text: str, subject: str) -> bool:
    """Whether a text names a subject, endings aside."""
    wanted = stems(subject)
    return bool(wanted) and set(wanted) <= set(stems(text))


class _Held(AbstractContextManager[MemoryUnderTest]):
    """A memory that needs no closing."""

    def __init__(self, memory: MemoryUnderTest) -> None:
        self.memory = memory

    def __enter__(self) -> MemoryUnderTest:
        return self.memory

    def __exit__(self, *_: object) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Befit:
    """befit's own memory, through its public methods, as the application builds it.

    The people of the suites consent to all that is told of them. What is distilled from the words
    as a preference is kept as a statement; other words of the person as authored text; what they
    did as behaviour; and everything with the origin it came with.

    Attributes:
        encoder: Relates texts by meaning.
        name: In the result.
    """

    encoder: Encoder | None
    name: str = "befit"

    def open(self, folder: Path) -> AbstractContextManager[MemoryUnderTest]:
        """A store in a file of that folder."""
        store = SqliteMemory(
            path=folder / "befit.db", space=SPACE, encoder=self.encoder, budget=BUDGET
        )
        space = load_space(SPACE)
        heeding = ConsentedMemory(
            memory=store,
            ledger=SqliteLedger(path=folder / "befit.db.rights"),
            screen=InjectionScreen(),
            assumed=tuple(
                Grant(kind=kind, purpose="personalize", allowed=True, at=EVER) for kind in KINDS
            ),
            read=lambda text: read_statement(space, text),
        )
        return _Held(BefitMemory(heeding, store))


class BefitMemory:
    """The adapter around one memory.

    Args:
        memory: What is asked and told.
        store: What it keeps things in.
    """

    def __init__(self, memory: ConsentedMemory, store: SqliteMemory) -> None:
        self.memory = memory
        self.store = store

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        """Keep the turns; what one of them asks to be forgotten goes, the request with it."""
        kept: list[Evidence] = []
        said: list[str] = []
        for turn in turns:
            rest = turn.text
            if turn.origin == "person" and not turn.observed and asks(turn.text, turn.at):
                self.memory.remember(kept)
                kept = []
                rest = honour(self.memory, UserId(user), turn.text, said, turn.at, near=self._near)
            said.append(turn.text)
            kept += [_evidence(user, replace(turn, text=rest))] if rest else []
        self.memory.remember(kept)

    def sends(self, said: Sequence[str], at: datetime) -> Sequence[str]:
        """What of a conversation would reach a model."""
        return sent(said, at, self._near)

    @property
    def _near(self) -> Near | None:
        return near_by(self.store.encoder) if self.store.encoder is not None else None

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        """The first k excerpts of the profile."""
        profile = self.memory.recall(_asked(user, prompt, at, scope))
        return [each.text for each in profile.evidence[:k]]

    def forget(self, user: str, about: str) -> int:
        """Forget by ids: whatever names the subject, in words or among the values."""
        found = [
            each.id
            for each in self.memory.evidence(UserId(user))
            if mentions(each.text, about)
            or any(name == about or mentions(name, about) for name in each.values)
        ]
        return self.memory.forget(UserId(user), found)

    def reads(self, text: str) -> bool:
        """Whether a text would be kept as a statement of a preference."""
        return bool(distilled(text))

    def beliefs(self, user: str, at: datetime, scope: str = "") -> Sequence[Preference] | None:
        """The beliefs of the profile."""
        return self.memory.recall(_asked(user, "", at, scope)).preferences


def _asked(user: str, prompt: str, at: datetime, scope: str) -> Context:
    messages = (Message("user", prompt),) if prompt else ()
    return Context(user=UserId(user), messages=messages, at=at, scope=scope)


def _evidence(user: str, turn: Turn) -> Evidence:
    told = () if turn.observed else distilled(own_part(turn.text))  # as a turn is listened to
    kind, noise, scope = EvidenceKind.AUTHORED, AUTHORED_NOISE, turn.scope
    if turn.observed:
        kind, noise = EvidenceKind.BEHAVIOUR, BEHAVED_NOISE
    elif told:
        kind, noise = EvidenceKind.STATED, min(each.noise for each in told)
        scope = scope or next((each.scope for each in told if each.scope), "")
    values = {name: value for each in told for name, value in each.values.items()}
    return Evidence(
        id=f"{user}/{turn.id}",
        user=UserId(user),
        kind=kind,
        at=turn.at,
        text=turn.text,
        values=turn.observed or values,
        noise=noise,
        scope=scope,
        origin=turn.origin,
    )


@lru_cache(maxsize=32_768)
def distilled(text: str) -> tuple[Statement, ...]:
    """The statements of a text; many people of the suites say the same."""
    return tuple(Distiller(space=load_space(SPACE)).distil(text))


def named(belief: Preference, subject: str) -> bool:
    """Whether a belief is about a subject: a dimension by its name, a topic by its words."""
    if belief.dimension == subject:
        return True
    return belief.dimension.startswith(TOPIC) and mentions(belief.dimension, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bm25:
    """Texts ranked by their words; the newer first between equals.

    Source: BM25, Robertson and Zaragoza 2009, equation 3.15.
    """

    name: str = "bm25"

    def open(self, folder: Path) -> AbstractContextManager[MemoryUnderTest]:
        """In memory alone."""
        return _Held(_Ranked(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """Texts ranked by the cosine of their embeddings.

    Attributes:
        encoder: Whose embeddings.
        name: In the result.
    """

    encoder: Encoder
    name: str = "encoder"

    def open(self, folder: Path) -> AbstractContextManager[MemoryUnderTest]:
        """In memory alone."""
        return _Held(_Ranked(self.encoder))


class _Ranked:
    """All turns of a person, ranked anew at each question, in its scope and wider ones."""

    def __init__(self, encoder: Encoder | None) -> None:
        self.encoder = encoder
        self.turns: dict[str, list[Turn]] = {}
        self.words: dict[str, Counter[str]] = {}  # text -> its words
        self.vectors: dict[str, NDArray[np.float32]] = {}  # text -> its embedding

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        self.turns.setdefault(user, []).extend(turns)
        texts = [turn.text for turn in turns]
        if self.encoder is None:
            self.words.update((text, Counter(stems(text))) for text in texts)
        else:
            encoded = np.asarray(self.encoder.encode(texts), dtype=np.float32)
            self.vectors.update(zip(texts, encoded, strict=True))

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        kept = [t for t in self.turns.get(user, ()) if t.at <= at and covers(t.scope, scope)]
        if not kept:
            return []
        texts = [turn.text for turn in kept]
        if self.encoder is None:
            scores = _bm25([self.words[text] for text in texts], prompt)
        else:
            (vector,) = np.asarray(self.encoder.encode([prompt]), dtype=np.float32)
            matrix = np.stack([self.vectors[text] for text in texts])
            scores = [float(score) for score in matrix @ vector]
        order = sorted(range(len(kept)), key=lambda n: (-scores[n], -n))
        return [texts[n] for n in order[:k]]

    def forget(self, user: str, about: str) -> int:
        kept = [turn for turn in self.turns.get(user, ()) if not mentions(turn.text, about)]
        gone = len(self.turns.get(user, ())) - len(kept)
        self.turns[user] = kept
        return gone

    def beliefs(self, user: str, at: datetime, scope: str = "") -> None:
        return None


def covers(scope: str, asked: str) -> bool:
    """Whether what was said in ``scope`` holds where it is asked: the same place or a wider one."""
    return not scope or scope == asked or asked.startswith(f"{scope}/")


def _bm25(
    documents: Sequence[Counter[str]], prompt: str, k1: float = 1.2, b: float = 0.75
) -> list[float]:
    lengths = [document.total() for document in documents]
    mean = max(1.0, sum(lengths) / len(documents))
    scores = [0.0] * len(documents)
    for term in dict.fromkeys(stems(prompt)):
        times = [document[term] for document in documents]
        having = sum(1 for count in times if count)
        if not having:
            continue
        rarity = log(1.0 + (len(documents) - having + 0.5) / (having + 0.5))
        for n, count in enumerate(times):
            size = k1 * (1.0 - b + b * lengths[n] / mean)
            scores[n] += rarity * count * (k1 + 1.0) / (count + size) if count else 0.0
    return scores
