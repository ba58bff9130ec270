"""The personal reward: fitting a population, then one person's refit, score and state.

Features are given, so that no embedding is timed. The people are made: their tastes lie in few
directions of the features, as the reward supposes. Peers are measured on the same population and
the same person in the same run.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from speed.measure import Options, Row, compare, cpu_us, limit

from befit.align.rewards.default import Default
from befit.align.rewards.lore import LoRe
from befit.align.rewards.method import Fitted
from befit.align.rewards.mrm import Mrm
from befit.align.rewards.pairs import Pairs, Person, Population, Texts
from befit.align.rewards.pref import Pref
from befit.belief.gaussian import pack, unpack
from befit.belief.logistic import newton, rank_one
from befit.core.dialogue import Conditioning, Context, Draft
from befit.core.people import UserId
from befit.core.preference import Gaussian
from befit.features.recognition import digest
from befit.reward.hierarchical import HierarchicalReward, state_bytes

RANK, WIDTH, TEXTS = 16, 410, 4_000
PEOPLE, PAIRS = 5_000, 60
PEERS_PEOPLE = 500  # peers are fitted on fewer: their hyper-parameters are searched
SHOTS, CANDIDATES = 16, 16
PEERS = {"LoRe": LoRe(), "PReF": Pref(), "MRM": Mrm()}
SAME_COST = 1.1
FIT_S, REFIT_US, SCORE_US, STATE_BYTES, DISK_MB = 60.0, 1_000.0, 5.0, 1_000, 1_000.0


@dataclass(frozen=True, slots=True)
class Given:
    """Features that are there already: a text is the number of its row."""

    rows: NDArray[np.float64]
    name: str = "given"

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])

    def vectors(self, prompts: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        return self.rows[[int(text) for text in texts]]


@dataclass(frozen=True, slots=True)
class Ready:
    """Features of the same candidates each time, made before the clock starts."""

    rows: NDArray[np.float64]
    name: str = "ready"

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])

    def vectors(self, prompts: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        return self.rows


def run(options: Options) -> list[Row]:
    everyone = population(options.size(PEOPLE, 60), PAIRS, options.seed)
    fitted, seconds = _fit(Default(rank=RANK), everyone)
    rows = [
        limit(
            f"population fit, {len(everyone)} people x {PAIRS} pairs, rank {RANK}",
            [seconds],
            unit="s CPU",
            most=FIT_S,
        )
    ]
    rows += _beside_peers(options)
    return rows + _refit(fitted, everyone, options) + _score(options) + _million(options)


def population(people: int, pairs: int, seed: int) -> Population:
    """People who differ in eight directions of the features."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((TEXTS, WIDTH)) / np.sqrt(WIDTH)
    texts = Texts([str(i) for i in range(TEXTS)], Given(features))  # type: ignore[arg-type]
    found = texts.vectors @ (8.0 * rng.standard_normal((WIDTH, 8)) / np.sqrt(8))
    made = {}
    for person in range(people):
        one, other = rng.choice(TEXTS, (2, pairs))
        logits = (found[one] - found[other]) @ rng.standard_normal(8)
        first = rng.random(pairs) < 1.0 / (1.0 + np.exp(-logits))
        made[f"u{person}"] = Person(
            pairs=Pairs(
                texts=texts,
                chosen=np.where(first, one, other),
                rejected=np.where(first, other, one),
                prompts=np.full(pairs, -1),
                preferred=np.ones(pairs),
                weights=np.ones(pairs),
                days=np.full(pairs, np.nan),
            )
        )
    return Population(texts=texts, people=made)


