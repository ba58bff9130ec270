"""Histories of many people as one padded array, for methods that search for all of them at once.

Padding counts nothing, and the result for one person does not depend on who else is in the batch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population

AT_ONCE = 256  # people


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histories:
    """Rows of several people.

    Attributes:
        rows: What each pair is seen as, 0 where there is none, shape (people, most, width).
        weights: 0 where there is none, shape (people, most).
    """

    rows: Array
    weights: Array

    def __len__(self) -> int:
        return len(self.rows)


def padded(parts: Sequence[Array], weights: Sequence[Array], width: int) -> Histories:
    """Put rows of different people side by side.

    Args:
        parts: For each person, shape (n, width).
        weights: For each person, shape (n,).
        width: Of a row.
    """
    most = max((len(part) for part in parts), default=0)
    rows = np.zeros((len(parts), max(most, 1), width))
    counts = np.zeros((len(parts), max(most, 1)))
    for at, (part, own) in enumerate(zip(parts, weights, strict=True)):
        rows[at, : len(part)] = part
        counts[at, : len(part)] = own
    return Histories(rows=rows, weights=counts)


def batches(
    people: Sequence[Person], seen_as: Callable[[Pairs], Array], width: int
) -> Iterator[Histories]:
    """The decided pairs of people, in order, at most `AT_ONCE` people at once."""
    for start in range(0, len(people), AT_ONCE):
        own = [person.pairs.decided() for person in people[start : start + AT_ONCE]]
        yield padded([seen_as(pairs) for pairs in own], [pairs.weights for pairs in own], width)


def pooled(population: Population) -> tuple[Pairs, Indices, Array]:
    """Everyone's decided pairs, whose each is, and weights by which each person counts once."""
    parts = [person.pairs.decided() for person in population]
    kept = [part for part in parts if len(part)]
    if not kept:
        return Pairs.of(population.texts, []), np.zeros(0, dtype=np.intp), np.zeros(0)
    owners = np.repeat(np.arange(len(kept)), [len(part) for part in kept])
    joined = Pairs.joined(kept)
    totals = np.bincount(owners, joined.weights)
    return joined, owners, joined.weights / totals[owners]
