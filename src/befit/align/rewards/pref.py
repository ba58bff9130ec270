"""PReF: a few latent features of a text for all, a vector of coefficients for each person.

``r_u(y) = lambda_u' phi(y)`` with ``phi`` linear in the features. ``phi`` starts from the singular
vectors of the table of pairs by people, its gaps filled again from the low-rank fit ten times; then
``phi`` and the ``lambda_u`` of the people learned from are fitted together by the logistic loss,
with a penalty on ``|phi(delta)|`` that fixes the scale. Of a new person ``lambda`` alone is fitted:
the mode under a normal prior, by Newton, in place of 5,000 gradient steps; its inverse curvature is
the matrix that active questions reduce.

Source: Shenfeld et al. 2025, PReF, arXiv:2503.06358.

Found when checking: accuracy in the official code is the best over thresholds chosen on the test
set; here the threshold is 0, as the antisymmetry of a pair demands. The singular start needs people
who compared the same pairs; where hardly any pair recurs it says nothing, and the first features
are then the principal directions of people's mean differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from befit.align.rewards.histories import pooled
from befit.align.rewards.kernel import unit
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population
from befit.align.rewards.tuning import chosen, episodes
from befit.align.train.episodic import one_thread
from befit.belief.logistic import newton
from befit.core.errors import NotEnoughFeedbackError

_LOGIT = 3.0  # scale of a unit difference
_FILLS = 10
_RECURS = 2.0  # people a pair from which the singular start is worth it

State = tuple[Array, Array]  # mean (rank,), covariance (rank, rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pref:
    """Factorised rewards with a singular start.

    Attributes:
        ranks: How many latent features to try.
        steps: After how many joint steps to look.
        learning_rate: Of the joint fit.
        penalty: On the mean length of a pair's latent features.
        widths: Prior variance of a new person's coefficients, around the population's mean, to try.
    """

    ranks: tuple[int, ...] = (3, 8, 16)
    steps: tuple[int, ...] = (0, 50, 150)
    learning_rate: float = 0.01
    penalty: float = 0.02
    widths: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)

    @property
    def personal(self) -> bool:
        return True

    @property
    def embeds(self) -> bool:
        return True

    def fit(self, train: Population, validation: Population, *, seed: int) -> "PrefFit":
        pairs, owners, weights = pooled(train)
        if not len(pairs):
            raise NotEnoughFeedbackError("there are no decided pairs", hint="give more pairs")
        x = _LOGIT * unit(pairs.differences)
        tried = []
        for rank in self.ranks:
            start = _start(pairs, owners, x, min(rank, x.shape[1]))
            for features, people in self._looks(x, owners, weights, start, seed):
                mean = people.mean(axis=0)
                spread = np.var(people, axis=0) + 1e-3
                tried += [
                    PrefFit(features=features, mean=mean, variance=width * spread, slope=1.0)
                    for width in self.widths
                ]
        asked = episodes(validation, seed, most_people=100)
        return chosen(tried, asked, lambda fit, slope: replace(fit, slope=slope))

    @one_thread()
    def _looks(
        self, x: Array, owners: Indices, weights: Array, start: Array, seed: int
    ) -> list[tuple[Array, Array]]:
        """Features (width, rank) and people's coefficients (people, rank) at each look."""
        table, whose = torch.tensor(x, dtype=torch.float32), torch.tensor(owners)
        counts = torch.tensor(weights, dtype=torch.float32)
        features = torch.tensor(start, dtype=torch.float32).requires_grad_()
        count = int(owners.max()) + 1
        random = torch.Generator().manual_seed(seed)
        people = (0.1 * torch.randn(count, start.shape[1], generator=random)).requires_grad_()
        optimizer = torch.optim.Adam([features, people], lr=self.learning_rate)
        looks = []
        for step in range(max(self.steps) + 1):
            latent = table @ features
            if step in self.steps:
                modes = _coefficients(latent.detach().numpy(), owners, weights, count)
                looks.append((features.detach().numpy().astype(np.float64), modes))
            logits = (latent * people[whose]).sum(1)
            loss = (torch.nn.functional.softplus(-logits) * counts).sum() / count
            total = loss + self.penalty * (latent.norm(dim=1) * counts).sum() / count
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        return looks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefFit:
    """The latent features and how people differ in them.

    Attributes:
        features: Shape (width, rank).
        mean: Of people's coefficients, shape (rank,).
        variance: Of a new person's around it, shape (rank,).
        slope: Of the logits.
    """

    features: Array
    mean: Array
    variance: Array
    slope: float

    def adapt(self, people: Sequence[Person]) -> Sequence[State]:
        prior = np.diag(self.variance)
        found = []
        for person in people:
            pairs = person.pairs.decided()
            if len(pairs):
                found.append(newton(self.mean, prior, self._seen(pairs), pairs.weights))
            else:
                found.append((self.mean, prior))
        return found

    def logits(self, state: State, pairs: Pairs) -> Array:
        found: Array = self.slope * (self._seen(pairs) @ state[0])
        return found

    def spread(self, state: State, pairs: Pairs) -> Array:
        x = self._seen(pairs)
        found: Array = self.slope * np.sqrt(np.einsum("ij,jk,ik->i", x, state[1], x))
        return found

    def _seen(self, pairs: Pairs) -> Array:
        found: Array = _LOGIT * unit(pairs.differences) @ self.features
        return found


