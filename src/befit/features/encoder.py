"""Texts to unit vectors: MiniLM computed in numpy.

`MiniLM` runs the six layers of all-MiniLM-L6-v2 without torch. Tokens of many texts lie one after
another without padding, so a vector does not depend on which texts share the call, but for
rounding.

Source: Wang et al. 2020, "MiniLM" (arXiv:2002.10957); Reimers and Gurevych 2019, "Sentence-BERT"
(arXiv:1908.10084), mean pooling.
"""

import itertools
import json
import logging
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from befit.core.errors import ModelFileError
from befit.models.catalogue import checked, spec

Floats = NDArray[np.float32]

_HEADS = 12
_MAX_TOKENS = 256
_MAX_CHARACTERS = 16 * _MAX_TOKENS  # more than its tokens can hold; spares reading a megabyte
_WORDS = "embeddings.word_embeddings.weight"
_TOKENS_AT_ONCE = 1024  # keeps the widest activations inside a core's cache
_GELU_AT_ONCE = 1 << 14

# erf(x) = x P(x^2) / Q(x^2) on |x| <= 3.8325, beyond which it is 1 in float32: a minimax rational
# fit whose error stays under 4e-7; the tests hold it against math.erf
_ERF_END = 3.832506856900711
_ERF_P = (
    0.00022905065861350646,
    0.0034082910107109506,
    0.050955695062380861,
    0.18520832239976145,
    1.128379143519084,
)
_ERF_Q = (
    -1.1791602954361697e-7,
    0.000023547966471313185,
    0.0010179625278914885,
    0.014070470171167667,
    0.11098505178285362,
    0.49746925110067538,
    1.0,
)

_log = logging.getLogger(__name__)
_loading = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniLM:
    """all-MiniLM-L6-v2 in numpy: 384 numbers a text, mean-pooled, of length 1.

    Loads on first use, once per process and folder. Reads the first 256 tokens of a text.

    Attributes:
        path: A folder with ``model.safetensors`` and ``tokenizer.json``; "" is the embedded model.
    """

    path: str = ""

    @property
    def name(self) -> str:
        """Which weights made the vectors."""
        return "minilm-l6" if not self.path else f"minilm-l6:{Path(self.path).name}"

    @property
    def width(self) -> int:
        """Numbers per text."""
        return 384

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), 384).

        Raises:
            MissingExtraError: The model's package is not installed.
            ModelFileError: The model's files are missing or damaged.
        """
        vectors = np.empty((len(texts), self.width), dtype=np.float32)
        if not texts:
            return vectors
        with _loading:
            model = _load(self.path)
        encodings = model.tokenizer.encode_batch_fast([text[:_MAX_CHARACTERS] for text in texts])
        ids = [encoding.ids for encoding in encodings]
        order = sorted(range(len(texts)), key=lambda index: len(ids[index]))
        for rows in _batches(order, ids):
            vectors[rows] = _pooled(model, [ids[row] for row in rows])
        return vectors


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    tokenizer: Tokenizer
    weights: Mapping[str, Floats]
    layers: int


@lru_cache(maxsize=4)
def _load(path: str) -> _Loaded:
    folder = Path(path) if path else checked(spec("minilm-l6")).parent
    tokenizer = _tokenizer(folder)
    try:
        weights = _read(folder / "model.safetensors")
        layers = 1 + max(int(name.split(".")[2]) for name in weights if ".layer." in name)
        # what is multiplied from the right is stored transposed and contiguous, once
        ready = {
            name: np.ascontiguousarray(array.T) if name.endswith("dense.weight") else array
            for name, array in weights.items()
        }
        for layer in range(layers):
            _join_projections(ready, f"encoder.layer.{layer}.attention.self")
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise _unreadable(folder, error) from error
    tokenizer.enable_truncation(_MAX_TOKENS)
    tokenizer.no_padding()
    return _Loaded(tokenizer=tokenizer, weights=ready, layers=layers)


def _read(path: Path) -> dict[str, Floats]:
    """Every tensor of a file; the table of words, of which a text needs few rows, stays on disk."""
    with safe_open(path, framework="numpy") as file:
        found = {name: file.get_tensor(name) for name in file.keys() if name != _WORDS}  # noqa: SIM118
    with path.open("rb") as raw:
        (size,) = struct.unpack("<Q", raw.read(8))
        words = json.loads(raw.read(size))[_WORDS]
    if words["dtype"] != "F32":
        raise ValueError(f"{_WORDS} is {words['dtype']}, not F32")
    found[_WORDS] = np.memmap(
        path, dtype=np.float32, mode="r", offset=8 + size + words["data_offsets"][0],
        shape=tuple(words["shape"]),
    )  # fmt: skip
    return found


def _tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library has no narrower type for a file that does not read
        raise _unreadable(folder, error) from error


def _unreadable(folder: Path, error: Exception) -> ModelFileError:
    return ModelFileError(
        f"the encoder in {folder.name} does not load: {error}",
        hint="leave the encoder's path empty for the embedded one, or give a MiniLM folder",
        field="encoder.path",
    )


def _join_projections(weights: dict[str, Floats], prefix: str) -> None:
    names = ("query", "key", "value")
    weights[f"{prefix}.weight"] = np.ascontiguousarray(
        np.concatenate([weights.pop(f"{prefix}.{name}.weight") for name in names]).T
    )
    weights[f"{prefix}.bias"] = np.concatenate(
        [weights.pop(f"{prefix}.{name}.bias") for name in names]
    )


def _batches(order: Sequence[int], ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Runs of ``order`` whose texts hold about ``_TOKENS_AT_ONCE`` tokens together."""
    batch: list[int] = []
    tokens = 0
    for row in order:
        batch.append(row)
        tokens += len(ids[row])
        if tokens >= _TOKENS_AT_ONCE:
            yield batch
            batch, tokens = [], 0
    if batch:
        yield batch


