"""What every family of personal reward models is: a method, and what it fitted.

A `Method` holds hyper-parameters and is fitted on a population. What it fitted turns the history of
a person into a state and answers, for other pairs, the log-odds that the chosen side wins; who said
nothing has a state too. A method never sees which pairs it will be asked about, and its answer for
a pair swapped is the negative of its answer for the pair. Nothing else is shared: each family is
one file, and this one knows none of them.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from befit.align.rewards.pairs import Array, Pairs, Person, Population

State = Any


@runtime_checkable
class Fitted(Protocol):
    """What a method learned: a frozen dataclass that `rewards.storing` can write."""

    def adapt(self, people: Sequence[Person]) -> Sequence[State]:
        """The state of each person after their history, which may be empty.

        Pure, and for most methods independent of the order of a history. Many people at once, so
        that a method that must search can do so for all of them together.
        """

    def logits(self, state: State, pairs: Pairs) -> Array:
        """Calibrated log-odds that the chosen side of each pair wins, shape (n,)."""


@runtime_checkable
class Doubts(Protocol):
    """A fitted method that says how unsure it is."""

    def spread(self, state: State, pairs: Pairs) -> Array:
        """Standard deviation of what lies behind each logit, shape (n,), >= 0."""


@runtime_checkable
class Explains(Protocol):
    """A fitted method that says in words why it prefers a text."""

    def explain(self, state: State, pairs: Pairs) -> list[dict[str, float]]:
        """Each pair's log-odds in parts with names, the largest first; they add up to it."""


class Method(Protocol):
    """A way to learn a personal reward; its fields are its hyper-parameters.

    ``personal`` is whether it reads histories at all, ``embeds`` whether it reads features.
    """

    @property
    def personal(self) -> bool: ...
    @property
    def embeds(self) -> bool: ...
    def fit(self, train: Population, validation: Population, *, seed: int) -> Fitted:
        """Learn from ``train``; choose settings, and calibrate, on ``validation`` alone.

        Raises:
            NotEnoughFeedbackError: There are too few people or pairs.
        """


def sigmoid(logits: Array) -> Array:
    """Probabilities; exact at both ends."""
    found: Array = np.exp(-np.logaddexp(0.0, -logits))
    return found


def softmax(values: Array) -> Array:
    """Rows that sum to 1, shape (n, k)."""
    power = np.exp(values - values.max(axis=-1, keepdims=True))
    found: Array = power / power.sum(axis=-1, keepdims=True)
    return found
