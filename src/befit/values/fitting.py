"""Fits the value heads on the data there is, and measures heads on what they were not fitted on.

One logistic regression a value takes compared and judged replies together: a comparison is a row
of differences without intercept. Where there are both, the comparisons are fitted first, on the
reply alone, and what they say is one more column of the whole: else the judged rows, which are
easier, decide what a reply is worth. Calibration, thresholds and the cross-validated figures come
from scores of folds that were left out. Groups (a question, a dialogue's first turn) never stand
on both sides of a split. It finds no data itself.

Source: Platt 1999 (calibration); Wolpert 1992 (stacking).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from befit.core.protocols import Encoder
from befit.values.constitution import constitution
from befit.values.contrast import contrast
from befit.values.corpora import VALUES, Compared, Corpus, Value, corpora, digest
from befit.values.measuring import (
    Row,
    auroc,
    both_sides,
    calibration_error,
    check,
    measure,
    measured,
    share,
)
from befit.values.reading import Block, Features, embedded
from befit.values.table import FOLDS, Table, table_of, used
from befit.values.weights import HeadsCard, save_heads

__all__ = ["check", "fit"]  # the two verbs of `befit values`

Array = NDArray[np.float64]
Progress = Callable[[str], None]

_FREELY = 1.5  # how much further weights may grow where comparisons are fitted first
_KEPT = 2.0  # how freely their verdict enters the whole
_METHOD = "heads-cross-validated"


def fit(
    data_root: Path,
    out_folder: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    permissive: bool = False,
    encoder: Encoder | None = None,
    features: Features = "small",
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
        features: "small" reads vectors and words; "local" also the hidden states of the embedded
            language model, which judges better and takes about four times as long.

    Raises:
        NotEnoughFeedbackError: The data offers too little for a head.
        MissingExtraError: The libraries that run a language model are not installed.
        ModelFileError: The encoder does not load, or the folder cannot be written.
    """
    say = progress or _silent
    eyes = encoder or embedded()
    sources = training(data_root, permissive=permissive)
    tensors: dict[str, NDArray[Any]] = {}
    validated: list[Row] = []
    for value in VALUES:
        say(f"{value}: reading")
        wanted = [source for source in sources if source.value == value]
        rows = table_of(eyes, value, wanted, features)
        say(f"{value}: fitting on {len(rows.target)} rows")
        made, figures = _head(value, rows, seed)
        tensors |= made
        validated += figures
        tensors[f"{value}.seen"] = _seen(wanted)
    about: dict[str, Any] = {
        "encoder": eyes.name,
        "features": features,
        "seed": seed,
        "constitution": constitution().version,
        "data": tuple(_described(source) for source in sources),
        "validated": tuple(validated),
        "figures": {},
    }
    heads = save_heads(out_folder, tensors, about)
    say("measuring on what was held out")
    about["figures"] = {
        f"{row['data']}/{row['method']}/{row['metric']}": round(row["value"], 4)
        for row in measure(data_root, heads, eyes, seed=seed)
    }
    return save_heads(out_folder, tensors, about).card


def _seen(sources: Sequence[Corpus]) -> NDArray[np.uint32]:
    """Digests of the groups and prompts that a head is fitted on, sorted."""
    rows = [row for source in sources for row in used(source)]
    found = {digest(name) for row in rows for name in (row.group, row.prompt)}
    return np.array(sorted(found), dtype=np.uint32)


def training(data_root: Path, *, permissive: bool = False) -> list[Corpus]:
    """What heads may be fitted on: the contrast requests, and the sets found under ``data_root``.

    Args:
        data_root: A folder with one folder a data set.
        permissive: Only what weights that ship may be fitted on.
    """
    return [contrast()] + [
        corpus
        for corpus in corpora(data_root)
        if not corpus.test_only and (corpus.permissive or not permissive)
    ]


def compared_weights(
    encoder: Encoder, value: Value, rows: Sequence[Compared], seed: int
) -> dict[Block, Array]:
    """Weights by block of a head of the small features, fitted on comparisons alone.

    Raises:
        NotEnoughFeedbackError: There are too few of them.
        ModelFileError: The encoder does not load.
    """
    source = Corpus(
        name="given", value=value, licence="", permissive=True, test_only=False, whole=True,
        sha256="", compared=tuple(rows),
    )  # fmt: skip
    table = table_of(encoder, value, [source], "small")
    weights = _weights(table, np.ones(len(table.target), dtype=bool), seed)
    return dict(_by_block(table, table.factor * weights[:-1]))


