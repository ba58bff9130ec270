"""How well anybody could do: who knows the crowd, and who knows the person as well as they do.

Two oracles, which look at answers that no method may see:

- ``crowd-oracle`` names the side that most *other* people of the whole data set took, tested ones
  among them: on the very pair where at least three others judged it, else by the share of others
  who preferred each text, where at least ten met both. What neither knows is left out. A method
  that beats it knows something of the person.
- ``self-oracle`` gives the answer that a person gives most often, where people judged a pair twice:
  who repeats themselves with chance c is answered by p, of p^2 + (1 - p)^2 = c, at best.

Nothing is said of a data set in which nobody shares a pair or a text and nobody repeats one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from befit.evaluate.collected import Collected, by_person
from befit.evaluate.datasets.contested import FEWEST_VOTES
from befit.evaluate.schema import PairData, PairRow, Row
from befit.evaluate.statistics import drawn_people, interval, mean_of_people

CROWD, SELF, METRIC = "crowd-oracle", "self-oracle", "noise_ceiling"
FEWEST_OTHERS = 3  # people who judged the very pair
_FEWEST_PEOPLE = 2
Array = NDArray[np.float64]
Key = tuple[str, str, str]  # prompt, and both texts in a fixed order
_K = TypeVar("_K", str, Key)


@dataclass(frozen=True, slots=True)
class _Votes:
    """Votes of everyone: by what was voted on, what each person said, from 0 to 1."""

    pairs: Mapping[Key, Mapping[str, float]]
    texts: Mapping[str, Mapping[str, float]]


def ceilings(collected: Collected, data: PairData) -> list[Row]:
    """The oracles' accuracies on what the methods were asked, where there is anything to know.

    Args:
        collected: Whom the methods were asked about, and on which pairs.
        data: Everyone's pairs.
    """
    if not data.people:
        return []
    return [*_crowd(collected, data), *_self(collected, data)]


def _crowd(collected: Collected, data: PairData) -> Iterator[Row]:
    asked = np.unique(np.stack([collected.person, collected.number]), axis=1)
    votes = _votes(data)
    known = {int(n): crowd_hit(votes.pairs, votes.texts, data.rows[n]) for n in np.unique(asked[1])}
    hits = np.array([known[n] for n in asked[1].tolist()])
    keep = ~np.isnan(hits)
    if not keep.any():
        return
    means = np.array([own.mean() for own in by_person(asked[0][keep], hits[keep])])
    if len(means) >= _FEWEST_PEOPLE:
        yield _row(collected.name, CROWD, mean_of_people(means), len(means))


def crowd_hit(
    pairs: Mapping[Key, Mapping[str, float]], texts: Mapping[str, Mapping[str, float]], row: PairRow
) -> float:
    """1 where most others took what the person took, one half where they split evenly.

    Args:
        pairs: Pair -> person -> share of times they took its first text.
        texts: Text -> person -> share of times they preferred it.
        row: What is asked; NaN where too few others say anything.
    """
    key = _key(row)
    own = [share for user, share in pairs.get(key, {}).items() if user != row.user]
    if len(own) >= FEWEST_OTHERS:
        lead = 2.0 * sum(own) / len(own) - 1.0
        return 0.5 + 0.5 * float(np.sign(lead if row.chosen == key[1] else -lead))
    both = []
    for text in (row.chosen, row.rejected):
        said = [share for user, share in texts.get(text, {}).items() if user != row.user]
        if len(said) < FEWEST_VOTES:
            return float("nan")
        both.append(sum(said) / len(said))
    return 0.5 + 0.5 * float(np.sign(both[0] - both[1]))


def _self(collected: Collected, data: PairData) -> Iterator[Row]:
    tested = set(collected.users)
    agreed = repeats([row for row in data.rows if row.user in tested])
    if len(agreed) < _FEWEST_PEOPLE:
        return
    draws = drawn_people(len(agreed)) @ agreed / len(agreed)
    low, high = interval(_answered(draws))
    value = float(_answered(np.array([agreed.mean()]))[0])
    yield _row(collected.name, SELF, (value, low, high), len(agreed))


def repeats(rows: Sequence[PairRow]) -> Array:
    """How often each person who judged a pair again said the same, shape (people,)."""
    said: dict[tuple[str, Key], Counter[str]] = defaultdict(Counter)
    for row in rows:
        said[row.user, _key(row)][row.chosen] += 1
    shares: dict[str, list[float]] = defaultdict(list)
    for (user, _), taken in said.items():
        n = taken.total()
        if n > 1:
            same = sum(times * (times - 1) for times in taken.values())
            shares[user].append(same / (n * (n - 1)))
    return np.array([sum(own) / len(own) for own in shares.values()])


def _answered(agreement: Array) -> Array:
    """How often someone is answered rightly who agrees with themselves so often."""
    found: Array = 0.5 + 0.5 * np.sqrt(np.maximum(2.0 * agreement - 1.0, 0.0))
    return found


def _votes(data: PairData) -> _Votes:
    pairs: dict[Key, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    texts: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in data.rows:
        key = _key(row)
        pairs[key][row.user].append(row.chosen == key[1])
        texts[row.chosen][row.user].append(True)
        texts[row.rejected][row.user].append(False)
    return _Votes(_shares(pairs), _shares(texts))


def _shares(votes: Mapping[_K, Mapping[str, Sequence[bool]]]) -> dict[_K, dict[str, float]]:
    return {
        what: {user: sum(own) / len(own) for user, own in said.items()}
        for what, said in votes.items()
    }


def _key(row: PairRow) -> Key:
    first, second = sorted((row.chosen, row.rejected))
    return row.prompt, first, second


def _row(data: str, method: str, told: tuple[float, float, float], people: int) -> Row:
    value, lo, hi = told
    return Row(
        data=data, method=method, shots=None, metric=METRIC, value=value,
        lo=min(lo, value), hi=max(hi, value), people=people,
    )  # fmt: skip
