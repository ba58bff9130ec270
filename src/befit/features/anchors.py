"""Projects a text by its meaning: nearer to which of a dimension's two poles.

A pole is the mean embedding of what a space says of that end: its description, its ask and its
words. A dimension is spoken of where the text lies near one of its poles, and nearer than to those
of most others; which end is a score of three parts (the difference of the two similarities, the
liking in the sentence, and its negations). Both were calibrated across dimensions, each held out
in turn, so the error also holds for a space that brings words and no data. It is a weak reading:
the error is large, and says so.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from befit.core.preference import Dimension, PreferenceSpace
from befit.features.encoder import MiniLM
from befit.features.projection import Projection, card
from befit.features.statement_head import shipped_head

Floats = NDArray[np.float64]

_NEGATION = re.compile(
    r"\b(?:no|not|never|nothing|none|nobody|without|hardly|cannot)\b|n['\u2019]t\b", re.IGNORECASE
)
_LEAST_ODDS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorProjector:
    """Positions by two poles each, for the dimensions whose ends are put into words.

    Attributes:
        space: The dimensions; universal ones are left out.
        least: Probability, in [0, 1], that a text speaks of a dimension, from which it is read.
        most: At most this many dimensions of one text, the likeliest.
        exclude: Names of dimensions never to be inferred, such as the sensitive ones of a person
            who did not agree to it.
    """

    space: PreferenceSpace
    least: float = 0.3
    most: int = 5
    exclude: frozenset[str] = frozenset()

    def project(self, text: str) -> Projection:
        """The dimensions that the text most likely speaks of.

        Raises:
            MissingExtraError: The encoder's package is not installed.
            ModelFileError: The encoder, the head or the calibration does not load.
        """
        names = [d.name for d in poled(self.space)]
        if not text.strip() or not names:
            return {}
        fitted: Mapping[str, list[float]] = card()["anchors"]
        nearness, score = readings(self.space, [text])
        spoken = relevance(nearness, fitted["relevance"])[0]
        intercept, slope, error = fitted["calibration"]
        values = np.clip((score[0] @ np.array(fitted["score"]) - intercept) / slope, -1.0, 1.0)
        likely = np.argsort(-spoken, kind="stable")[: self.most]
        return {
            names[i]: (float(values[i]), error / math.sqrt(float(spoken[i])))
            for i in likely
            if spoken[i] >= self.least and names[i] not in self.exclude
        }


def poled(space: PreferenceSpace) -> tuple[Dimension, ...]:
    """The dimensions that anchors can be made for."""
    return tuple(d for d in space.dimensions if not d.universal)


def readings(space: PreferenceSpace, texts: list[str]) -> tuple[Floats, Floats]:
    """What is measured of each text on each dimension.

    Returns:
        Similarity to the nearer pole, shape (texts, dimensions); and the three parts of the score,
        shape (texts, dimensions, 3).
    """
    dimensions = poled(space)
    low, high = _poles(dimensions)
    embedded = np.asarray(MiniLM().encode(texts), dtype=np.float64)
    to_low, to_high = embedded @ low.T, embedded @ high.T
    apart = np.sqrt(np.maximum(1.0 - (low * high).sum(1), 1e-3))
    liked = np.clip([p for _, p in shipped_head().judge(texts)], _LEAST_ODDS, 1.0 - _LEAST_ODDS)
    denied = np.array([float(len(_NEGATION.findall(text))) for text in texts])
    difference = 10.0 * (to_high - to_low) / apart
    # to dislike what the low end likes points up, so ask whose likes the text speaks of; without
    # words for the low end, it is the high end's
    low_likes, high_likes, both = _likes(dimensions)
    nearer = np.tanh(10.0 * (embedded @ high_likes.T - embedded @ low_likes.T))
    side = np.where(both, nearer, 1.0)
    parts = [
        difference,
        np.log(liked / (1.0 - liked))[:, None] * side,
        np.minimum(denied, 3.0)[:, None] * side,
    ]
    return np.maximum(to_low, to_high), np.stack(parts, axis=2)


def relevance(nearness: Floats, weights: list[float]) -> Floats:
    """Probability that each text speaks of each dimension, from nearness alone."""
    score = compared(nearness) @ np.array(weights[:-1]) + weights[-1]
    return np.asarray(1.0 / (1.0 + np.exp(-score)))


def compared(nearness: Floats) -> Floats:
    """Nearness, and how far it is behind the nearest dimension, shape (texts, dimensions, 2)."""
    behind = nearness - nearness.max(axis=1, keepdims=True)
    return np.stack([nearness, behind], axis=2)


@lru_cache(maxsize=8)
def _poles(dimensions: tuple[Dimension, ...]) -> tuple[Floats, Floats]:
    low, high = (
        [(d.low, d.ask_low, *d.words_low) for d in dimensions],
        [(d.high, d.ask_high, *d.words_high) for d in dimensions],
    )
    return _means(low), _means(high)


@lru_cache(maxsize=8)
def _likes(dimensions: tuple[Dimension, ...]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Poles of the words alone, which are what each end likes, and where both ends have some."""
    both = np.array([bool(d.words_low and d.words_high) for d in dimensions])
    return (
        _means([d.words_low or (d.low,) for d in dimensions]),
        _means([d.words_high or (d.high,) for d in dimensions]),
        both,
    )


def _means(poles: Sequence[tuple[str, ...]]) -> Floats:
    """The direction of the mean of each pole's words; all of them are embedded at once."""
    said = [[each for each in words if each] for words in poles]
    vectors = np.asarray(MiniLM().encode([w for words in said for w in words]), dtype=np.float64)
    ends = np.cumsum([len(words) for words in said])[:-1]
    means = np.stack([part.mean(axis=0) for part in np.split(vectors, ends)])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))
