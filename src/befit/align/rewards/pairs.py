"""What a reward model learns from: comparisons of people, as arrays over one table of texts.

Texts are embedded once, however many pairs they are in; taking some pairs copies indices alone.
Knows no data set and learns nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Report = Callable[[int, int], None]

_CHUNK = 64  # texts embedded between two reports


class Texts:
    """Distinct texts, and what they are seen by.

    Args:
        names: The texts; of equal ones the first stands.
        features: What sees them. ``vectors`` asks it, once.
        report: Told (done, total) while they are embedded.
    """

    def __init__(
        self,
        names: Sequence[str],
        features: FeatureMap,
        report: Report = lambda _done, _total: None,
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.features = features
        self.number = {name: i for i, name in enumerate(self.names)}
        self._report = report

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def vectors(self) -> Array:
        """Features of each text, shape (len(self), width)."""
        found = [np.empty((0, self.features.width))]
        for start in range(0, len(self.names), _CHUNK):
            self._report(start, len(self.names))
            some = self.names[start : start + _CHUNK]
            found.append(self.features.vectors([""] * len(some), some))
        self._report(len(self.names), len(self.names))
        return np.concatenate(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Comparisons of one person, or of many side by side.

    Attributes:
        texts: The table that the indices point into; prompts stand in it too.
        chosen: The preferred texts, shape (n,).
        rejected: The others, shape (n,).
        prompts: What both answer, shape (n,); -1 is no prompt.
        preferred: 1 where the chosen text was preferred, 0.5 where neither was, shape (n,).
        weights: How much each counts, in (0, 1], shape (n,).
        days: When, in days since 1970, shape (n,); NaN where it is not known.
    """

    texts: Texts
    chosen: Indices
    rejected: Indices
    prompts: Indices
    preferred: Array
    weights: Array
    days: Array

    def __len__(self) -> int:
        return len(self.chosen)

    @classmethod
    def of(
        cls,
        texts: Texts,
        pairs: Sequence[Pair],
        *,
        preferred: Sequence[float] | None = None,
        days: Sequence[float] | None = None,
    ) -> "Pairs":
        """Pairs whose texts all stand in the table.

        Raises:
            KeyError: A text does not.
        """
        count = len(pairs)
        return cls(
            texts=texts,
            chosen=np.array([texts.number[p.chosen] for p in pairs], dtype=np.intp),
            rejected=np.array([texts.number[p.rejected] for p in pairs], dtype=np.intp),
            prompts=np.array([texts.number.get(p.prompt, -1) for p in pairs], dtype=np.intp),
            preferred=np.ones(count) if preferred is None else np.array(preferred, dtype=float),
            weights=np.array([p.weight for p in pairs], dtype=float),
            days=np.full(count, np.nan) if days is None else np.array(days, dtype=float),
        )

    @property
    def differences(self) -> Array:
        """Features of the chosen less those of the rejected, shape (n, width)."""
        vectors = self.texts.vectors
        found: Array = vectors[self.chosen] - vectors[self.rejected]
        return found

    def take(self, at: Indices | Sequence[int] | slice) -> "Pairs":
        """Some of them, in that order."""
        where = at if isinstance(at, slice) else np.asarray(at, dtype=np.intp)
        return Pairs(
            texts=self.texts,
            chosen=self.chosen[where],
            rejected=self.rejected[where],
            prompts=self.prompts[where],
            preferred=self.preferred[where],
            weights=self.weights[where],
            days=self.days[where],
        )

    def swapped(self) -> "Pairs":
        """The same comparisons with the other side named first: the opposite person's answers."""
        return Pairs(
            texts=self.texts,
            chosen=self.rejected,
            rejected=self.chosen,
            prompts=self.prompts,
            preferred=self.preferred,
            weights=self.weights,
            days=self.days,
        )

    def decided(self) -> "Pairs":
        """Those of which one side was preferred, and whose sides differ."""
        return self.take(np.flatnonzero((self.preferred > 0.5) & (self.chosen != self.rejected)))

    @staticmethod
    def joined(parts: Sequence["Pairs"]) -> "Pairs":
        """All of them, over the table of the first; at least one part."""
        return Pairs(
            texts=parts[0].texts,
            chosen=np.concatenate([p.chosen for p in parts]),
            rejected=np.concatenate([p.rejected for p in parts]),
            prompts=np.concatenate([p.prompts for p in parts]),
            preferred=np.concatenate([p.preferred for p in parts]),
            weights=np.concatenate([p.weights for p in parts]),
            days=np.concatenate([p.days for p in parts]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Person:
    """What is known of one person.

    Attributes:
        pairs: Their comparisons; may be none.
        about: What they said of themselves: ``{"age": "30-39"}``.
    """

    pairs: Pairs
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """People to learn from, by id, in a stable order; one table of texts for all."""

    texts: Texts
    people: Mapping[str, Person]

    def __len__(self) -> int:
        return len(self.people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people.values())

    def joined(self) -> tuple[Pairs, Indices]:
        """Everyone's pairs side by side, and whose each is, numbered in order."""
        parts = [person.pairs for person in self]
        if not parts:
            return Pairs.of(self.texts, []), np.zeros(0, dtype=np.intp)
        owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return Pairs.joined(parts), owners

    def part(self, users: Sequence[str]) -> "Population":
        """Some of the people."""
        return Population(texts=self.texts, people={user: self.people[user] for user in users})

    def __or__(self, other: "Population") -> "Population":
        """Both; of one id in both the other's counts."""
        return Population(texts=self.texts, people={**self.people, **other.people})
