"""Made-up people and a cheap deterministic encoder: the same on every machine, no model needed.

The vectors of a benchmark are *given*: a text's vector is the sum of fixed random vectors, one for
each word. It costs microseconds, clusters as words do, and says nothing about real meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

WIDTH = 384
_BUCKETS = 4096

_SUBJECTS = (
    "travel", "food", "work", "music", "sport", "books",
    "code", "family", "health", "money", "garden", "news",
)  # fmt: skip
_WISHES = (
    "I like {a} answers with {b} first and short sentences",
    "please explain {a} in plain words and show one example of {b}",
    "last year I spent many evenings on {a} and learned about {b}",
    "do not send me long lists about {a}; one line on {b} is enough",
    "my sister asked about {a} and I told her what I know of {b}",
)


@lru_cache(maxsize=1)
def _table() -> NDArray[np.float32]:
    rng = np.random.default_rng(20_260_101)
    return rng.standard_normal((_BUCKETS, WIDTH), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedWords:
    """An encoder that adds up one fixed random vector for each word.

    Attributes:
        known: Vectors that were computed before; a text found there costs a look-up.
    """

    known: dict[str, NDArray[np.float32]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        return "hashed-words"

    @property
    def width(self) -> int:
        return WIDTH

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 384)."""
        known = [self.known.get(text) for text in texts]
        vectors = [_vector(t) if v is None else v for t, v in zip(texts, known, strict=True)]
        return np.array(vectors, dtype=np.float32).reshape(len(texts), WIDTH)


def _vector(text: str) -> NDArray[np.float32]:
    words = [crc32(word.encode()) % _BUCKETS for word in text.split()] or [0]
    total: NDArray[np.float32] = _table()[words].sum(axis=0)
    return total / np.float32(np.linalg.norm(total))


def name_of(person: int) -> str:
    """The id of the n-th made-up person."""
    return f"person-{person:07d}"


def texts_of(person: int, count: int = 10) -> list[str]:
    """What the n-th person said; different for each."""
    return [
        _WISHES[i % len(_WISHES)].format(
            a=_SUBJECTS[(person + i) % len(_SUBJECTS)],
            b=f"{_SUBJECTS[(person // 12 + 5 * i) % len(_SUBJECTS)]} {person % 9973 + i}",
        )
        for i in range(count)
    ]


def prompt_of(number: int) -> str:
    """The n-th question: about twenty words."""
    a, b = _SUBJECTS[number % 12], _SUBJECTS[(number // 12 + 3) % 12]
    return (
        f"I have to decide about {a} until next week, and somebody told me to look at {b} as well;"
        f" what would you do?"
    )
