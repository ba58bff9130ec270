"""Chooses among fits, and calibrates one, on people kept aside: the same way for every method.

An episode shows some of a person's pairs and asks the others; pairs that share a text stay on one
side. Knows no method.

Source: episodes as in Vinyals et al. 2016, arXiv:1606.04080; temperature scaling, Guo et al. 2017,
arXiv:1706.04599.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from befit.align.rewards.method import Fitted
from befit.align.rewards.pairs import Array, Indices, Pairs, Person, Population

SHOTS = (0, 2, 4, 8, 16)
MOST_ASKED = 20
SLOPES = tuple(float(s) for s in np.geomspace(0.05, 20.0, 49))

F = TypeVar("F", bound=Fitted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """What is shown of one person, and what is asked."""

    person: Person
    query: Pairs


def episodes(
    population: Population, seed: int, shots: Sequence[int] = SHOTS, most_people: int = 200
) -> list[Episode]:
    """Each person once for each number of shots that they have, the first people by a draw.

    Args:
        population: People with decided pairs.
        seed: Decides who, and what is shown.
        shots: How many pairs to show.
        most_people: At most so many people.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(population))[:most_people]
    everyone = list(population)
    made = []
    for at in sorted(order.tolist()):
        pairs = everyone[at].pairs.decided()
        if not len(pairs):
            continue
        groups = together(pairs)
        for k in shots:
            shown, asked = _parted(groups, k, rng)
            if len(asked):
                person = Person(pairs=pairs.take(shown), about=everyone[at].about)
                made.append(Episode(person=person, query=pairs.take(asked[:MOST_ASKED])))
    return made


def together(pairs: Pairs) -> Indices:
    """Which pairs share a text, directly or through others, numbered from 0, shape (n,)."""
    root: dict[int, int] = {}

    def find(text: int) -> int:
        while root.setdefault(text, text) != text:
            text = root[text]
        return text

    for one, other in zip(pairs.chosen.tolist(), pairs.rejected.tolist(), strict=True):
        root[find(one)] = find(other)
    numbers: dict[int, int] = {}
    return np.array(
        [numbers.setdefault(find(text), len(numbers)) for text in pairs.chosen.tolist()],
        dtype=np.intp,
    )


def _parted(groups: Indices, k: int, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Pairs to show and pairs to ask; nothing to ask where there are too few."""
    place = rng.permutation(int(groups.max()) + 1)[groups]
    order = np.argsort(place, kind="stable")
    if not k:
        return order[:0], order
    if len(order) <= k:
        return order, order[:0]
    rest = order[k:]
    return order[:k], rest[groups[rest] != groups[order[k - 1]]]


def answers(fitted: Fitted, asked: Sequence[Episode]) -> list[Array]:
    """The logits of each episode's query."""
    states = fitted.adapt([episode.person for episode in asked])
    return [fitted.logits(s, episode.query) for s, episode in zip(states, asked, strict=True)]


def loss(logits: Sequence[Array], slope: float = 1.0) -> float:
    """Log loss in nats, each episode counting once."""
    return float(np.mean([np.logaddexp(0.0, -slope * own).mean() for own in logits]))


def best_slope(fitted: Fitted, asked: Sequence[Episode]) -> tuple[float, float]:
    """What the logits have to be multiplied by, and the log loss that this leaves."""
    found = answers(fitted, asked)
    losses = [loss(found, slope) for slope in SLOPES]
    at = int(np.argmin(losses))
    return SLOPES[at], losses[at]


def chosen(fits: Iterable[F], asked: Sequence[Episode], calibrate: Callable[[F, float], F]) -> F:
    """The fit that predicts best once it is calibrated, calibrated.

    Args:
        fits: One for each setting that is tried; at least one.
        asked: Episodes of people kept aside.
        calibrate: The same fit, its logits multiplied by a slope.
    """
    tried: list[tuple[float, F]] = []
    for fitted in fits:
        slope, left = best_slope(fitted, asked)
        tried.append((left, calibrate(fitted, slope)))
    return min(tried, key=lambda each: each[0])[1]
