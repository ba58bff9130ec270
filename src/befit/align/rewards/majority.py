"""What others thought of this very text: the share of its comparisons that it won, shrunk.

Knows no person and reads no text: a text that nobody met says nothing. Where texts recur it is the
bar that shows how much of an accuracy is a text's popularity.

Source: majority vote, survey arXiv:2503.17003 table 4 (baselines); shrinkage of shares, Efron and
Morris 1973.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes

PRIORS = (0.5, 2.0, 8.0)  # comparisons that every text is taken to have won half of


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """Popularity of a text.

    Attributes:
        priors: Comparisons that every text is taken to have won half of, to try.
    """

    priors: tuple[float, ...] = PRIORS

    @property
    def personal(self) -> bool:
        return False

    @property
    def embeds(self) -> bool:
        return False

    def fit(self, train: Population, validation: Population, *, seed: int) -> "MajorityFit":
        pairs = train.joined()[0].decided()
        count = len(pairs.texts)
        won = np.bincount(pairs.chosen, pairs.weights, minlength=count)
        lost = np.bincount(pairs.rejected, pairs.weights, minlength=count)
        met = np.flatnonzero(won + lost)
        keys = np.array([key(pairs.texts.names[at]) for at in met], dtype=np.uint64)
        order = np.argsort(keys)
        won, lost = won[met][order], lost[met][order]
        tried = [
            MajorityFit(keys=keys[order], values=np.log((won + p) / (lost + p)), slope=1.0)
            for p in self.priors
        ]
        asked = episodes(validation, seed, shots=(0,))
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MajorityFit:
    """Popularity by text.

    Attributes:
        keys: Hashes of the texts met, sorted, shape (n,).
        values: Log-odds that each wins, shape (n,).
        slope: Of the logits.
    """

    keys: NDArray[np.uint64]
    values: Array
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[None]:
        return [None] * len(people)

    def logits(self, state: None, pairs: Pairs) -> Array:
        found: Array = self.slope * (
            self._value(pairs, pairs.chosen) - self._value(pairs, pairs.rejected)
        )
        return found

    def _value(self, pairs: Pairs, at: NDArray[np.intp]) -> Array:
        if not len(self.keys):
            return np.zeros(len(at))
        wanted = np.array([key(pairs.texts.names[i]) for i in at], dtype=np.uint64)
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.values[place], 0.0)


def key(text: str) -> int:
    """A hash of a text that is the same on every machine."""
    return int.from_bytes(sha256(text.encode()).digest()[:8])
