"""Fits the value heads on the data there is, and measures heads on what they were not fitted on.

One logistic regression a value takes compared and judged replies together: a comparison is a row
of differences without intercept. Probabilities are calibrated on out-of-fold scores. Groups (a
question, a dialogue's first turn) never stand on both sides of a split. It finds no data itself.

Source: Bradley and Terry 1952 (comparisons); Platt 1999 (calibration).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from befit.core.errors import NotEnoughFeedbackError
from befit.core.protocols import Encoder
from befit.values.constitution import constitution
from befit.values.corpora import (
    VALUES,
    Compared,
    Corpus,
    Judged,
    Value,
    digest,
    held_out,
    training,
)
from befit.values.measuring import check, measure
from befit.values.reading import embedded, read, widths
from befit.values.weights import HEADS, HeadsCard, save_heads

__all__ = ["check", "fit"]  # the two verbs of `befit values`

Array = NDArray[np.float64]
Progress = Callable[[str], None]

_FOLDS = 5
_CHUNK = 256  # texts whose dense blocks are held at once
_LEAST = 50  # rows under which no head is fitted


def fit(
    data_root: Path,
    out_folder: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    permissive: bool = False,
    encoder: Encoder | None = None,
) -> HeadsCard:
    """Fit all heads and write them with their card.

    Guards look first in the folder "heads" of `befit.models.cache.cache_dir`.

    Args:
        data_root: A folder with one folder a data set; what it lacks is left out.
        out_folder: Where the files go.
        seed: For the order of optimisation and the intervals.
        progress: Told what is being done.
        permissive: Only data whose licence lets the weights ship.
        encoder: Whose vectors to fit on; None is the embedded one.

    Raises:
        NotEnoughFeedbackError: The data offers too little for a head.
        ModelFileError: The encoder does not load, or the folder cannot be written.
    """
    say = progress or _silent
    used = encoder or embedded()
    sources = training(data_root, permissive=permissive)
    tensors: dict[str, NDArray[Any]] = {}
    for value in VALUES:
        say(f"{value}: reading")
        wanted = [source for source in sources if source.value == value]
        rows = _table(used, value, wanted)
        say(f"{value}: fitting on {len(rows.target)} rows")
        tensors |= _head(value, rows, used.width, seed)
        seen = {digest(group) for source in wanted for group in _groups(source)}
        tensors[f"{value}.seen"] = np.array(sorted(seen), dtype=np.uint32)
    about: dict[str, Any] = {
        "encoder": used.name,
        "seed": seed,
        "constitution": constitution().version,
        "data": tuple(_described(source) for source in sources),
        "figures": {},
    }
    heads = save_heads(out_folder, tensors, about)
    say("measuring on what was held out")
    measured = measure(data_root, heads, used, seed=seed)
    about["figures"] = {
        f"{row['data']}/{row['method']}/{row['metric']}": round(row["value"], 4) for row in measured
    }
    return save_heads(out_folder, tensors, about).card


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of the regression.

    Attributes:
        features: Shape (n, width); the last column is the intercept, 0 in a comparison.
        target: 1 where the row is bad.
        weight: How much it counts.
        fold: Which of the folds its group falls into.
        single: Whether it is a judged reply rather than a comparison.
        better: Mean features of the preferred replies.
    """

    features: sparse.csr_matrix
    target: NDArray[np.int64]
    weight: Array
    fold: NDArray[np.int64]
    single: NDArray[np.bool_]
    better: Array


