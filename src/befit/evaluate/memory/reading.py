"""Answers a question with several options from what a memory recalls, and by nothing else.

No language model: statements of preference are read in the recalled texts, the better placed
weighing more, and the option nearest to what is stated for and farthest from what is stated against
is chosen. What reads is the same for every memory, so that only what they recall differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from befit.core.preference import TOPIC
from befit.core.protocols import Encoder
from befit.evaluate.memory.methods import distilled

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reader:
    """Chooses among options.

    Attributes:
        encoder: Relates what is stated to the options.
    """

    encoder: Encoder

    def by_stance(self, texts: Sequence[str], options: Sequence[str]) -> float:
        """Whether the first option follows from what the texts state, best first.

        Returns:
            1 or 0; where they state nothing, what guessing gives.
        """
        sides: dict[str, float] = {}
        for place, text in enumerate(dict.fromkeys(texts), start=1):
            for statement in distilled(text):
                for name, value in statement.values.items():
                    topic = name.removeprefix(TOPIC)
                    sides[topic] = sides.get(topic, 0.0) + value / place
        if not sides:
            return 1.0 / len(options)
        scores = self._vectors(options) @ self._vectors(list(sides)).T @ list(sides.values())
        return _first(scores)

    def by_likeness(self, texts: Sequence[str], options: Sequence[str]) -> float:
        """Whether the first option is nearer than the others to the nearest of the texts.

        Returns:
            1 or 0; without texts, what guessing gives.
        """
        if not texts:
            return 1.0 / len(options)
        return _first((self._vectors(options) @ self._vectors(texts).T).max(axis=1))

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self.encoder.encode(texts), dtype=np.float32)


def _first(scores: NDArray[np.floating]) -> float:
    """1 where the first is the highest, shared where several are."""
    best = scores >= scores.max()
    return float(best[0]) / float(best.sum())