def _pooled(model: _Loaded, ids: Sequence[Sequence[int]]) -> Floats:
    """Unit vectors of texts sorted by length: tokens flat (tokens, width), attention by length."""
    lengths = [len(each) for each in ids]
    spans: list[tuple[int, int, int]] = []  # first token, texts, tokens a text
    first = 0
    for length, group in itertools.groupby(lengths):
        count = len(list(group))
        spans.append((first, count, length))
        first += count * length
    weights = model.weights
    hidden = (
        weights[_WORDS][np.concatenate(ids)]
        + weights["embeddings.position_embeddings.weight"][
            np.concatenate([np.arange(length) for length in lengths])
        ]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    hidden = _normalised(hidden, weights, "embeddings.LayerNorm")
    for layer in range(model.layers):
        hidden = _layer(hidden, weights, f"encoder.layer.{layer}", spans)
    sums = np.add.reduceat(hidden, np.cumsum([0, *lengths[:-1]]), axis=0)
    vectors: Floats = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return vectors


def _layer(
    hidden: Floats, weights: Mapping[str, Floats], name: str, spans: Sequence[tuple[int, int, int]]
) -> Floats:
    attended = _attention(
        hidden @ weights[f"{name}.attention.self.weight"] + weights[f"{name}.attention.self.bias"],
        spans,
    )
    hidden = _normalised(
        hidden + _dense(attended, weights, f"{name}.attention.output.dense"),
        weights,
        f"{name}.attention.output.LayerNorm",
    )
    inner = gelu(_dense(hidden, weights, f"{name}.intermediate.dense"))
    return _normalised(
        hidden + _dense(inner, weights, f"{name}.output.dense"), weights, f"{name}.output.LayerNorm"
    )


def _dense(values: Floats, weights: Mapping[str, Floats], name: str) -> Floats:
    product: Floats = values @ weights[f"{name}.weight"]
    product += weights[f"{name}.bias"]
    return product


def _normalised(values: Floats, weights: Mapping[str, Floats], name: str) -> Floats:
    values = values - values.mean(axis=1, keepdims=True)
    values /= np.sqrt(np.square(values).mean(axis=1, keepdims=True) + np.float32(1e-12))
    values *= weights[f"{name}.weight"]
    values += weights[f"{name}.bias"]
    return values


def _attention(projected: Floats, spans: Sequence[tuple[int, int, int]]) -> Floats:
    """Attention inside each text: (tokens, 3 width) to (tokens, width)."""
    width = projected.shape[1] // 3
    size = width // _HEADS
    out = np.empty((projected.shape[0], width), dtype=np.float32)
    for first, count, length in spans:
        rows = slice(first, first + count * length)
        split = projected[rows].reshape(count, length, 3, _HEADS, size)
        query, key, value = split.transpose(2, 0, 3, 1, 4)  # each (count, heads, length, size)
        scores = query @ key.swapaxes(2, 3)
        scores *= np.float32(size**-0.5)
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=3, keepdims=True)
        out[rows] = (scores @ value).transpose(0, 2, 1, 3).reshape(count * length, width)
    return out


def erf(values: Floats) -> Floats:
    """The error function in float32, within 4e-7 of the exact one."""
    x = np.clip(values, np.float32(-_ERF_END), np.float32(_ERF_END))
    square = x * x
    return x * _polynomial(_ERF_P, square) / _polynomial(_ERF_Q, square)


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += np.float32(coefficient)
    return total


def gelu(values: Floats) -> Floats:
    """X times the normal distribution function of x, exact in float32; any shape."""
    flat = np.ascontiguousarray(values).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _GELU_AT_ONCE):  # a piece stays in the core's cache
        x = flat[start : start + _GELU_AT_ONCE]
        half = erf(x * np.float32(0.5**0.5))
        half += np.float32(1.0)
        half *= np.float32(0.5)
        np.multiply(x, half, out=out[start : start + _GELU_AT_ONCE])
    return out.reshape(values.shape)
