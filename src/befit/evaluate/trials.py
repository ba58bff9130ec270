"""What is asked of every method: people to fit on, histories to read, pairs to predict.

A `Division` is one seed's; `predict` puts one fitted method through it and keeps every prediction.
Makes no figure of them; `befit.evaluate.figures` does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from befit.align.rewards.method import Fitted, Method, State, sigmoid
from befit.align.rewards.pairs import Indices, Pairs, Person, Population, Report, Texts
from befit.core.preference import Pair
from befit.core.protocols import Encoder
from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.schema import PairData, PairRow, people_of
from befit.evaluate.splits import Split, draw, separate, split_people
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.features.feature_map import FeatureMap
from befit.models.cache import cache_dir

DRAWS = 5  # of support and query, per person and seed
MOST_TEST = 300  # people tested per seed
COSTS = ("fit_seconds", "adapt_us", "logit_us", "state_bytes")
_DAY = 86_400.0

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@lru_cache(maxsize=1)
def feature_map() -> FeatureMap:
    """The default features: cached sentence embeddings beside style."""
    encoder = CachedEncoder(MiniLM(), str(cache_dir() / "embeddings" / "evaluate.db"))
    return FeatureMap(cast("Encoder", encoder))  # an array is not typed as a sequence of sequences


class Numbered:
    """A data set as arrays: every pair has a number, ties after the decided ones.

    Args:
        data: The data set.
        features: What texts are seen by.
        report: Told (done, total) while texts are embedded.
    """

    def __init__(
        self,
        data: PairData,
        features: FeatureMap,
        report: Report = lambda _done, _total: None,
    ) -> None:
        self.data = data
        rows = (*data.rows, *data.ties)
        # in order of the words: where a text stands must not tell which one was chosen
        names = sorted({text for row in rows for text in (row.chosen, row.rejected, row.prompt)})
        self.texts = Texts(names, features, report)
        self.pairs = Pairs.of(
            self.texts,
            [Pair(prompt=row.prompt, chosen=row.chosen, rejected=row.rejected) for row in rows],
            preferred=[1.0] * len(data.rows) + [0.5] * len(data.ties),
            days=[row.at.timestamp() / _DAY if row.at else np.nan for row in rows],
        )
        self.number = {_key(row): i for i, row in enumerate(data.rows)}
        self._ties: dict[str, list[int]] = {}
        for i, row in enumerate(data.ties):
            self._ties.setdefault(row.user, []).append(len(data.rows) + i)

    def numbers(self, rows: Sequence[PairRow]) -> Indices:
        """The numbers of some rows."""
        return np.array([self.number[_key(row)] for row in rows], dtype=np.intp)

    def person(self, user: str, at: Indices) -> Person:
        """Someone with these pairs as their history."""
        return Person(pairs=self.pairs.take(at), about=self.data.about.get(user, {}))

    def population(self, rows: Sequence[PairRow]) -> Population:
        """The people of some rows, each with their ties."""
        people = people_of(rows)
        return Population(
            texts=self.texts,
            people={
                user: self.person(user, np.append(self.numbers(own), self._ties_of(user)))
                for user, own in people.items()
            },
        )

    def _ties_of(self, user: str) -> Indices:
        return np.array(self._ties.get(user, []), dtype=np.intp)


def _key(row: PairRow) -> tuple[str, str, str, str, object]:
    return row.user, row.prompt, row.chosen, row.rejected, row.at


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One person in one draw.

    Attributes:
        user: Who.
        draw: Which draw, from 0.
        support: Numbers of the pairs that may be shown, in the order of showing.
        query: Numbers of the pairs asked about.
    """

    user: str
    draw: int
    support: Indices
    query: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Division:
    """One seed's people to fit on, and the cases to predict.

    Attributes:
        numbered: The data set.
        train: Whom to learn from.
        validation: Other people, to choose settings by.
        cases: What is asked.
        seed: Whose division it is.
        separated: Rule by which support and query were kept apart -> to how many people it
            applied.
    """

    numbered: Numbered
    train: Population
    validation: Population
    cases: tuple[Case, ...]
    seed: int
    separated: Mapping[str, int]


