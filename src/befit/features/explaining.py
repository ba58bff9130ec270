"""Why a reward prefers one text of a pair: parts with names, that add up to the log-odds.

A reward that is linear in features is a sum over them. Features of style have names of their own;
the rest of the features together are "meaning"; what a text is worth beyond all of them is "this
very text". Each is told apart into what everyone thinks and how the person differs from everyone.
Learns nothing, and says nothing of causes: style and meaning go together.

Source: additive explanations of a linear model, e.g. Lundberg and Lee 2017, arXiv:1705.07874.
"""

import numpy as np
from numpy.typing import NDArray

from befit.features.feature_map import FeatureMap
from befit.features.style import FEATURES

Array = NDArray[np.float64]

EVERYONE, PERSON = "everyone", "person"
MEANING, VERY_TEXT = "meaning", "this very text"


def names(features: object) -> tuple[str, ...]:
    """What the parts are called: of style each, then meaning, then the very text.

    Args:
        features: What texts are seen by; a caller's own vectors have no names.
    """
    style = FEATURES if isinstance(features, FeatureMap) else ()
    return (*style, MEANING, VERY_TEXT)


def parts(features: object, differences: Array, weights: Array, very_text: Array) -> Array:
    """What each name adds to each value, shape (n, names).

    Args:
        features: What texts are seen by.
        differences: Of the features, of one text beside another, shape (n, width).
        weights: Of the features, shape (width,).
        very_text: What the texts add beyond their features, shape (n,).
    """
    each = differences * weights
    meaning = each.shape[1] - (len(names(features)) - 2)
    return np.column_stack([each[:, meaning:], each[:, :meaning].sum(axis=1), very_text])


def told(features: object, everyone: Array, person: Array) -> list[dict[str, float]]:
    """Each pair's parts by name, the largest first: ``{"everyone: length": 0.4, ...}``.

    Args:
        features: What texts are seen by.
        everyone: What everyone thinks, shape (n, names).
        person: How the person differs from everyone, shape (n, names).
    """
    labels = [f"{whose}: {name}" for whose in (EVERYONE, PERSON) for name in names(features)]
    found = []
    for row in np.hstack([everyone, person]):
        order = np.argsort(-np.abs(row), kind="stable").tolist()
        found.append({labels[at]: float(row[at]) for at in order})
    return found
