"""Predictions of several seeds put together: whose each is, of which pair, by method and shots.

Makes no figure of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.evaluate.trials import COSTS, Array, Division, Predictions

Column = tuple[str, int]  # method, shots
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Every prediction on one data set, seeds and draws one after the other.

    Attributes:
        name: Of the data set.
        people: Whether anybody's history could be shown.
        users: The people tested.
        person: Index of the person of each prediction, shape (n,).
        pair: Number of the pair within its person, shape (n,).
        number: Number of the pair in the data set, shape (n,).
        own: Probability of the chosen text, by (method, shots), shape (n,) each; NaN for people
            who have too few pairs for so many shots.
        other: Likewise after another person's history.
        swapped: Likewise after the person's own history turned round.
        costs: Method -> what it cost, the mean over seeds.
    """

    name: str
    people: bool
    users: tuple[str, ...]
    person: Indices
    pair: Indices
    number: Indices
    own: Mapping[Column, Array]
    other: Mapping[Column, Array]
    swapped: Mapping[Column, Array]
    costs: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(
        cls,
        name: str,
        divisions: Sequence[Division],
        predictions: Mapping[str, Sequence[Predictions]],
    ) -> "Collected":
        """Put the seeds together.

        Args:
            name: Of the data set.
            divisions: One for each seed.
            predictions: Method -> its predictions, one for each division.
        """
        cases = [case for division in divisions for case in division.cases]
        users = tuple(dict.fromkeys(case.user for case in cases))
        index = {user: at for at, user in enumerate(users)}
        sizes = [len(case.query) for case in cases]
        number = np.concatenate([case.query for case in cases]).astype(np.intp)
        person = np.repeat([index[case.user] for case in cases], sizes).astype(np.intp)

        def put(kind: str) -> dict[Column, Array]:
            return {
                (method, k): np.concatenate([getattr(found, kind)[k] for found in seeds])
                for method, seeds in predictions.items()
                for k in getattr(seeds[0], kind)
            }

        return cls(
            name=name,
            people=divisions[0].numbered.data.people,
            users=users,
            person=person,
            pair=_within(person, number),
            number=number,
            own=put("own"),
            other=put("other"),
            swapped=put("swapped"),
            costs={
                method: {c: float(np.mean([s.costs[c] for s in seeds])) for c in COSTS}
                for method, seeds in predictions.items()
            },
        )

    def only(self, name: str, keep: NDArray[np.bool_]) -> "Collected":
        """The predictions of some pairs, under another name."""

        def of(columns: Mapping[Column, Array]) -> dict[Column, Array]:
            return {column: values[keep] for column, values in columns.items()}

        left, person = np.unique(self.person[keep], return_inverse=True)
        return Collected(
            name=name,
            people=self.people,
            users=tuple(self.users[at] for at in left),
            person=person,
            pair=self.pair[keep],
            number=self.number[keep],
            own=of(self.own),
            other=of(self.other),
            swapped=of(self.swapped),
            costs={},
        )


def _within(person: Indices, number: Indices) -> Indices:
    """Pairs numbered anew within each person, from 0."""
    order = np.lexsort((number, person))
    fresh = np.append(True, np.diff(number[order]) != 0)
    starts = np.append(True, np.diff(person[order]) != 0)
    rank = np.cumsum(fresh | starts) - 1
    first = np.maximum.accumulate(np.where(starts, rank, 0))
    found = np.empty(len(person), dtype=np.intp)
    found[order] = rank - first
    return found


def pair_means(person: Indices, pair: Indices, values: Array) -> list[Array]:
    """Each person's distinct pairs, averaged over draws and seeds.

    A person who lacks a column in any draw lacks it altogether, so that a curve does not mix
    people in and out.

    Args:
        person: Index of the person of each prediction, shape (n,).
        pair: Number of the pair within its person, shape (n,).
        values: Shape (n, columns).

    Returns:
        One array (pairs, columns) a person.
    """
    order = np.lexsort((pair, person))
    person, pair = person[order], pair[order]
    fresh = np.append(True, (np.diff(person) != 0) | (np.diff(pair) != 0))
    starts = np.flatnonzero(fresh)
    sizes = np.diff(np.append(starts, len(order)))
    means = np.add.reduceat(values[order], starts, axis=0) / sizes[:, None]
    cuts = np.flatnonzero(np.diff(person[starts])) + 1
    people = np.split(means, cuts)
    for own in people:
        own[:, np.isnan(own).any(axis=0)] = np.nan
    return people


def by_person(person: Indices, values: Array) -> list[Array]:
    """The values of each person, people in order of their index."""
    order = np.argsort(person, kind="stable")
    cuts = np.flatnonzero(np.diff(person[order])) + 1
    return np.split(values[order], cuts)
