"""How the rows of one request become one distribution: ``log p = sum_j c_j log p_j``, or otherwise.

A blend that is a weighted sum costs one row of the vocabulary's matrix, whatever the number of
rows: hidden states are mixed before it. One that restricts what may be said, or is no sum, sees
the logits of each row.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Blend(Protocol):
    """Combines the rows of one request."""

    @property
    def weights(self) -> tuple[float, ...] | None:
        """Coefficients where it is a plain sum of logits; None where it must see each row."""

    def combine(self, logits: Tensor) -> Tensor:
        """Scores of the next token, shape (vocabulary,), of each row's logits (rows, vocabulary).

        -inf is never said. Asked only where there are no ``weights``.
        """


@dataclass(frozen=True, slots=True)
class Weighted:
    """A plain sum.

    Attributes:
        weights: One a row.
    """

    weights: tuple[float, ...] = (1.0,)

    def combine(self, logits: Tensor) -> Tensor:
        found: Tensor = logits.new_tensor(self.weights) @ logits
        return found
