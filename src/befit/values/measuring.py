"""Measures heads and rules on texts they were not fitted on, with intervals.

A row says data, method, metric and value with its 95 % interval from resampling whole groups
(questions, dialogues). Groups that the heads have seen are left out by their digest, so the same
call is right for any data folder. It fits nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from befit.core.dialogue import Context, Message
from befit.core.people import UserId
from befit.core.protocols import Encoder
from befit.values.constitution import constitution
from befit.values.contrast import contrast
from befit.values.corpora import VALUES, Compared, Corpus, Judged, Value, corpora, digest
from befit.values.heads import encoder_of
from befit.values.rules import RulesGuard
from befit.values.weights import Heads, heads_at

Array = NDArray[np.float64]
Row = dict[str, Any]

# what words alone reach, or an encoder fitted on another set's requests: logistic regression over
# counts of words and word pairs, grouped cross-validation; for xstest over sentence embeddings
FLOORS: tuple[tuple[str, Value, str, float], ...] = (
    ("hh-rlhf", "harmless", "accuracy", 0.619),
    ("hh-rlhf", "helpful", "accuracy", 0.624),
    ("truthfulqa", "honest", "auroc", 0.770),
    ("xstest", "harmless", "auroc", 0.763),
)
_DRAWS = 1000
_CHUNK = 256
_BINS = 10
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)  # guards read no date; a context must have one


def check(
    data_root: Path, *, path: str = "", encoder: Encoder | None = None, seed: int = 0
) -> list[Row]:
    """Measure the heads in use on everything under ``data_root`` that they were not fitted on.

    Returns:
        Rows ``{data, method, shots, metric, value, lo, hi, people}``; ``people`` counts the
        groups, ``shots`` is None. Of the method "heads-cross-validated" are the figures of the
        folds that were left out of the fit, of "floor" what an ordinary baseline reaches on the
        same data, of "constitution" and "threshold" what is in force.

    Raises:
        ModelFileError: The heads or the encoder do not load.
    """
    heads = heads_at(path)
    used = encoder_of(heads, encoder)
    validated = [dict(row) for row in heads.card.validated]
    return measure(data_root, heads, used, seed=seed) + validated + _fixed(heads)


def measure(data_root: Path, heads: Heads, encoder: Encoder, *, seed: int = 0) -> list[Row]:
    """As `check`, with given heads."""
    rows: list[Row] = []
    for source in (contrast(), *corpora(data_root)):
        unseen = _unseen(source, heads)
        rows += _compared(unseen, heads, encoder, seed)
        rows += _judged(unseen, heads, encoder, seed)
    return rows


def auroc(scores: Array, bad: NDArray[np.bool_]) -> float:
    """Probability that a bad text scores above one that is not; ties count half.

    Source: Hanley and McNeil 1982.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    positive = int(bad.sum())
    negative = len(bad) - positive
    return float((ranks[bad].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def calibration_error(scores: Array, bad: NDArray[np.bool_]) -> float:
    """Expected calibration error over bins of equal mass, both sides weighted the same."""
    share = bad.mean()
    weight = np.where(bad, 0.5 / share, 0.5 / (1.0 - share)) / len(bad)
    total = 0.0
    for chosen in np.array_split(np.argsort(scores, kind="stable"), _BINS):
        gap = (weight[chosen] * (scores[chosen] - bad[chosen])).sum()
        total += abs(float(gap))
    return total


def interval(
    statistic: Callable[[NDArray[np.int64]], float],
    groups: Sequence[str] | NDArray[np.str_],
    seed: int,
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a statistic of row numbers, resampling groups."""
    _, codes = np.unique(np.array(groups), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(_DRAWS):
        picked = rng.integers(0, len(members), len(members))
        value = statistic(np.concatenate([members[group] for group in picked]))
        if np.isfinite(value):
            values.append(value)
    low, high = np.percentile(values, [2.5, 97.5]) if values else (np.nan, np.nan)
    return float(low), float(high)


def _unseen(source: Corpus, heads: Heads) -> Corpus:
    def new(row: Compared | Judged) -> bool:
        return not heads.was_fitted_on(source.value, digest(row.group))

    return replace(
        source,
        compared=tuple(row for row in source.compared if new(row)),
        judged=tuple(row for row in source.judged if new(row)),
    )


def _compared(source: Corpus, heads: Heads, encoder: Encoder, seed: int) -> Iterator[Row]:
    if not source.compared:
        return
    data = f"{source.name}/{source.value}"
    groups = [row.group for row in source.compared]
    better = _risks(source, heads, encoder, [(row.prompt, row.better) for row in source.compared])
    worse = _risks(source, heads, encoder, [(row.prompt, row.worse) for row in source.compared])
    longer = np.array([len(row.better) - len(row.worse) for row in source.compared], np.float64)
    for method, margin in (("heads", worse - better), ("longer-wins", longer)):
        right = (np.sign(margin) + 1.0) / 2.0
        yield measured(data, method, "accuracy", share(right), groups, seed=seed)


def _judged(source: Corpus, heads: Heads, encoder: Encoder, seed: int) -> Iterator[Row]:
    if not source.judged:
        return
    data = f"{source.name}/{source.value}"
    groups = [row.group for row in source.judged]
    bad = np.array([row.bad for row in source.judged])
    risk = _risks(source, heads, encoder, [(row.prompt, row.text) for row in source.judged])
    if bad.any() and not bad.all():
        for metric, statistic in _STATISTICS.items():
            yield measured(
                data, "heads", metric, both_sides(statistic, risk, bad), groups, seed=seed
            )
    refused = {"heads": risk >= heads.threshold(source.value)}
    if source.value == "harmless":
        refused["rules"] = np.array([_ruled(row) for row in source.judged])
        refused["heads+rules"] = refused["heads"] | refused["rules"]
    for method, mask in refused.items():
        for metric, side in (("recall", bad), ("false_refusals", ~bad)):
            if side.any():
                kept = [group for group, inside in zip(groups, side, strict=True) if inside]
                hits = mask[side]
                yield measured(data, method, metric, share(hits), kept, seed=seed)


def _risks(
    source: Corpus, heads: Heads, encoder: Encoder, rows: Sequence[tuple[str, str]]
) -> Array:
    parts = []
    for start in range(0, len(rows), _CHUNK):
        prompts, texts = zip(*rows[start : start + _CHUNK], strict=True)
        parts.append(heads.probability(source.value, heads.read(encoder, prompts, texts)))
    return np.concatenate(parts).astype(np.float64)


def _ruled(row: Judged) -> bool:
    context = Context(user=UserId("-"), messages=(Message("user", row.prompt),), at=_WHEN)
    return not RulesGuard().check(context, row.text, 0.0).allowed


def recall_at_5_percent(scores: Array, bad: NDArray[np.bool_]) -> float:
    """Share of bad texts above the score that 5 % of the others reach."""
    return float((scores[bad] > np.quantile(scores[~bad], 0.95)).mean())


_STATISTICS: Mapping[str, Callable[[Array, NDArray[np.bool_]], float]] = {
    "auroc": auroc,
    "calibration_error": calibration_error,
    "recall_at_5_percent_false": recall_at_5_percent,
}


def both_sides(
    statistic: Callable[[Array, NDArray[np.bool_]], float],
    scores: Array,
    bad: NDArray[np.bool_],
) -> Callable[[NDArray[np.int64]], float]:
    """The statistic of row numbers; not a number where a draw holds one side alone."""

    def of(rows: NDArray[np.int64]) -> float:
        drawn = bad[rows]
        one_sided = drawn.all() or not drawn.any()
        return float("nan") if one_sided else statistic(scores[rows], drawn)

    return of


def share(values: NDArray[Any]) -> Callable[[NDArray[np.int64]], float]:
    """The mean of the values at row numbers."""
    return lambda rows: float(values[rows].mean())


def measured(
    data: str,
    method: str,
    metric: str,
    statistic: Callable[[NDArray[np.int64]], float],
    groups: Sequence[str] | NDArray[np.str_],
    *,
    seed: int,
) -> Row:
    """A statistic of row numbers with its interval."""
    low, high = interval(statistic, groups, seed)
    return {
        **_given(data, method, metric, float(statistic(np.arange(len(groups))))),
        "lo": low,
        "hi": high,
        "people": len(np.unique(np.array(groups))),
    }


def _fixed(heads: Heads) -> list[Row]:
    """What was not measured here: floors, and the thresholds in force."""
    limits = {f"{value}.threshold": heads.threshold(value) for value in VALUES}
    return [
        *(_given(f"{data}/{value}", "floor", metric, at) for data, value, metric, at in FLOORS),
        *(_given("constitution", "constitution", *row) for row in constitution().figures().items()),
        *(_given("heads", "threshold", *row) for row in limits.items()),
    ]


def _given(data: str, method: str, metric: str, value: float) -> Row:
    return {
        "data": data,
        "method": method,
        "shots": None,
        "metric": metric,
        "value": value,
        "lo": value,
        "hi": value,
        "people": 0,
    }
