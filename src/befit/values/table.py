"""The rows that a value head is fitted on, as one sparse matrix with what each row is.

Source: Bradley and Terry 1952 (a comparison is a row of differences).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from befit.core.errors import NotEnoughFeedbackError
from befit.core.protocols import Encoder
from befit.values.corpora import Compared, Corpus, Judged, Value, digest, held_out
from befit.values.reading import Block, Features, inside, read, widths
from befit.values.refusals import is_refusal
from befit.values.weights import scales

Array = NDArray[np.float64]

FOLDS = 5
_CHUNK = 256  # texts whose dense blocks are held at once
_LEAST = 50  # rows under which no head is fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a regression.

    Attributes:
        features: Shape (n, width); the last column is the intercept, 0 in a comparison.
        target: 1 where the row is bad.
        weight: How much it counts.
        fold: Which of the folds its group falls into.
        single: Whether it is a judged reply rather than a comparison.
        better: Mean features of the preferred replies.
        blocks: Which columns are which.
        factor: What each column but the intercept was multiplied by.
        centre: What was taken from each of them before.
        source: Name of the data set of each row.
        group: Group of each row.
        engaged: Whether the reply is no refusal.
    """

    features: sparse.csr_matrix
    target: NDArray[np.int64]
    weight: Array
    fold: NDArray[np.int64]
    single: NDArray[np.bool_]
    better: Array
    blocks: dict[Block, slice]
    factor: Array
    centre: Array
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    engaged: NDArray[np.bool_]


def table_of(
    encoder: Encoder, value: Value, sources: Sequence[Corpus], features: Features
) -> Table:
    """Everything that some corpora say of a value and that may be fitted on.

    Raises:
        NotEnoughFeedbackError: They say too little.
        ModelFileError: A model does not load.
    """
    known = [(source, row) for source in sources for row in used(source)]
    compared = [(source, row) for source, row in known if isinstance(row, Compared)]
    judged = [(source, row) for source, row in known if isinstance(row, Judged)]
    if len(compared) + len(judged) < _LEAST:
        raise NotEnoughFeedbackError(
            f"there are only {len(compared) + len(judged)} rows to fit {value!r} on",
            hint="put hh-rlhf, truthfulqa and oasst1 on the data search path",
            field="data",
        )
    texts = [(row.prompt, row.better) for _, row in compared]
    texts += [(row.prompt, row.worse) for _, row in compared]
    texts += [(row.prompt, row.text) for _, row in judged]
    found, blocks, factor, centre = _features(encoder, value, texts, features)
    better, worse, singles = np.split(np.arange(len(texts)), [len(compared), 2 * len(compared)])
    pairs = found[worse] - found[better]
    rows: list[tuple[Corpus, Compared | Judged]] = [*compared, *compared, *judged]
    bad = np.array([row.bad for _, row in judged], dtype=np.int64)
    counts = np.array([source.weight for source, _ in judged])
    target = np.concatenate([np.ones(len(compared)), np.zeros(len(compared)), bad])
    return Table(
        features=sparse.vstack(
            [_with(pairs, 0.0), _with(-pairs, 0.0), _with(found[singles], 1.0)], format="csr"
        ),
        target=target.astype(np.int64),
        weight=np.concatenate([np.full(2 * len(compared), 0.5), _balanced(bad, counts)]),
        fold=np.array([digest(row.group) // 5 % FOLDS for _, row in rows]),
        single=np.arange(len(rows)) >= 2 * len(compared),
        better=np.asarray(found[better].mean(axis=0)).ravel()
        if compared
        else np.zeros(found.shape[1]),
        blocks=blocks,
        factor=factor,
        centre=centre,
        source=np.array([source.name for source, _ in rows]),
        group=np.array([row.group for _, row in rows]),
        engaged=np.array([not is_refusal(text) for _, text in texts]),
    )


def _features(
    encoder: Encoder, value: Value, rows: Sequence[tuple[str, str]], features: Features
) -> tuple[sparse.csr_matrix, dict[Block, slice], Array, Array]:
    """Scaled features of each row, where each block stands, and how to scale another row."""
    wanted = scales(value, features)
    sizes = widths(encoder.width)
    ends = np.cumsum([sizes[block] for block in wanted])
    blocks = {b: slice(end - sizes[b], end) for b, end in zip(wanted, ends.tolist(), strict=True)}
    factor = np.concatenate([np.full(sizes[block], scale) for block, scale in wanted.items()])
    centre = np.zeros(len(factor))
    reader, parts = inside(features), []
    for start in range(0, len(rows), _CHUNK):
        prompts, texts = zip(*rows[start : start + _CHUNK], strict=True)
        reading = read(encoder, prompts, texts, reader)
        parts.append(sparse.csr_matrix(np.hstack([reading.block(block) for block in wanted])))
    found = sparse.vstack(parts, format="csr")
    if "inside" in blocks:
        states = found[:, blocks["inside"]].toarray()
        centre[blocks["inside"]] = states.mean(axis=0)
        factor[blocks["inside"]] /= states.std(axis=0) + 1e-6
        rest = [found[:, at] for block, at in blocks.items() if block != "inside"]
        found = sparse.hstack([*rest, states - states.mean(axis=0)], format="csr")
    return found @ sparse.diags(factor), blocks, factor, centre


def _balanced(bad: NDArray[np.int64], counts: Array) -> Array:
    """Weights under which bad and harmless rows count the same in sum."""
    if len(bad) == 0 or bad.min() == bad.max():
        return counts
    part = float(counts @ bad) / counts.sum()
    return np.asarray(counts * np.where(bad == 1, 0.5 / part, 0.5 / (1.0 - part)))


def _with(features: sparse.csr_matrix, intercept: float) -> sparse.csr_matrix:
    column = sparse.csr_matrix(np.full((features.shape[0], 1), intercept))
    return sparse.hstack([features, column], format="csr")


def used(source: Corpus) -> list[Compared | Judged]:
    """The rows that may be fitted on: all but the groups that are kept to measure on."""
    rows: list[Compared | Judged] = [*source.compared, *source.judged]
    return [row for row in rows if source.whole or not held_out(row.group)]
