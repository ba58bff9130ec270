"""Nearest people: a new person is a vote of those learned from who would have answered like them.

Each person ``v`` learned from has a head ``w_v`` in a few shared coordinates. A new person's
history gives each of them the weight ``a_v ~ exp(sharpness * sum_i log sigmoid(w_v . delta_i))``,
and ``P = sum_v a_v sigmoid(w_v . delta)``. Nothing of the new person is fitted. It is the
population itself in the place of a normal prior, and so shows what a prior of one hump misses.

Source: the training-free step of CoPL, EMNLP 2025, arXiv:2503.01658 (attention over neighbours for
unseen people).

Found when checking: the graph of CoPL joins people who reacted to the same answers. Few pairs
recur between people, so likeness is measured here by what each would have answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from befit.align.rewards.histories import pooled
from befit.align.rewards.kernel import unit
from befit.align.rewards.method import sigmoid, softmax
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population
from befit.align.rewards.rehearsing import LOGIT
from befit.align.rewards.tuning import chosen, episodes
from befit.belief.logistic import newton
from befit.core.errors import NotEnoughFeedbackError

_MOST = 2_000  # people kept
_SURE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A vote of like-minded people.

    Attributes:
        rank: Shared coordinates.
        sharpness: How much each answer tells people apart, to try.
        widths: Prior variance of a head around the common one, to try.
    """

    rank: int = 24
    sharpness: tuple[float, ...] = (0.3, 0.6, 1.0)
    widths: tuple[float, ...] = (0.1, 0.4, 1.5)

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "NeighboursFit":
        pairs, owners, weights = pooled(train)
        if not len(pairs):
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        x = LOGIT * unit(pairs.differences)
        basis = _basis(x, owners, weights, self.rank)
        latent = x @ basis.T
        common, _ = newton(np.zeros(len(basis)), 10.0 * np.eye(len(basis)), latent, pairs.weights)
        tried = [
            NeighboursFit(
                basis=basis,
                heads=_heads(latent, pairs.weights, owners, common, width),
                sharpness=sharpness,
                slope=1.0,
            )
            for width in self.widths
            for sharpness in self.sharpness
        ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeighboursFit:
    """The heads of the people learned from, without their names.

    Attributes:
        basis: Features to shared coordinates, shape (rank, width).
        heads: Shape (people, rank).
        sharpness: How much an answer tells people apart.
        slope: Of the logits.
    """

    basis: Array
    heads: Array
    sharpness: float
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[Array]:
        """The weight of each neighbour, shape (people learned from,)."""
        found = []
        for person in people:
            pairs = person.pairs.decided()
            agreed = -np.logaddexp(0.0, -self._latent(pairs) @ self.heads.T)
            total = (agreed * pairs.weights[:, None]).sum(axis=0)
            found.append(softmax(self.sharpness * total))
        return found

    def logits(self, state: Array, pairs: Pairs) -> Array:
        votes = self._latent(pairs) @ self.heads.T
        won, lost = sigmoid(votes) @ state, sigmoid(-votes) @ state
        found: Array = self.slope * (np.log(won + _SURE) - np.log(lost + _SURE))
        return found

    def _latent(self, pairs: Pairs) -> Array:
        return LOGIT * unit(pairs.differences) @ self.basis.T


def _basis(x: Array, owners: Indices, weights: Array, rank: int) -> Array:
    """The common direction, then those in which people's means differ, shape (<= rank, width)."""
    people = int(owners.max()) + 1
    sums = np.zeros((people, x.shape[1]))
    np.add.at(sums, owners, x)
    means = sums / (np.bincount(owners) + 4.0)[:, None]
    common = (x * weights[:, None]).sum(axis=0)
    common /= max(float(np.linalg.norm(common)), 1e-9)
    _, _, rest = np.linalg.svd(means - np.outer(means @ common, common), full_matrices=False)
    found: Array = np.vstack([common, rest[: rank - 1]])
    return found


def _heads(latent: Array, weights: Array, owners: Indices, common: Array, width: float) -> Array:
    people = min(int(owners.max()) + 1, _MOST)
    starts = np.searchsorted(owners, np.arange(people + 1))
    prior = width * np.eye(len(common))
    return np.array(
        [
            newton(common, prior, latent[a:b], weights[a:b])[0]
            for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
        ]
    )
