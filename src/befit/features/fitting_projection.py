"""Measures the projectors: how far a reading lies from the truth, on data that it never saw.

Anchors are calibrated on texts whose dimension and end are known, each dimension held out in turn.
The surface is measured on the texts of real authors: how far one text lies from the mean of its
author's others, as a constant and a part that falls with the number of words.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression

from befit.core.errors import InputError
from befit.core.preference import PreferenceSpace
from befit.features.anchors import compared, poled, readings, relevance
from befit.features.encoder import MiniLM
from befit.features.projection import CARD, Projector
from befit.features.style import FEATURES, style_vector

Floats = NDArray[np.float64]

_TEXTS = "needs_texts.tsv"
_FOLDS = 10
_FEWEST_TEXTS = 3  # of an author, so that the others have a mean


@dataclass(frozen=True, slots=True)
class Placed:
    """A text whose place is known.

    Attributes:
        text: The words.
        dimension: What it speaks of.
        value: -1.0 or 1.0.
    """

    text: str
    dimension: str
    value: float


def placed() -> tuple[Placed, ...]:
    """The texts that ship with the package, two for each axis of the space of needs."""
    text = files("befit.features").joinpath(_TEXTS).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Placed(said, name, value)
        for name, low, high in rows
        for said, value in ((low, -1.0), (high, 1.0))
    )


def fit_projection(
    folder: Path,
    space: PreferenceSpace,
    authors: Mapping[str, Sequence[str]],
    source: Mapping[str, str],
) -> dict[str, Any]:
    """Fit anchors and surface, and write their card into ``folder``, which is made if absent.

    Args:
        folder: Where the card goes.
        space: What the texts that ship are placed in; the space of needs.
        authors: Author -> their texts, of at least twenty words each.
        source: Name and licence of the authors' data, for the card.

    Raises:
        InputError: The space lacks a dimension, or no author has enough texts.
    """
    texts = placed()
    raw = files("befit.features").joinpath(_TEXTS).read_bytes()
    written = {
        "version": Path(CARD).stem,
        "encoder": MiniLM().name,
        "data": [
            {
                "name": _TEXTS,
                "licence": "Apache-2.0",
                "sha256": hashlib.sha256(raw).hexdigest(),
                "rows": len(texts),
            },
            {**source, "rows": sum(map(len, authors.values()))},
        ],
        "surface": fit_surface(authors),
        "anchors": fit_anchors(space, texts),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    return written


def fit_anchors(space: PreferenceSpace, texts: Sequence[Placed]) -> dict[str, Any]:
    """Fit relevance and score on all texts; measure both with each dimension held out.

    Returns:
        "relevance" (two weights and an offset), "score" (three weights), "calibration"
        (intercept, slope, root mean squared error of the held-out value) and "figures".

    Raises:
        InputError: A text names a dimension that the space lacks.
    """
    names = [d.name for d in poled(space)]
    lost = [each.dimension for each in texts if each.dimension not in names]
    if lost:
        raise InputError(f"the space lacks {lost[0]}", hint="name its dimensions", field="texts")
    own = np.array([names.index(each.dimension) for each in texts])
    truth = np.array([each.value for each in texts])
    nearness, score = readings(space, [each.text for each in texts])
    rows = np.arange(len(texts))
    parts = score[rows, own]
    fold = own % _FOLDS
    value, spoken = np.zeros(len(texts)), np.zeros(nearness.shape)
    for held in range(_FOLDS):
        out = fold == held
        weights = _score(parts[~out], truth[~out])
        intercept, slope = _line(parts[~out] @ weights, truth[~out])
        value[out] = np.clip((parts[out] @ weights - intercept) / slope, -1.0, 1.0)
        spoken[out] = relevance(nearness[out], _relevance(nearness[~out], own[~out]))
    weights = _score(parts, truth)
    intercept, slope = _line(parts @ weights, truth)
    error = float(np.sqrt(np.mean((value - truth) ** 2)))
    rank = (spoken > spoken[rows, own][:, None]).sum(axis=1)
    told = spoken >= 0.3
    return {
        "relevance": _rounded(_relevance(nearness, own)),
        "score": _rounded(weights),
        "calibration": _rounded([intercept, slope, error]),
        "figures": {
            "texts": float(len(texts)),
            "direction": float(np.mean(np.sign(value) == truth)),
            "correlation": float(np.corrcoef(value, truth)[0, 1]),
            "first": float(np.mean(rank == 0)),
            "among_five": float(np.mean(rank < 5)),
            "precision_at_0.3": float(told[rows, own].sum() / max(1, told.sum())),
            "recall_at_0.3": float(told[rows, own].mean()),
        },
    }


def fit_surface(authors: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """How far one text of n words lies from its author's usual place, feature by feature.

    Args:
        authors: Author -> their texts; who has under three is left out.

    Returns:
        Feature -> "constant" and "per_word": the variance is constant + per_word / words; and
        "usual": the mean of the authors' own means.

    Raises:
        InputError: No author has enough texts.
    """
    kept = [list(texts) for texts in authors.values() if len(texts) >= _FEWEST_TEXTS]
    if not kept:
        raise InputError("no author has three texts", hint="bring more texts", field="authors")
    squares, words, means = [], [], []
    for texts in kept:
        styles = np.stack([style_vector(text) for text in texts])
        count = len(texts)
        means.append(styles.mean(axis=0))
        # against the mean of the others, whose own error is taken off
        apart = (styles - styles.mean(axis=0)) * count / (count - 1)
        squares.append(apart**2 * (count - 1) / count)
        words += [max(1, len(text.split())) for text in texts]
    inverse = 1.0 / np.array(words, dtype=np.float64)
    table = np.vstack(squares)
    errors = {}
    for column, name in enumerate(FEATURES):
        line = LinearRegression(positive=True).fit(inverse[:, None], table[:, column])
        constant = max(float(line.intercept_), 0.01)
        errors[name] = {
            "constant": round(constant, 4),
            "per_word": round(float(line.coef_[0]), 3),
            "usual": round(float(np.mean([mean[column] for mean in means])), 3),
        }
    return errors


def measured_error(projector: Projector, texts: Sequence[Placed]) -> dict[str, float]:
    """How well any projector reads texts whose place is known: what to set its noise to.

    Returns:
        "read" (share of the texts on whose dimension it said anything), "direction" (share of
        those with the right sign) and "error" (root mean squared; 1.0 where it read nothing).
    """
    read = [
        (found[each.dimension][0], each.value)
        for each in texts
        if each.dimension in (found := projector.project(each.text))
    ]
    if not read:
        return {"read": 0.0, "direction": 0.0, "error": 1.0}
    said, truth = np.array(read).T
    return {
        "read": len(read) / len(texts),
        "direction": float(np.mean(np.sign(said) == truth)),
        "error": float(np.sqrt(np.mean((said - truth) ** 2))),
    }


def _score(parts: Floats, truth: Floats) -> Floats:
    model = LogisticRegression(C=1.0, max_iter=1000).fit(parts, truth)
    return np.asarray(model.coef_[0])


def _line(score: Floats, truth: Floats) -> tuple[float, float]:
    slope, intercept = np.polyfit(truth, score, 1)
    return float(intercept), float(slope)


def _relevance(nearness: Floats, own: NDArray[np.intp]) -> list[float]:
    about = np.zeros(nearness.shape, dtype=bool)
    about[np.arange(len(own)), own] = True
    pairs = compared(nearness).reshape(-1, 2)
    model = LogisticRegression(C=100.0, max_iter=1000).fit(pairs, about.ravel())
    return [*map(float, model.coef_[0]), float(model.intercept_[0])]


def _rounded(numbers: Sequence[float] | Floats) -> list[float]:
    return [round(float(number), 5) for number in numbers]