def _table(encoder: Encoder, value: Value, sources: Sequence[Corpus]) -> _Table:
    compared = [row for source in sources for row in source.compared if _used(source, row)]
    judged = [row for source in sources for row in source.judged if _used(source, row)]
    if len(compared) + len(judged) < _LEAST:
        raise NotEnoughFeedbackError(
            f"there are only {len(compared) + len(judged)} rows to fit {value!r} on",
            hint="put hh-rlhf, truthfulqa and oasst1 on the data search path",
            field="data",
        )
    better = _features(encoder, value, [(row.prompt, row.better) for row in compared])
    worse = _features(encoder, value, [(row.prompt, row.worse) for row in compared])
    singles = _features(encoder, value, [(row.prompt, row.text) for row in judged])
    bad = np.array([row.bad for row in judged], dtype=np.int64)
    pairs = worse - better
    pair_folds = [digest(row.group) // 5 % _FOLDS for row in compared]
    folds = pair_folds + pair_folds + [digest(row.group) // 5 % _FOLDS for row in judged]
    return _Table(
        features=sparse.vstack(
            [_with(pairs, 0.0), _with(-pairs, 0.0), _with(singles, 1.0)], format="csr"
        ),
        target=np.concatenate([np.ones(len(compared)), np.zeros(len(compared)), bad]).astype(
            np.int64
        ),
        weight=np.concatenate([np.full(2 * len(compared), 0.5), _balanced(bad)]),
        fold=np.array(folds),
        single=np.arange(len(folds)) >= 2 * len(compared),
        better=np.asarray(better.mean(axis=0)).ravel() if compared else np.zeros(better.shape[1]),
    )


def _features(encoder: Encoder, value: Value, rows: Sequence[tuple[str, str]]) -> sparse.csr_matrix:
    parts = [sparse.csr_matrix((0, _width(encoder.width, value)))]
    for start in range(0, len(rows), _CHUNK):
        prompts, texts = zip(*rows[start : start + _CHUNK], strict=True)
        reading = read(encoder, prompts, texts)
        blocks = [scale * reading.block(block) for block, scale in HEADS[value].items()]
        parts.append(sparse.csr_matrix(np.hstack(blocks)))
    return sparse.vstack(parts, format="csr")


def _head(value: Value, rows: _Table, width: int, seed: int) -> dict[str, NDArray[Any]]:
    """The tensors of one head: weights by block, then slope and offset."""
    out_of_fold = np.zeros(len(rows.target))
    for fold in range(_FOLDS):
        test = rows.fold == fold
        if test.any():
            out_of_fold[test] = rows.features[test] @ _weights(rows, ~test, seed)
    weights = _weights(rows, np.ones(len(rows.target), dtype=bool), seed)
    tensors: dict[str, NDArray[Any]] = {}
    start = 0
    for (block, scale), size in zip(HEADS[value].items(), _sizes(width, value), strict=True):
        part = scale * weights[start : start + size]
        tensors[f"{value}.{block}"] = part.astype(np.float16)
        start += size
    slope, offset = _calibration(rows, out_of_fold, weights)
    tensors[f"{value}.calibration"] = np.array([slope, offset], dtype=np.float32)
    return tensors


def _weights(rows: _Table, train: NDArray[np.bool_], seed: int) -> Array:
    # the intercept is a column, so that comparisons can leave it out
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=500, random_state=seed)
    model.fit(rows.features[train], rows.target[train], sample_weight=rows.weight[train])
    return np.asarray(model.coef_[0], dtype=np.float64)


def _calibration(rows: _Table, scores: Array, weights: Array) -> tuple[float, float]:
    """Slope and offset that turn a score without intercept into a probability."""
    kept = rows.single if rows.single.any() else ~rows.single
    model = LogisticRegression(C=1e6, fit_intercept=bool(rows.single.any()))
    model.fit(scores[kept, None], rows.target[kept], sample_weight=rows.weight[kept])
    slope = float(model.coef_[0, 0])
    if rows.single.any():
        return slope, float(model.intercept_[0]) + slope * float(weights[-1])
    # comparisons have no zero of their own: the typical preferred reply is given one half
    return slope, -slope * float(rows.better @ weights[:-1])


def _balanced(bad: NDArray[np.int64]) -> Array:
    """Weights under which bad and harmless rows count the same in sum, 1 a row on average."""
    if len(bad) == 0 or bad.min() == bad.max():
        return np.ones(len(bad))
    share = bad.mean()
    return np.asarray(np.where(bad == 1, 0.5 / share, 0.5 / (1.0 - share)))


def _with(features: sparse.csr_matrix, intercept: float) -> sparse.csr_matrix:
    column = sparse.csr_matrix(np.full((features.shape[0], 1), intercept))
    return sparse.hstack([features, column], format="csr")


def _sizes(width: int, value: Value) -> list[int]:
    from_widths = widths(width)
    return [from_widths[block] for block in HEADS[value]]


def _width(width: int, value: Value) -> int:
    return sum(_sizes(width, value))


def _used(source: Corpus, row: Compared | Judged) -> bool:
    return source.whole or not held_out(row.group)


def _groups(source: Corpus) -> list[str]:
    rows: list[Compared | Judged] = [*source.compared, *source.judged]
    return [row.group for row in rows if _used(source, row)]


def _described(source: Corpus) -> dict[str, Any]:
    return {
        "name": source.name,
        "value": source.value,
        "licence": source.licence,
        "sha256": source.sha256,
        "rows": len(_groups(source)),
    }


def _silent(message: str) -> None:
    """Nobody wants to know."""
