"""Made people of known taste, for what only the truth can show.

Each prefers styles of answers (long, formal, warm, hedged, with an example, as a list) by weights
of their own, and of two answers to a question takes the worthier with the probability that the
logistic function gives. The attributes of a pair say what the person is and how probable the
choice was; the notes say how often one who knew all weights would be right. Reads no file and knows
no real person.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from befit.evaluate.datasets.pairing import stable_seed
from befit.evaluate.datasets.synthetic_texts import STYLES, TOPICS, Style, render
from befit.evaluate.schema import PairData, PairRow

Weights = NDArray[np.float64]

ANSWERS = 16  # of the sixty-four styles, for each question
SHARPNESS = 3.0  # length of a person's weights; at 3 the best predictor is right in about 80 %
JITTER = 0.25  # how far members of a group differ, in lengths of the group's weights
START = datetime(2024, 1, 1, tzinfo=UTC)

# long, formal, warm, hedged, example, list: what each group likes (+) and dislikes (-)
GROUPS = {
    "brief": (-1.0, 0.2, -0.5, -0.4, -0.2, 0.8),
    "curious": (0.8, -0.4, 0.3, 0.0, 0.9, -0.3),
    "careful": (0.4, 0.9, -0.1, 0.8, 0.1, 0.3),
    "friendly": (-0.3, -0.9, 0.9, 0.1, 0.1, -0.6),
}


@dataclass(frozen=True, slots=True)
class _Taste:
    """What a person likes at one time, and what is to be told of it."""

    weights: Weights
    attributes: dict[str, str]


Person = Sequence[_Taste]  # the taste behind each of a person's pairs, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticMixture:
    """Every person is a mixture of four groups, drawn from a Dirichlet: few are of one group only.

    Attributes:
        people: How many people.
        pairs_per_person: Pairs of each.
        concentration: Of the Dirichlet; small values make people of nearly one group.
    """

    people: int = 150
    pairs_per_person: int = 40
    concentration: float = 0.5

    def load(self, seed: int) -> PairData:
        """Make the people; ``seed`` decides everything that is drawn."""

        def person(rng: Generator, _number: int) -> Person:
            return [_mixed(rng, self.concentration)] * self.pairs_per_person

        rule = f"a Dirichlet({self.concentration:g}) mixture of four groups"
        return _made("synthetic-mixture", rule, seed, self.people, person)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticConflict:
    """Two groups of equal size want the opposite: who does not know the person is at chance.

    Attributes:
        people: How many people, every other one of each group.
        pairs_per_person: Pairs of each.
    """

    people: int = 150
    pairs_per_person: int = 40

    def load(self, seed: int) -> PairData:
        """Make the people; ``seed`` decides everything that is drawn."""

        def person(rng: Generator, number: int) -> Person:
            side = 1.0 if number % 2 else -1.0
            taste = _near(rng, side * np.array(GROUPS["curious"]))
            kind = {"group": "for" if number % 2 else "against"}
            return [_Taste(taste, kind)] * self.pairs_per_person

        return _made("synthetic-conflict", "two opposite groups", seed, self.people, person)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSparse:
    """Mixtures again, but most people have only a handful of pairs.

    Attributes:
        people: How many people.
        fewest_pairs: Of one person.
        most_pairs: Of one person; small numbers are likelier than large ones.
    """

    people: int = 400
    fewest_pairs: int = 3
    most_pairs: int = 12

    def load(self, seed: int) -> PairData:
        """Make the people; ``seed`` decides everything that is drawn."""

        def person(rng: Generator, _number: int) -> Person:
            more = min(int(rng.geometric(0.4)) - 1, self.most_pairs - self.fewest_pairs)
            return [_mixed(rng, 0.5)] * (self.fewest_pairs + more)

        rule = f"mixtures of four groups with {self.fewest_pairs} to {self.most_pairs} pairs each"
        return _made("synthetic-sparse", rule, seed, self.people, person)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticDrift:
    """Half of the people change to another group about half-way; pairs are a day apart.

    Attributes:
        people: How many people, every other one of whom changes.
        pairs_per_person: Pairs of each, the oldest first.
    """

    people: int = 150
    pairs_per_person: int = 40

    def load(self, seed: int) -> PairData:
        """Make the people; ``seed`` decides everything that is drawn."""

        def person(rng: Generator, number: int) -> Person:
            first, second = rng.choice(list(GROUPS), size=2, replace=False)
            drifts = "yes" if number % 2 else "no"
            change = round(self.pairs_per_person * rng.uniform(0.4, 0.6))
            told = {"group": str(first), "drifts": drifts, "phase": "before"}
            before = _Taste(_near(rng, np.array(GROUPS[first])), told)
            if drifts == "no":
                return [before] * self.pairs_per_person
            told = {"group": str(second), "drifts": drifts, "phase": "after"}
            after = _Taste(_near(rng, np.array(GROUPS[second])), told)
            return [before] * change + [after] * (self.pairs_per_person - change)

        rule = "four groups; every other person changes group between 40 % and 60 % of their pairs"
        return _made("synthetic-drift", rule, seed, self.people, person, dated=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticAdversarial:
    """One group, and among it people who answer the opposite, and people who answer at random.

    Attributes:
        people: How many people.
        pairs_per_person: Pairs of each.
        inverted: Share of people whose answers are turned round.
        random: Share of people whose answers are drawn by a coin.
    """

    people: int = 150
    pairs_per_person: int = 40
    inverted: float = 0.15
    random: float = 0.15

    def load(self, seed: int) -> PairData:
        """Make the people; ``seed`` decides everything that is drawn."""

        def person(rng: Generator, _number: int) -> Person:
            taste, place = _near(rng, np.array(GROUPS["curious"])), float(rng.random())
            kind = "honest"
            if place < self.inverted:
                taste, kind = -taste, "inverted"
            elif place < self.inverted + self.random:
                taste, kind = np.zeros_like(taste), "random"
            return [_Taste(taste, {"group": "curious", "answers": kind})] * self.pairs_per_person

        rule = f"one group; {self.inverted:.0%} answer inverted and {self.random:.0%} at random"
        return _made("synthetic-adversarial", rule, seed, self.people, person)


def _near(rng: Generator, centre: Weights) -> Weights:
    """A member of a group: its weights, jittered, at full sharpness."""
    unit = centre / np.linalg.norm(centre)
    own = unit + JITTER * rng.standard_normal(len(STYLES)) / np.sqrt(len(STYLES))
    weights: Weights = SHARPNESS * own / np.linalg.norm(own)
    return weights


def _mixed(rng: Generator, concentration: float) -> _Taste:
    """A mixture of the groups, told by its largest share."""
    shares = rng.dirichlet([concentration] * len(GROUPS))
    centres = np.array(list(GROUPS.values()))
    units = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    largest = int(np.argmax(shares))
    told = {"group": list(GROUPS)[largest], "share": f"{shares[largest]:.2f}"}
    return _Taste(_near(rng, shares @ units), told)


def _answers(seed: int) -> list[list[tuple[Style, str]]]:
    """For each question, answers in some of the styles."""
    rng = np.random.default_rng(stable_seed("answers", seed))
    every: list[Style] = [
        (a, b, c, d, e, f) for a, b, c, d, e, f in product((False, True), repeat=len(STYLES))
    ]
    return [
        [(every[i], render(topic, every[i])) for i in rng.permutation(len(every))[:ANSWERS]]
        for topic in TOPICS
    ]


def _made(
    name: str,
    rule: str,
    seed: int,
    people: int,
    person: Callable[[Generator, int], Person],
    *,
    dated: bool = False,
) -> PairData:
    """The pairs of made people, each with a stream of chance of their own."""
    answers = _answers(seed)
    rows: list[PairRow] = []
    for number in range(people):
        rng = np.random.default_rng(stable_seed(name, seed, number))
        rows += [
            _choice(rng, answers, taste, f"made-{number + 1:03}", at)
            for place, taste in enumerate(person(rng, number))
            for at in (START + timedelta(days=place) if dated else None,)
        ]
    sure = [float(row.attributes["probability"]) for row in rows]
    return PairData(
        name=name,
        rows=tuple(rows),
        licence="made for befit, under its licence",
        digest=hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest(),
        rule=f"{rule}; of two answers the worthier is likelier chosen, by the logistic function",
        shared_items=True,
        disjoint="prompts",
        notes={
            "person": "a made person of known taste",
            "best_accuracy": round(float(np.mean([max(p, 1 - p) for p in sure])), 4),
        },
    )


def _choice(
    rng: Generator,
    answers: Sequence[Sequence[tuple[Style, str]]],
    taste: _Taste,
    user: str,
    at: datetime | None,
) -> PairRow:
    """One person chooses between two answers to a question."""
    topic = int(rng.integers(len(TOPICS)))
    a, b = rng.choice(len(answers[topic]), size=2, replace=False)
    (style, text), (other_style, other) = answers[topic][a], answers[topic][b]
    worth = float(taste.weights @ (np.array(style, float) - np.array(other_style, float)))
    first = 1 / (1 + np.exp(-worth))
    won = bool(rng.random() < first)
    return PairRow(
        user=user,
        prompt=TOPICS[topic].question,
        chosen=text if won else other,
        rejected=other if won else text,
        at=at,
        attributes=taste.attributes | {"probability": f"{first if won else 1 - first:.4f}"},
    )