def _head(value: Value, rows: Table, seed: int) -> tuple[dict[str, NDArray[Any]], list[Row]]:
    """The tensors of one head, and what it does on the folds that it was not fitted on."""
    everything = np.ones(len(rows.target), dtype=bool)
    out_of_fold = np.zeros(len(rows.target))
    for fold in range(FOLDS):
        test = rows.fold == fold
        if test.any():
            out_of_fold[test] = rows.features[test] @ _weights(rows, ~test, seed)
    weights = _weights(rows, everything, seed)
    slope, offset = _calibration(rows, out_of_fold, weights)
    # a judged row's score out of fold holds its intercept, which the stored score lacks
    chances = 1.0 / (1.0 + np.exp(-(slope * (out_of_fold - weights[-1]) + offset)))
    stored = rows.factor * weights[:-1]
    tensors: dict[str, NDArray[Any]] = {
        f"{value}.{block}": part.astype(np.float32 if block == "inside" else np.float16)
        for block, part in _by_block(rows, stored)
    }
    offset -= slope * float(rows.centre @ stored)
    tensors[f"{value}.calibration"] = np.array([slope, offset], dtype=np.float32)
    threshold = _threshold(value, rows, chances)
    tensors[f"{value}.threshold"] = np.array([threshold], dtype=np.float32)
    return tensors, list(_validated(value, rows, out_of_fold, chances, threshold, seed=seed))


def _weights(rows: Table, train: NDArray[np.bool_], seed: int) -> Array:
    """One regression, or two where there are comparisons and judgements; intercept last."""
    pairs = train & ~rows.single
    if not (pairs.any() and (train & rows.single).any()):
        return _regression(rows, rows.features, train, seed)
    reply = np.zeros(rows.features.shape[1])
    for block, at in rows.blocks.items():
        reply[at] = {"asked": 0.0, "asked_words": 0.0, "inside": 1.0}.get(block, _FREELY)
    replies = rows.features @ sparse.diags(reply)
    verdict = np.zeros(len(rows.target))
    for fold in range(FOLDS):
        left_out = pairs & (rows.fold == fold)
        if left_out.any() and (pairs & ~left_out).any():
            verdict[left_out] = replies[left_out] @ _regression(
                rows, replies, pairs & ~left_out, seed
            )
    first = _regression(rows, replies, pairs, seed)
    verdict[~pairs] = replies[~pairs] @ first
    told = sparse.csr_matrix(_KEPT * verdict[:, None])
    second = _regression(rows, sparse.hstack([rows.features, told], format="csr"), train, seed)
    return np.asarray(second[:-1] + _KEPT * second[-1] * reply * first)


def _regression(
    rows: Table, features: sparse.csr_matrix, train: NDArray[np.bool_], seed: int
) -> Array:
    # the intercept is a column, so that comparisons can leave it out
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=500, random_state=seed)
    model.fit(features[train], rows.target[train], sample_weight=rows.weight[train])
    return np.asarray(model.coef_[0], dtype=np.float64)


def _calibration(rows: Table, scores: Array, weights: Array) -> tuple[float, float]:
    """Slope and offset that turn a score without intercept into a probability."""
    kept = rows.single if rows.single.any() else ~rows.single
    model = LogisticRegression(C=1e6, fit_intercept=bool(rows.single.any()))
    model.fit(scores[kept, None], rows.target[kept], sample_weight=rows.weight[kept])
    slope = float(model.coef_[0, 0])
    if rows.single.any():
        return slope, float(model.intercept_[0]) + slope * float(weights[-1])
    # comparisons have no zero of their own: the typical preferred reply is given one half
    return slope, -slope * float(rows.better @ weights[:-1])


def _threshold(value: Value, rows: Table, chances: Array) -> float:
    """Where the stated share of replies that keep the value would be refused.

    Counted are replies that are no refusals, of data in which some break the value: there they
    are hard to tell apart.
    """
    principle = constitution()[value]
    mixed = np.isin(rows.source, rows.source[rows.single & (rows.target == 1)])
    kept = rows.single & rows.engaged & (rows.target == 0) & mixed
    if principle.false_refusals == 0.0 or not kept.any():
        return principle.threshold
    return float(np.quantile(chances[kept], 1.0 - principle.false_refusals))


def _validated(
    value: Value, rows: Table, scores: Array, chances: Array, threshold: float, *, seed: int
) -> Iterator[Row]:
    """What the head does on the folds that were left out, by data set."""
    for name in dict.fromkeys(rows.source.tolist()):
        data = f"{name}/{value}"
        pairs = np.flatnonzero((rows.source == name) & ~rows.single & (rows.target == 1))
        judged = np.flatnonzero((rows.source == name) & rows.single)
        if len(pairs):
            right = (np.sign(scores[pairs]) + 1.0) / 2.0
            yield measured(data, _METHOD, "accuracy", share(right), rows.group[pairs], seed=seed)
        bad, risk = rows.target[judged] == 1, chances[judged]
        if bad.any() and not bad.all():
            for metric, of in (("auroc", auroc), ("calibration_error", calibration_error)):
                figure = both_sides(of, risk, bad)
                yield measured(data, _METHOD, metric, figure, rows.group[judged], seed=seed)
        for metric, side in (("recall", bad), ("false_refusals", ~bad)):
            if side.any():
                hits = risk[side] >= threshold
                yield measured(
                    data, _METHOD, metric, share(hits), rows.group[judged][side], seed=seed
                )


def _by_block(rows: Table, weights: Array) -> Iterator[tuple[Block, Array]]:
    return ((block, weights[at]) for block, at in rows.blocks.items())


def _described(source: Corpus) -> dict[str, Any]:
    return {
        "name": source.name,
        "value": source.value,
        "licence": source.licence,
        "sha256": source.sha256,
        "rows": len(used(source)),
    }


def _silent(message: str) -> None:
    """Nobody wants to know."""
