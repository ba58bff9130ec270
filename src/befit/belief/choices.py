"""Comparisons and grades of texts, folded together onto the dimensions that texts are measured on.

Each is one or two logistic observations of theta (`belief.fold`, `belief.ordinal`). What they
leave unexplained is looked at dimension by dimension for a change (`belief.change`); where there
was one, what came before says nothing of that dimension any more.

Source: Coombs 1964 (ideal points).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from befit.belief.change import changes, suspects
from befit.belief.clock import Clock, Moment
from befit.belief.conflict import LEAST_REACTIONS, Weighed
from befit.belief.gaussian import Matrix, Vector
from befit.belief.logistic import newton
from befit.belief.ordinal import STRICTNESS, rows
from befit.belief.recurrence import Recurrence, recurring
from befit.core.preference import Dimension, Graded, Pair

Measure = Callable[[str], Mapping[str, float]]

_PREDICTABLE = 0.5  # least spread of surprises, of what it is in the model: some people are steady
_OTHERWISE = 0.2  # least difference of surprises between times, in their deviations
_TINY = 1e-9
_NEGLIGIBLE = 1e-3  # of the posterior's information; less is no source of a belief


@dataclass(frozen=True, slots=True)
class Choices:
    """Logistic observations of theta: row i has the logit ``slopes[i] . theta + sum(beside[i])``.

    Attributes:
        told: The evidence, oldest first, and what each piece counts.
        slopes: Shape (n, r).
        beside: What each dimension adds to the logit beside theta, shape (n, r).
        scale: How the person's strictness enters, and a constant, shape (n, 2).
        weights: What each row counts, shape (n,).
        whose: The place in ``told`` of each row's evidence, shape (n,).
    """

    told: Sequence[Weighed]
    slopes: Matrix
    beside: Matrix
    scale: Matrix
    weights: Vector
    whose: NDArray[np.intp]

    def fold(self, mean: Vector, variance: Vector) -> tuple[Vector, Vector]:
        """Mean and variance of each dimension; strictness is integrated out.

        Args:
            mean: Of theta before, shape (r,).
            variance: Of theta before, shape (r,).
        """
        slopes, before = self.slopes, variance
        graded = bool(self.scale.any())
        if graded:
            slopes = np.column_stack([slopes, self.scale[:, 0]])
            mean = np.append(mean, 0.0)
            before = np.append(variance, STRICTNESS * STRICTNESS)
        offsets = self.beside.sum(axis=1) + self.scale[:, 1]
        found, covariance = newton(mean, np.diag(before), slopes, self.weights, offsets)
        width = len(variance)
        return found[:width], np.diag(covariance)[:width].copy()

    def information(self) -> list[list[tuple[float, str]]]:
        """The most each piece of evidence can say of each dimension (Fisher), and its id."""
        most = self.weights[:, None] * self.slopes**2 / 4.0
        ids = [self.told[place][0].id for place in self.whose.tolist()]
        return [
            [(amount, key) for amount, key in zip(column, ids, strict=True) if amount > _NEGLIGIBLE]
            for column in most.T.tolist()
        ]

    def recurring(self, mean: Vector, clock: Clock) -> dict[int, Recurrence]:
        """The dimensions on which the person chooses otherwise at certain times.

        Args:
            mean: What theta is taken to have been throughout, shape (r,).
            clock: Whose time it was.
        """
        surprises, usual = self._surprises(mean)
        moments = [e.at for e, _ in self.told]
        found = recurring(moments, surprises / np.maximum(usual, _TINY), clock, matters=_OTHERWISE)
        return {column: each for column, each in enumerate(found) if each is not None}

    def at_such_times(self, recurring: Mapping[int, Recurrence], now: Moment) -> "Choices":
        """The same without what was done at other times than now, where that is otherwise."""
        return self._left_out(
            {
                column: [not now.alike(each.name, e.at) for e, _ in self.told]
                for column, each in recurring.items()
            }
        )

    def changed(
        self, mean: Vector, rate: float, partial: Collection[int] = ()
    ) -> dict[int, dict[str, datetime]]:
        """Since when the dimensions are what they are, by scope; those alone that changed.

        Args:
            mean: What theta is taken to have been throughout, shape (r,).
            rate: False alarms per 1,000 reactions over all dimensions, > 0.
            partial: Dimensions of which some evidence was left out.
        """
        scopes = [e.scope for e, _ in self.told]
        surprises, usual = self._surprises(mean)
        found: dict[int, dict[str, datetime]] = {}
        for scope in sorted(set(scopes)):
            places = [place for place, each in enumerate(scopes) if each == scope]
            if len(places) < LEAST_REACTIONS:
                continue
            here = surprises[places]
            each_rate = rate / here.shape[1]
            for column in suspects(here, rate=each_rate):
                said = (here[:, column] != 0.0) | (column not in partial)
                values = here[said, column]
                if len(values) < LEAST_REACTIONS:
                    continue
                moved = changes(
                    values.tolist(),
                    rate=each_rate,
                    mean=float(values.mean()),
                    std=max(float(values.std()), _PREDICTABLE * float(usual[column]), _TINY),
                )
                if moved:
                    place = np.flatnonzero(said)[moved[-1].began]
                    began = self.told[places[place]][0].at
                    found.setdefault(column, {})[scope] = began
        return found

    def _surprises(self, mean: Vector) -> tuple[Matrix, Vector]:
        """What each piece of evidence leaves unexplained of each dimension: its score there.

        And the scores' standard deviation, were the model right.
        """
        logits = self.slopes @ mean + self.beside.sum(axis=1) + self.scale[:, 1]
        left = 1.0 / (1.0 + np.exp(np.clip(logits, -30.0, 30.0)))
        length = np.sqrt((self.slopes**2).sum(axis=1))
        towards = self.slopes / np.where(length > 0.0, length, 1.0)[:, None]
        found = np.zeros((len(self.told), self.slopes.shape[1]))
        np.add.at(found, self.whose, left[:, None] * towards)
        return found, np.sqrt((left * (1.0 - left)) @ towards**2 / max(1, len(left)))

    def without(self, changed: Mapping[int, Mapping[str, datetime]]) -> "Choices":
        """The same without what was done before each change, on the dimension that changed."""
        return self._left_out(
            {
                column: [e.scope in by_scope and e.at < by_scope[e.scope] for e, _ in self.told]
                for column, by_scope in changed.items()
            }
        )

    def _left_out(self, gone: Mapping[int, Sequence[bool]]) -> "Choices":
        """The same without some evidence, dimension by dimension."""
        slopes, beside = self.slopes.copy(), self.beside.copy()
        for column, each in gone.items():
            old = np.array(each)[self.whose]
            slopes[old, column] = 0.0
            beside[old, column] = 0.0
        return replace(self, slopes=slopes, beside=beside)


def observed(
    measure: Measure, dimensions: Sequence[Dimension], told: Sequence[Weighed], sharpness: float
) -> Choices | None:
    """The logistic observations in evidence; None where there is neither pair nor grade.

    Args:
        measure: Text -> surface features in [-1, 1].
        dimensions: Those that have a feature: the columns.
        told: Evidence, oldest first, and what each piece counts.
        sharpness: How strictly a person chooses by distance, > 0.
    """
    pairs = [(place, e.pair, w) for place, (e, w) in enumerate(told) if e.pair is not None]
    graded = [(place, e.graded, w) for place, (e, w) in enumerate(told) if e.graded is not None]
    parts = [_pairs(measure, dimensions, pairs, sharpness)] if pairs else []
    parts += [_grades(measure, dimensions, graded, sharpness)] if graded else []
    if not parts:
        return None
    slopes, beside, scale, weights, whose = (
        np.concatenate([part[i] for part in parts]) for i in range(5)
    )
    return Choices(told, slopes, beside, scale, weights, whose.astype(np.intp))


def _pairs(
    measure: Measure,
    dimensions: Sequence[Dimension],
    pairs: Sequence[tuple[int, Pair, float]],
    sharpness: float,
) -> tuple[NDArray[np.float64], ...]:
    chosen = _styles(measure, dimensions, [pair.chosen for _, pair, _ in pairs])
    rejected = _styles(measure, dimensions, [pair.rejected for _, pair, _ in pairs])
    return (
        2.0 * sharpness * (chosen - rejected),
        sharpness * (rejected**2 - chosen**2),
        np.zeros((len(pairs), 2)),
        np.array([weight * pair.weight for _, pair, weight in pairs]),
        np.array([place for place, _, _ in pairs], dtype=np.float64),
    )


def _grades(
    measure: Measure,
    dimensions: Sequence[Dimension],
    graded: Sequence[tuple[int, Graded, float]],
    sharpness: float,
) -> tuple[NDArray[np.float64], ...]:
    styles = _styles(measure, dimensions, [grade.text for _, grade, _ in graded])
    slopes, beside, scale, of = rows([grade for _, grade, _ in graded], styles, sharpness)
    weights = [graded[each][2] * graded[each][1].weight for each in of]
    places = [graded[each][0] for each in of]
    return slopes, beside, scale, np.array(weights), np.array(places, dtype=np.float64)


def _styles(measure: Measure, dimensions: Sequence[Dimension], texts: Sequence[str]) -> Matrix:
    """The measured dimensions of texts, shape (len(texts), len(dimensions))."""
    measured = [measure(text) for text in texts]
    return np.array([[each.get(d.feature, 0.0) for d in dimensions] for each in measured])
