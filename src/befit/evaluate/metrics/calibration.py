"""Whether a probability means what it says: log loss, Brier score, calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.evaluate.metrics.accuracy import hits

_FLOOR = 1e-12  # keeps the log of a certain mistake finite


def log_loss(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minus the log of the chosen text's probability, in nats; a fair coin has log 2."""
    result: NDArray[np.float64] = -np.log(np.maximum(probabilities, _FLOOR))
    return result


def brier(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of the chosen text's probability from 1; a fair coin has 0.25."""
    result: NDArray[np.float64] = (1.0 - probabilities) ** 2
    return result


@dataclass(frozen=True, slots=True)
class Bins:
    """Predictions of each person sorted into bins of confidence.

    Attributes:
        gaps: Per person and bin, the sum of (confidence - hit), shape (people, bins).
        sizes: Per person, how many predictions, shape (people,).
    """

    gaps: NDArray[np.float64]
    sizes: NDArray[np.float64]


def bin_by_confidence(
    probabilities: NDArray[np.float64], person: NDArray[np.intp], people: int, bins: int = 15
) -> Bins:
    """Sort predictions into bins of equal mass by the confidence in the side put first.

    Args:
        probabilities: That the chosen text beats the rejected, shape (n,).
        person: Index of each prediction's person, shape (n,).
        people: How many people there are.
        bins: How many bins.
    """
    confidence = np.maximum(probabilities, 1.0 - probabilities)
    rank = np.empty(len(confidence), dtype=np.intp)
    rank[np.argsort(confidence, kind="stable")] = np.arange(len(confidence))
    place = person * bins + rank * bins // max(len(confidence), 1)
    gaps = np.bincount(place, confidence - hits(probabilities), people * bins).astype(np.float64)
    sizes = np.bincount(person, minlength=people).astype(np.float64)
    return Bins(gaps.reshape(people, bins), sizes)


def reliability(probabilities: NDArray[np.float64], bins: int = 10) -> list[tuple[float, float]]:
    """Mean confidence and share of hits in bins of equal mass, from the least confident on.

    Args:
        probabilities: That the chosen text beats the rejected, shape (n,); at least one.
        bins: At most so many.
    """
    confidence = np.maximum(probabilities, 1.0 - probabilities)
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    found = hits(probabilities)
    return [(float(confidence[at].mean()), float(found[at].mean())) for at in parts]


def expected_error(bins: Bins, counts: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Expected calibration error, shape (draws,), or of the sample itself, shape (1,).

    Args:
        bins: The predictions.
        counts: How often each person was drawn, shape (draws, people).

    Source: Naeini et al. 2015, with bins of equal mass as Nguyen and O'Connor 2015.
    """
    weights = np.ones((1, len(bins.sizes))) if counts is None else counts
    result: NDArray[np.float64] = np.abs(weights @ bins.gaps).sum(axis=1) / (weights @ bins.sizes)
    return result