def _start(pairs: Pairs, owners: Indices, x: Array, rank: int) -> Array:
    """First features, shape (width, rank)."""
    votes = _votes(pairs, owners)
    if len(votes.pairs) >= 4 * rank:
        return _singular(votes, votes.signs[:, None] * x[votes.pairs], rank)
    sums = np.zeros((int(owners.max()) + 1, x.shape[1]))
    np.add.at(sums, owners, x)
    means = sums / (np.bincount(owners) + 4.0)[:, None]
    _, _, directions = np.linalg.svd(means, full_matrices=False)
    found = np.zeros((x.shape[1], rank))
    found[:, : min(rank, len(directions))] = directions[:rank].T
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Votes:
    """The pairs that several people compared, and how.

    Attributes:
        pairs: One pair of each, as an index, shape (rows,).
        signs: 1 where that pair's chosen text is the one that stands first, else -1, shape (rows,).
        rows, people: Where something is known, shape (n,) each.
        first: 1 where the first text was preferred there, else 0, shape (n,).
        size: Rows and people of the table.
    """

    pairs: Indices
    signs: Array
    rows: Indices
    people: Indices
    first: Array
    size: tuple[int, int]


def _votes(pairs: Pairs, owners: Indices) -> _Votes:
    low, high = np.minimum(pairs.chosen, pairs.rejected), np.maximum(pairs.chosen, pairs.rejected)
    both = np.stack([low, high], axis=1)
    _, one, which, counts = np.unique(
        both, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    recurring = np.flatnonzero(counts >= _RECURS)
    row = np.full(len(counts), -1)
    row[recurring] = np.arange(len(recurring))
    at = row[which.reshape(-1)]
    known = at >= 0
    first = (pairs.chosen == low).astype(float)
    return _Votes(
        pairs=one[recurring],
        signs=2.0 * first[one[recurring]] - 1.0,
        rows=at[known],
        people=owners[known],
        first=first[known],
        size=(len(recurring), int(owners.max()) + 1),
    )


def _singular(votes: _Votes, seen: Array, rank: int) -> Array:
    """Features of the pairs ``seen`` that give the left singular vectors of the table best."""
    table = np.full(votes.size, 0.5)
    known = (votes.rows, votes.people)
    table[known] = votes.first
    for _ in range(_FILLS):
        u, s, v = np.linalg.svd(table - 0.5, full_matrices=False)
        table = np.clip(0.5 + (u[:, :rank] * s[:rank]) @ v[:rank], 0.0, 1.0)
        table[known] = votes.first
    u, s, _ = np.linalg.svd(table - 0.5, full_matrices=False)
    ridge = seen.T @ seen + 1e-2 * len(seen) * np.eye(seen.shape[1])
    fitted = np.linalg.solve(ridge, seen.T @ (u[:, :rank] * np.sqrt(s[:rank])))
    found = np.zeros((seen.shape[1], rank))
    found[:, : fitted.shape[1]] = fitted / np.maximum(np.linalg.norm(fitted, axis=0), 1e-9)
    return found


def _coefficients(latent: Array, owners: Indices, weights: Array, people: int) -> Array:
    """Each person's mode under a wide prior, shape (people, rank)."""
    rank = latent.shape[1]
    starts = np.searchsorted(owners, np.arange(people + 1))
    mean, prior = np.zeros(rank), np.eye(rank)
    scale = np.bincount(owners)[owners] * weights
    return np.array(
        [
            newton(mean, prior, latent[a:b].astype(np.float64), scale[a:b])[0]
            for a, b in pairwise(starts)
        ]
    )
