"""Fits the statement head on the sentences of ``sayings.tsv`` and measures it on held-back ones.

Every sentence is judged once by a head that was fitted without it (eight folds, stratified by
kind), through the whole of ``features.distil``: a sentence counts as found only if a stance was
read in it as well. The shipped head is then fitted on all. Deterministic.
"""

import hashlib
import itertools
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from befit.features.distil import stated
from befit.features.encoder import MiniLM
from befit.features.stance import stance_of
from befit.features.statement_head import STEM, Thresholds, inputs, inputs_version

_DATA = "sayings.tsv"
_HELD = "sayings_held.tsv"
_FOLDS = 8
_FREEDOM = 0.5  # inverse strength of the penalty on weights


@dataclass(frozen=True, slots=True)
class Saying:
    """One labelled sentence.

    Attributes:
        kind: "own" where its writer states a lasting preference, else what it is instead.
        text: The sentence.
        value: 1.0 for, -1.0 against, 0.0 where it is not their own.
        topic: What it is about; "" where it is not their own, or not labelled.
    """

    kind: str
    text: str
    value: float = 0.0
    topic: str = ""


def sayings(name: str = _DATA) -> tuple[Saying, ...]:
    """Labelled sentences that ship with the package; ``sayings_held.tsv`` has those held back."""
    text = files("befit.features").joinpath(name).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Saying(row[0], row[1], 1.0 if row[2][0] == "+" else -1.0, row[2][1:])
        if len(row) > 2
        else Saying(row[0], row[1])
        for row in rows
    )


def fit_statements(folder: Path, seed: int = 0) -> dict[str, float]:
    """Fit the head, write weights and card into ``folder``, and say what was measured.

    Args:
        folder: Where the two files go; made if it is not there.
        seed: Of the split into folds.

    Returns:
        "precision" and "recall" on held-back sentences, "topic_accuracy" (a frame says the right
        direction and names the topic), "direction_accuracy" (of the head alone), and "false/KIND":
        the share of the sentences of that kind that were taken for statements; and "held/..." the
        same of the shipped head on sentences that it was never fitted on.
    """
    rows = sayings()
    texts = [row.text for row in rows]
    own = np.array([row.kind == "own" for row in rows])
    matrix = inputs(texts, MiniLM())
    liked = np.array([row.value > 0.0 for row in rows])
    held_back = np.zeros((len(rows), 2))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(matrix, [row.kind for row in rows]):
        models = _fitted(matrix[train], own[train], liked[train])
        held_back[test] = np.stack([m.predict_proba(matrix[test])[:, 1] for m in models], axis=1)
    least = _thresholds(texts, held_back, own)
    figures = _figures(rows, held_back, least)
    models = _fitted(matrix, own, liked)
    held = sayings(_HELD)
    fresh = inputs([row.text for row in held], MiniLM())
    judged = np.stack([m.predict_proba(fresh)[:, 1] for m in models], axis=1)
    for name in ("precision", "recall"):
        figures[f"held/{name}"] = _figures(held, judged, least)[name]
    weights = {
        "weights": np.vstack([model.coef_ for model in models]).astype(np.float32),
        "bias": np.concatenate([model.intercept_ for model in models]).astype(np.float32),
    }
    raw = save(weights)
    card = {
        "version": STEM,
        "encoder": MiniLM().name,
        "inputs": inputs_version(),
        "seed": seed,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "data": {
            "name": _DATA,
            "licence": "Apache-2.0",
            "sha256": hashlib.sha256(
                files("befit.features").joinpath(_DATA).read_bytes()
            ).hexdigest(),
            "rows": len(rows),
        },
        "framed": least.framed,
        "unframed": least.unframed,
        "figures": {name: round(value, 4) for name, value in figures.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{STEM}.safetensors").write_bytes(raw)
    (folder / f"{STEM}.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return figures


def _fitted(
    matrix: NDArray[np.float64], own: NDArray[np.bool_], liked: NDArray[np.bool_]
) -> tuple[LogisticRegression, LogisticRegression]:
    statement = LogisticRegression(C=_FREEDOM, max_iter=5000).fit(matrix, own)
    direction = LogisticRegression(C=_FREEDOM, max_iter=5000).fit(matrix[own], liked[own])
    return statement, direction


def _thresholds(
    texts: list[str], held_back: NDArray[np.float64], own: NDArray[np.bool_]
) -> Thresholds:
    """Where the worse of precision and recall is best; the highest of equals."""
    grid = [round(0.05 * step, 2) for step in range(4, 19)]
    best, chosen = -1.0, Thresholds(0.5, 0.5)
    for framed, unframed in itertools.product(grid, grid):
        least = Thresholds(framed, unframed)
        said = _said(texts, held_back, least)
        score = (said & own).sum() / max(1, said.sum(), own.sum())
        if unframed >= framed and score >= best:
            best, chosen = score, least
    return chosen


def _said(texts: list[str], held_back: NDArray[np.float64], least: Thresholds) -> NDArray[np.bool_]:
    judged = zip(texts, held_back, strict=True)
    return np.array([stated(text, own, liked, least) for text, (own, liked) in judged])


def _figures(
    rows: tuple[Saying, ...], held_back: NDArray[np.float64], least: Thresholds
) -> dict[str, float]:
    said = _said([row.text for row in rows], held_back, least)
    kinds = np.array([row.kind for row in rows])
    own = kinds == "own"
    right = [_right(row) for row, took in zip(rows, said, strict=True) if took and row.topic]
    direction = (held_back[:, 1] > 0.5) == np.array([row.value > 0.0 for row in rows])
    return {
        "precision": float((said & own).sum() / max(1, said.sum())),
        "recall": float((said & own).sum() / max(1, own.sum())),
        "topic_accuracy": float(np.mean(right)) if right else 0.0,
        "direction_accuracy": float(direction[own].mean()),
        **{f"false/{k}": float(said[kinds == k].mean()) for k in sorted(set(kinds[~own]))},
    }


def _right(row: Saying) -> bool:
    stance = stance_of(row.text)
    if stance is None or stance.value * row.value <= 0.0:
        return False
    return bool(set(stance.topic.split()) & set(row.topic.split()))
