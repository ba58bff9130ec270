"""What a population agrees on: one Bradley-Terry model over features and over the very texts.

The utility of a text is ``t = phi . w + a``: what its features are worth, and what people thought
of this text beyond its features. ``a`` is a random effect, shrunk towards 0, of texts that at least
two people compared; a text never met has only its features. Both penalties are chosen on people
kept aside; few people take turns. Knows no person.

Source: Bradley and Terry 1952; random effects for items, e.g. De Boeck and Wilson 2004,
Explanatory Item Response Models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import coo_array

from befit.align.rewards.method import sigmoid
from befit.align.rewards.pairs import Array, Indices, Pairs, Population
from befit.core.errors import NotEnoughFeedbackError

RIDGES = (100.0, 30.0, 10.0, 3.0, 1.0)  # of the weights of features
SHRINKS = (10.0, 3.0, 1.0)  # of what a text is worth beyond them
FEWEST_PEOPLE = 2  # who compared a text, for it to count as met
FEW_PEOPLE = 300  # up to which people take turns to choose the penalties by
FOLDS = 4
MOST_TRIED = 40_000  # pairs that the penalties are chosen with
_ROUNDS = 200
_ENOUGH = 1e-7  # relative fall of the loss at which a fit ends


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreed:
    """What everyone agrees on.

    Attributes:
        weights: Of the features, shape (width,).
        effects: What each text of the table is worth beyond its features, shape (texts,).
        shrink: How strongly the effects were shrunk; infinite where none are used.
        ridge: How strongly the weights were.
    """

    weights: Array
    effects: Array
    shrink: float
    ridge: float

    def of(self, pairs: Pairs) -> Array:
        """By how much everyone prefers the chosen text of each pair, shape (n,)."""
        found: Array = pairs.differences @ self.weights
        return found + self.effects[pairs.chosen] - self.effects[pairs.rejected]

    def of_others(self, train: Population, pairs: Pairs, owners: Indices) -> Array:
        """Likewise, each person's pairs by what others think, who did not help to fit it.

        Args:
            train: Whom this was fitted on.
            pairs: Decided pairs of its people, side by side.
            owners: Whose each is, numbered from 0.
        """
        users = [user for user, person in train.people.items() if len(person.pairs.decided())]
        if len(users) < FOLDS:
            return self.of(pairs)
        found = np.zeros(len(pairs))
        for fold in range(FOLDS):
            others = [user for i, user in enumerate(users) if i % FOLDS != fold]
            at = np.flatnonzero(owners % FOLDS == fold)
            found[at] = refit(train.part(others), self.ridge, self.shrink).of(pairs.take(at))
        return found


def met(population: Population) -> NDArray[np.bool_]:
    """Which texts of the table at least two people compared, shape (texts,)."""
    count = np.zeros(len(population.texts), dtype=np.intp)
    for person in population:
        pairs = person.pairs
        count[np.unique(np.concatenate([pairs.chosen, pairs.rejected]))] += 1
    found: NDArray[np.bool_] = count >= FEWEST_PEOPLE
    return found


def agree(
    train: Population,
    validation: Population,
    *,
    items: bool = True,
    ridges: Sequence[float] = RIDGES,
    shrinks: Sequence[float] = SHRINKS,
) -> Agreed:
    """Fit it.

    Args:
        train: Whom to learn from.
        validation: Other people, to choose the penalties by.
        items: Whether texts may be worth more than their features.
        ridges: Penalties of the weights to choose from, strong to weak.
        shrinks: Penalties of the effects to choose from, strong to weak.

    Raises:
        NotEnoughFeedbackError: There are no decided pairs on either side.
    """
    total: dict[tuple[float, float], float] = {}
    for part, asked in _folds(train, validation):
        pairs = part.joined()[0].decided()
        known = met(part) & items
        options = (*shrinks, np.inf) if known.any() else (np.inf,)
        tried = _Fit(pairs.take(slice(0, MOST_TRIED)), known)
        for shrink in options:
            for ridge, weights, effects in tried.each(ridges, shrink):
                key = shrink, ridge
                total[key] = total.get(key, 0.0) + _loss(asked, weights, effects)
    shrink, ridge = min(total, key=lambda key: total[key])
    return refit(train, ridge, shrink)


def refit(people: Population, ridge: float, shrink: float) -> Agreed:
    """What these people agree on, under penalties that were chosen before."""
    fit = _Fit(people.joined()[0].decided(), met(people) & bool(np.isfinite(shrink)))
    ((_, weights, effects),) = fit.each((ridge,), shrink)
    return Agreed(weights=weights, effects=effects, ridge=ridge, shrink=shrink)


def _folds(
    train: Population, validation: Population
) -> Iterator[tuple[Population, Sequence[Pairs]]]:
    """People to learn from and the pairs of others; few people take turns.

    Raises:
        NotEnoughFeedbackError: There are no decided pairs on either side.
    """
    sides = [
        [user for user, person in part.people.items() if len(person.pairs.decided())]
        for part in (train, validation)
    ]
    if not all(sides):
        raise NotEnoughFeedbackError(
            "there are no decided pairs to learn from", hint="give pairs of more people"
        )
    everyone, users = train | validation, [user for side in sides for user in side]
    turns = [sides[1]] if len(users) > FEW_PEOPLE else [users[i::FOLDS] for i in range(FOLDS)]
    for asked in filter(None, turns):
        rest = everyone.part(sides[0] if len(turns) == 1 else sorted({*users} - {*asked}))
        if len(rest):
            yield rest, [everyone.people[user].pairs.decided() for user in asked]


class _Fit:
    """The likelihood of some pairs, of the texts that are in them alone."""

    def __init__(self, pairs: Pairs, known: NDArray[np.bool_]) -> None:
        self.used, at = np.unique(
            np.concatenate([pairs.chosen, pairs.rejected]), return_inverse=True
        )
        count = len(pairs)
        rows = np.tile(np.arange(count), 2)
        signs = np.repeat([1.0, -1.0], count)
        self.sides = coo_array((signs, (rows, at)), shape=(count, len(self.used))).tocsr()
        self.back = self.sides.T.tocsr()
        self.features = pairs.texts.vectors[self.used]
        self.known = known[self.used].astype(float)
        self.size = len(known)
        self.counts = pairs.weights

    def each(self, ridges: Sequence[float], shrink: float) -> Iterator[tuple[float, Array, Array]]:
        """Each ridge with weights and effects, every fit started at the last."""
        width = self.features.shape[1]
        point = np.zeros(width + (len(self.used) if np.isfinite(shrink) else 0))
        for ridge in ridges:
            point = minimize(
                self._value,
                point,
                args=(ridge, shrink),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": _ROUNDS, "ftol": _ENOUGH},
            ).x
            effects = np.zeros(self.size)
            if len(point) > width:
                effects[self.used] = point[width:] * self.known
            yield ridge, point[:width], effects

    def _value(self, point: Array, ridge: float, shrink: float) -> tuple[float, Array]:
        width = self.features.shape[1]
        weights, effects = point[:width], point[width:]
        utility = self.features @ weights
        if len(effects):
            utility = utility + effects * self.known
        logits = self.sides @ utility
        value = self.counts @ np.logaddexp(0.0, -logits) + 0.5 * ridge * weights @ weights
        pull = -(self.back @ (self.counts * sigmoid(-logits)))
        gradient = pull @ self.features + ridge * weights
        if len(effects):
            value += 0.5 * shrink * effects @ effects
            gradient = np.concatenate([gradient, pull * self.known + shrink * effects])
        return float(value), gradient


def _loss(asked: Sequence[Pairs], weights: Array, effects: Array) -> float:
    """Log loss of what people kept aside said, in nats a pair, each person counting once."""
    logits = Agreed(weights=weights, effects=effects, shrink=0.0, ridge=0.0).of(Pairs.joined(asked))
    counts = np.repeat([1.0 / len(own) for own in asked], [len(own) for own in asked])
    return float(counts @ np.logaddexp(0.0, -logits) / len(asked))