def _fit(method: object, everyone: Population) -> tuple[Fitted, float]:
    """A fit, a fifth of the people kept aside, and the CPU seconds that it took."""
    users = sorted(everyone.people)
    aside = max(2, len(users) // 5)
    train, validation = everyone.part(users[aside:]), everyone.part(users[:aside])
    began = process_time()
    fitted: Fitted = method.fit(train, validation, seed=0)  # type: ignore[attr-defined]
    return fitted, process_time() - began


def _beside_peers(options: Options) -> list[Row]:
    """The same population and the same person for everyone, each method as it is tuned here."""
    everyone = population(options.size(PEERS_PEOPLE, 40), PAIRS, options.seed)
    person = _shown(everyone)
    ours, our_seconds = _fit(Default(rank=RANK), everyone)
    rows = []
    for name, method in PEERS.items():
        fitted, seconds = _fit(method, everyone)
        size = len(everyone)
        rows.append(
            compare(
                f"population fit, {size} people x {PAIRS} pairs, beside {name}",
                [our_seconds],
                [seconds],
                unit="s CPU",
                against=f"{name}, settings searched",
            )
        )
        mine, theirs = [], []
        for _ in range(options.rounds):
            mine.append(cpu_us(lambda: ours.adapt([person]), options.size(100, 5)))
            theirs.append(cpu_us(partial(fitted.adapt, [person]), options.size(20, 2)))
        rows.append(
            compare(
                f"refit of a person, {SHOTS} pairs, features given, beside {name}",
                mine,
                theirs,
                unit="us CPU",
                against=name,
            )
        )
    return rows


def _shown(everyone: Population) -> Person:
    return Person(pairs=next(iter(everyone)).pairs.take(slice(0, SHOTS)))


def _refit(fitted: Fitted, everyone: Population, options: Options) -> list[Row]:
    """From a person's pairs to their posterior: through the features, and from latent ones."""
    person, times = _shown(everyone), options.size(300, 10)
    rng = np.random.default_rng(options.seed)
    latent, weights = rng.standard_normal((SHOTS, RANK)), np.ones(SHOTS)
    mean, covariance = np.zeros(RANK), np.eye(RANK)
    whole = _rounds(lambda: fitted.adapt([person]), times, options)
    alone = _rounds(lambda: newton(mean, covariance, latent, weights), times, options)
    state = state_bytes(RANK)
    return [
        limit(
            f"refit of a person, {SHOTS} pairs, rank {RANK}, features given",
            whole,
            unit="us CPU",
            most=REFIT_US,
        ),
        limit(
            f"refit of a person, {SHOTS} pairs, rank {RANK}, latent coordinates given",
            alone,
            unit="us CPU",
            most=REFIT_US,
        ),
        limit(f"state of a person, rank {RANK}", [state], unit="bytes", most=STATE_BYTES),
    ]


def _score(options: Options) -> list[Row]:
    """A draft's score from its features, as the decoder asks for it."""
    rng = np.random.default_rng(options.seed)
    features = rng.standard_normal((CANDIDATES, WIDTH)) / np.sqrt(WIDTH)
    plain = _head(features)
    knowing = _head(features, met=TEXTS)
    asked = Context(user=UserId("u"), messages=(), at=datetime(1970, 1, 1, tzinfo=UTC))
    drafts = [Draft(text=str(TEXTS + i), policy="p") for i in range(CANDIDATES)]
    people = [pack(rng.standard_normal(RANK), plain.covariance) for _ in range(1_000)]
    known, others = Conditioning(taste=people[0]), cycle(map(_told, people))
    times = options.size(3000, 100)
    weights = plain.basis.T @ plain.mean
    ways: dict[str, Callable[[], object]] = {
        "": lambda: plain.score(asked, known, drafts),
        ", of another person each time": lambda: plain.score(asked, next(others), drafts),
        f", {TEXTS:,} texts met": lambda: knowing.score(asked, known, drafts),
    }
    return [
        *(
            limit(
                f"score of {CANDIDATES} candidates, rank {RANK}, features given{way}",
                _rounds(work, times, options),
                unit="us CPU",
                most=SCORE_US,
            )
            for way, work in ways.items()
        ),
        limit(
            f"score of {CANDIDATES} candidates, one product with weights at hand",
            _rounds(lambda: features @ weights, times, options),
            unit="us CPU",
            note="the least that it can cost",
        ),
    ]


def _head(features: NDArray[np.float64], met: int = 0) -> HierarchicalReward:
    rng = np.random.default_rng(met)
    return HierarchicalReward(
        features=Ready(features),  # type: ignore[arg-type]
        basis=rng.standard_normal((RANK, WIDTH)),
        mean=rng.standard_normal(RANK),
        covariance=np.eye(RANK),
        own=rng.standard_normal((met, RANK)),
        known=tuple(digest(str(i)) for i in range(met)),
    )


def _told(taste: Gaussian) -> Conditioning:
    return Conditioning(taste=taste)


def _million(options: Options) -> list[Row]:
    """States of many people: what a score and an update cost beside few people.

    In memory, and in a mapped file. There the first change of a page after it was written back is
    a fault of the page, which people who share a page share: it is the file system's price.
    """
    many = options.size(1_000_000, 10_000)
    one = pack(np.zeros(RANK), np.eye(RANK))
    row = np.array([*one.mean, *one.covariance], dtype=np.float32)
    with tempfile.TemporaryDirectory(prefix="befit-") as folder:
        path = Path(folder) / "states"
        mapped = np.memmap(path, np.float32, "w+", shape=(many, len(row)))
        for start in range(0, many, 10_000):
            mapped[start : start + 10_000] = row
        mapped.flush()
        size = path.stat().st_size / 1e6
        rows = [
            _among(np.array(mapped), "in memory", options),
            _among(np.asarray(mapped), "in a mapped file", options),
        ]
    return [
        *rows,
        limit(f"states of {many:,} people on disk, rank {RANK}", [size], unit="MB", most=DISK_MB),
    ]


def _among(states: NDArray[np.float32], where: str, options: Options) -> Row:
    """A score and an update of people at random among all of them, and among a thousand."""
    many, few = len(states), 1_000
    rng = np.random.default_rng(options.seed)
    delta = rng.standard_normal(RANK)
    candidates = rng.standard_normal((CANDIDATES, RANK))
    times = options.size(5000, 200)

    def visit(below: int) -> Callable[[], None]:
        people = iter(rng.integers(0, below, 2 * times).tolist())

        def work() -> None:
            at = next(people)
            mean, covariance = unpack(_state(states[at]))
            candidates @ mean
            kept = pack(*rank_one(mean, covariance, delta))
            states[at] = (*kept.mean, *kept.covariance)

        return work

    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(cpu_us(visit(many), times))
        theirs.append(cpu_us(visit(few), times))
    return compare(
        f"score and update of a person among {many:,}, {where}",
        ours,
        theirs,
        unit="us CPU",
        against=f"among {few:,}",
        goal="at most 1.1",
        most=SAME_COST,
    )


def _state(numbers: NDArray[np.float32]) -> Gaussian:
    values = numbers.tolist()
    return Gaussian(tuple(values[:RANK]), tuple(values[RANK:]))


def _rounds(work: Callable[[], object], times: int, options: Options) -> list[float]:
    cpu_us(work, max(times // 10, 1))
    return [cpu_us(work, times) for _ in range(options.rounds)]