def divide(
    numbered: Numbered, seed: int, most_shots: int, split: Split = "unseen-person"
) -> Division:
    """Everything that a method is asked under one seed.

    Raises:
        InputError: The data set has too few people, or lacks what the split needs.
    """
    data = numbered.data
    parted = split_people(data, seed, MOST_TEST, split)
    most = most_shots if data.people else 0
    rules: Counter[str] = Counter()
    cases = []
    for user, rows in parted.test.items():
        groups: tuple[tuple[int, ...], ...] = ()
        if most:
            groups, rule = separate(rows, data.disjoint)
            rules[rule] += 1
        for number in range(DRAWS if most else 1):
            drawn = draw(
                rows, groups, most, stable_seed(seed, number, user), in_order=parted.in_order
            )
            cases.append(
                Case(
                    user=user,
                    draw=number,
                    support=numbered.numbers(drawn.support),
                    query=numbered.numbers(drawn.query),
                )
            )
    return Division(
        numbered=numbered,
        train=numbered.population(parted.train),
        validation=numbered.population(parted.validation),
        cases=tuple(cases),
        seed=seed,
        separated=rules,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What one method said of every query pair of one division, case by case.

    Attributes:
        own: Shots -> probability of the chosen text after the person's own history, shape (n,),
            in single precision, as it is kept; NaN where the history is shorter.
        other: Likewise after another person's history; empty for a method that reads none.
        swapped: Likewise after the person's own history with every answer turned round; of the
            first draw alone, else NaN.
        costs: Seconds of the fit; microseconds of an adaptation per pair shown and of a
            prediction; bytes of a state after the most shots.
    """

    own: Mapping[int, Array]
    other: Mapping[int, Array]
    swapped: Mapping[int, Array]
    costs: Mapping[str, float]

    def save(self, path: Path) -> None:
        """Write a file that `load` reads, in one step."""
        arrays = {
            f"{name}-{k}": values.astype(np.float32)
            for name in ("own", "other", "swapped")
            for k, values in getattr(self, name).items()
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file, costs=np.array([self.costs[name] for name in COSTS]), **cast("Any", arrays)
            )
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a saved file."""
        found: dict[str, dict[int, Array]] = {"own": {}, "other": {}, "swapped": {}}
        with np.load(path) as file:
            for key in file.files:
                name, _, k = key.partition("-")
                if name in found:
                    found[name][int(k)] = file[key].astype(np.float64)
            costs = dict(zip(COSTS, file["costs"].tolist(), strict=True))
        return cls(costs=costs, **found)


def predict(method: Method, division: Division, shots: Sequence[int]) -> Predictions:
    """Fit a method on one division and ask it everything.

    Raises:
        NotEnoughFeedbackError: There is too little to fit on.
    """
    fitted, seconds = fit(method, division)
    personal = method.personal and division.numbered.data.people
    return ask(fitted, division, shots, seconds, personal=personal)


def fit(method: Method, division: Division) -> tuple[Fitted, float]:
    """What a method learns of a division, and the seconds that took.

    Raises:
        NotEnoughFeedbackError: There is too little to fit on.
    """
    began = perf_counter()
    fitted = method.fit(division.train, division.validation, seed=division.seed)
    return fitted, perf_counter() - began


def ask(
    fitted: Fitted,
    division: Division,
    shots: Sequence[int],
    seconds: float,
    *,
    personal: bool,
    probes: bool = True,
) -> Predictions:
    """Ask a fitted method everything.

    Args:
        fitted: What a method learned of the division.
        division: What is asked.
        shots: How many pairs of a person to show, ascending.
        seconds: What the fit took.
        personal: Whether histories change anything.
        probes: Whether to ask also after another's history, and after answers turned round.
    """
    asking = _Asking(fitted, division)
    own: dict[int, Array] = {}
    other: dict[int, Array] = {}
    swapped: dict[int, Array] = {}
    for k in shots:
        if own and not personal:  # the same answers, of those who have so many pairs
            own[k] = np.where(asking.able(k), own[shots[0]], np.nan)
            continue
        states = asking.states(k)
        own[k] = asking.answers(states)
        if k and personal and probes:
            other[k] = asking.answers(asking.exchanged(states))
            swapped[k] = asking.answers(asking.states(k, swapped=True))
    costs = {"fit_seconds": seconds, **asking.costs()}
    return Predictions(own=own, other=other, swapped=swapped, costs=costs)


class _Asking:
    """Puts questions to one fitted method, and measures what they cost."""

    def __init__(self, fitted: Fitted, division: Division) -> None:
        self.fitted, self.division = fitted, division
        self._shown, self._asked = 0, 0
        self._adapting, self._answering = 0.0, 0.0
        self._bytes = 0
        users = list(dict.fromkeys(case.user for case in division.cases))
        most = getattr(fitted, "most_tested", len(users))  # few, where an answer costs seconds
        self._tested = set(users[:most])

    def able(self, k: int) -> NDArray[np.bool_]:
        """Which predictions are of people with so many pairs to show."""
        cases = self.division.cases
        return np.repeat([len(c.support) >= k for c in cases], [len(c.query) for c in cases])

    def states(self, k: int, *, swapped: bool = False) -> dict[int, State]:
        """Case -> state after k pairs, of those who have so many."""
        numbered = self.division.numbered
        chosen = [
            number
            for number, case in enumerate(self.division.cases)
            if len(case.support) >= k and not (swapped and case.draw) and case.user in self._tested
        ]
        people = []
        for number in chosen:
            case = self.division.cases[number]
            person = numbered.person(case.user, case.support[:k])
            people.append(
                Person(pairs=person.pairs.swapped(), about=person.about) if swapped else person
            )
        began = perf_counter()
        states = list(self.fitted.adapt(people))
        self._adapting += perf_counter() - began
        self._shown += k * len(people)
        if states and not swapped:
            self._bytes = max(self._bytes, _size(states[0]))
        return dict(zip(chosen, states, strict=True))

    def exchanged(self, states: Mapping[int, State]) -> dict[int, State]:
        """For each case the state of another person in the same draw; a lone person's is theirs."""
        cases = self.division.cases
        found: dict[int, State] = {}
        for number in range(DRAWS):
            own = [at for at in states if cases[at].draw == number]
            rng = np.random.default_rng(stable_seed(self.division.seed, number, len(own)))
            order = rng.permutation(own).tolist()
            found |= {a: states[b] for a, b in zip(order, np.roll(order, 1).tolist(), strict=True)}
        return found

    def answers(self, states: Mapping[int, State]) -> Array:
        """Probabilities of the chosen texts, case by case; NaN where there is no state."""
        parts = []
        for number, case in enumerate(self.division.cases):
            if number not in states:
                parts.append(np.full(len(case.query), np.nan))
                continue
            pairs = self.division.numbered.pairs.take(case.query)
            began = perf_counter()
            parts.append(sigmoid(self.fitted.logits(states[number], pairs)))
            self._answering += perf_counter() - began
            self._asked += len(pairs)
        return np.concatenate(parts).astype(np.float32).astype(np.float64)

    def costs(self) -> dict[str, float]:
        """Of what was asked so far."""
        return {
            "adapt_us": 1e6 * self._adapting / max(self._shown, 1),
            "logit_us": 1e6 * self._answering / max(self._asked, 1),
            "state_bytes": float(self._bytes),
        }


def _size(value: object) -> int:
    """Bytes of the numbers in a state, as 32-bit numbers."""
    if isinstance(value, np.ndarray):
        return 4 * int(value.size)
    if isinstance(value, (int, float)):
        return 4
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    if is_dataclass(value):
        return sum(_size(getattr(value, f.name)) for f in fields(value))
    return 0
