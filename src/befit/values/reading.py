"""What the value heads see of a (prompt, reply): blocks of numbers, the same when fitted and used.

Blocks are dense and aligned by row. The prompt's blocks are zero where the reply is a refusal, so
that a refusal is judged by itself whatever was asked. What a language model makes of both together
is read by ``values.hidden``, where heads ask for it. It holds no weights.

Source: feature hashing, Weinberger et al. 2009 (arXiv:0902.2206), unsigned.
"""

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from befit.core.protocols import Encoder
from befit.core.registry import missing_extra
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.features.style import FEATURES, style_vector
from befit.values.refusals import is_refusal

Floats = NDArray[np.float32]
Features = Literal["small", "local"]  # the encoder alone, or beside the embedded language model
Block = Literal["asked", "asked_words", "said", "said_words", "apart", "shape", "inside"]
Inside = Callable[[Sequence[str], Sequence[str]], Floats]

BUCKETS = 8192  # of hashed words and word pairs; 16 kB a head in half precision
INSIDE = 3 * 576  # the reply's mean, its end, and the prompt's mean in the embedded language model
_OWN = 12  # numbers of `_shape` beside the style vector and the cosine
_MOST = 4000  # characters of a text that are read for words
_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[?!]")
_COMMON_WORDS = (
    "the a an of to in and or is are was were be it that this i you we they he she for on with as"
    " at by from do does did can could would should will not no so if but what how why when where"
    " who which my your me have has had there"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_ASKS = re.compile(
    r"(?:i'm not sure|i don't know|i am not sure|sorry|i'm sorry|what|can you|could you|do you"
    r"|are you)\b"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts with their vectors, from which any block can be made.

    Attributes:
        prompts: What was asked, n of them.
        texts: The replies, n.
        prompt_vectors: Shape (n, d), unit rows.
        text_vectors: Shape (n, d), unit rows.
        inside: Hidden states of a language model that read each (prompt, reply), shape
            (n, `INSIDE`); none where no head asks for them.
    """

    prompts: Sequence[str]
    texts: Sequence[str]
    prompt_vectors: Floats
    text_vectors: Floats
    inside: Floats | None = None

    def block(self, name: Block) -> Floats:
        """Shape (n, `widths()`[name])."""
        return _BLOCKS[name](self)

    def block_named(self, name: str) -> Floats:
        """As `block`, by a name that was read from a file.

        Raises:
            KeyError: There is none of that name.
        """
        return self.block(_NAMED[name])

    @property
    def engaged(self) -> Floats:
        """1 where the reply is no refusal, else 0; shape (n, 1)."""
        return np.array([[not is_refusal(text)] for text in self.texts], dtype=np.float32)


@lru_cache(maxsize=1)
def embedded() -> Encoder:
    """The encoder that ships, with a cache in memory."""
    return cast("Encoder", CachedEncoder(cast("Encoder", MiniLM())))


def read(
    encoder: Encoder, prompts: Sequence[str], texts: Sequence[str], inside: Inside | None = None
) -> Reading:
    """Encode both sides of each (prompt, reply); with ``inside``, also read them together."""
    vectors = np.asarray(encoder.encode([*prompts, *texts]), dtype=np.float32)
    states = None if inside is None else inside(prompts, texts)
    return Reading(prompts, texts, vectors[: len(prompts)], vectors[len(prompts) :], states)


def inside(features: Features) -> Inside | None:
    """What reads hidden states where those features need them; None where they do not.

    Raises:
        MissingExtraError: The libraries that run a language model are not installed.
    """
    if features == "small":
        return None
    try:
        from befit.values.hidden import HiddenStates  # noqa: PLC0415 - torch
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return HiddenStates()


def widths(width: int) -> Mapping[Block, int]:
    """Numbers in each block for an encoder of that width."""
    return {
        "asked": width,
        "asked_words": BUCKETS,
        "said": width,
        "said_words": BUCKETS,
        "apart": width,
        "shape": len(FEATURES) + _OWN + 1,
        "inside": INSIDE,
    }


def _inside(reading: Reading) -> Floats:
    if reading.inside is None:
        raise ValueError("these heads read hidden states, and none were read")
    return reading.inside


def _words(texts: Sequence[str]) -> Floats:
    """Logarithmic counts of hashed words and word pairs, rows of length 1; (n, BUCKETS)."""
    rows = np.zeros((len(texts), BUCKETS), dtype=np.float32)
    for number, text in enumerate(texts):
        tokens = _tokens(text)
        pairs = [f"{first} {second}" for first, second in pairwise(tokens)]
        for gram in (*tokens, *pairs):
            rows[number, zlib.crc32(gram.encode()) % BUCKETS] += 1.0
    np.log1p(rows, out=rows)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text[:_MOST].lower().replace("\u2019", "'"))


def _shape(reading: Reading) -> Floats:
    cosine = (reading.prompt_vectors * reading.text_vectors).sum(axis=1, keepdims=True)
    own = np.array(
        [_own(prompt, text) for prompt, text in zip(reading.prompts, reading.texts, strict=True)]
    ).reshape(-1, _OWN)
    style = np.array([style_vector(text) for text in reading.texts]).reshape(-1, len(FEATURES))
    # scaled so that one ridge suits all: the spread of each column is about a third
    return np.hstack([0.3 * style, 0.5 * own, cosine]).astype(np.float32)


def _own(prompt: str, text: str) -> list[float]:
    """How the reply takes up the prompt, and how it opens and ends."""
    asked = {word for word in _tokens(prompt) if word not in _COMMON}
    words = [word for word in _tokens(text) if word not in "?!"]
    content = [word for word in words if word not in _COMMON]
    kinds = set(content)
    ending = text.rstrip()
    return [
        np.log1p(len(words)) / 3,
        len(asked & kinds) / max(1, len(asked)),
        sum(word in asked for word in content) / max(1, len(content)),
        len(kinds) / max(1, len(content)),
        np.log1p(len(kinds - asked)) / 3,
        float(ending.endswith("?")),
        float(len(words) < 8),
        float("?" in text[:-1]),
        float(ending.endswith((".", "!", "?", "`"))),
        np.log1p(text.count("\n")) / 2,
        float(bool(_ASKS.match(text.lstrip().lower()))),
        float(is_refusal(text)),
    ]


_BLOCKS: Mapping[Block, Callable[[Reading], Floats]] = {
    "asked": lambda reading: reading.prompt_vectors * reading.engaged,
    "asked_words": lambda reading: _words(reading.prompts) * reading.engaged,
    "said": lambda reading: reading.text_vectors,
    "said_words": lambda reading: _words(reading.texts),
    "apart": lambda reading: np.abs(reading.prompt_vectors - reading.text_vectors),
    "shape": _shape,
    "inside": _inside,
}
_NAMED: Mapping[str, Block] = {str(block): block for block in _BLOCKS}
