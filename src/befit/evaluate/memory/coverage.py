"""Do 90% intervals of beliefs hold the truth nine times in ten?

On made-up people the truth is known. On MovieLens it is the mean of the ratings of a genre that
were held back, which scatters itself; the interval that is asked to hold it is the belief's widened
by that scatter.

Source: Harper and Konstan 2015, "The MovieLens Datasets"; Gneiting et al. 2007 (calibration as
coverage of central intervals).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import sqrt

import numpy as np

from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Preference
from befit.evaluate.datasets.search import find_files, read_csv
from befit.evaluate.memory.methods import BefitMemory
from befit.evaluate.memory.scores import Score

WIDE = 1.6449  # standard deviations of a 90% interval
NOISE = 0.3
SPREAD = 0.6  # standard deviation of people's true positions
FEWEST = 5  # held-back ratings of a genre
AT = datetime(2026, 6, 1, tzinfo=UTC)
_TOPICS = tuple(f"{TOPIC}subject {n}" for n in range(6))


def coverage_scores(memory: BefitMemory, people: int, seed: int) -> Iterator[Score]:
    """The share of true positions inside their intervals, on made-up people and on MovieLens."""
    yield from _simulated(memory, people, seed)
    yield from _rated(memory, people, seed)


def _simulated(memory: BefitMemory, people: int, seed: int) -> Iterator[Score]:
    for person in range(people):
        rng = np.random.default_rng((seed, person))
        user = UserId(f"coverage-{seed}-{person}")
        truth = {name: float(np.clip(rng.normal(0.0, SPREAD), -1, 1)) for name in _TOPICS}
        made = []
        for name, position in truth.items():
            for n in range(int(rng.integers(1, 9))):
                seen = float(np.clip(position + rng.normal(0.0, NOISE), -1.0, 1.0))
                made.append(
                    Evidence(
                        id=f"{user}/{name}/{n}",
                        user=user,
                        kind=EvidenceKind.STATED,
                        at=AT - timedelta(days=float(rng.uniform(0, 300))),
                        values={name: seen},
                        noise=NOISE,
                    )
                )
        memory.store.remember(made)
        held = {p.dimension: p for p in _recalled(memory, user, AT)}
        inside = sum(
            abs(held[name].mean - position) <= WIDE * held[name].std
            for name, position in truth.items()
        )
        yield Score(
            data="synthetic", metric="belief_coverage_90", person=user,
            value=inside, count=len(truth),
        )  # fmt: skip


def _rated(memory: BefitMemory, people: int, seed: int) -> Iterator[Score]:
    """Ratings as positions: half the stars' range above or below what the person gives at large."""
    ratings = _ratings()
    rng = np.random.default_rng(seed)
    users = sorted(ratings, key=int)
    chosen = [users[n] for n in rng.permutation(len(users))]
    scatter = _scatter([ratings[user] for user in chosen[people:]] or list(ratings.values()))
    for number in chosen[:people]:
        user = UserId(f"movielens-{seed}-{number}")
        seen, kept = _halves(ratings[number], rng)
        level = float(np.mean([stars for stars, _, _ in seen])) if seen else 0.0
        last = max((at for _, at, _ in seen), default=AT)
        memory.store.remember(
            Evidence(
                id=f"{user}/{n}",
                user=user,
                kind=EvidenceKind.BEHAVIOUR,
                at=at,
                values={f"{TOPIC}{genre}": _position(stars, level) for genre in genres},
                noise=scatter,
            )
            for n, (stars, at, genres) in enumerate(seen)
        )
        later: dict[str, list[float]] = defaultdict(list)
        for stars, _, genres in kept:
            for genre in genres:
                later[f"{TOPIC}{genre}"].append(_position(stars, level))
        held = [p for p in _recalled(memory, user, last) if len(later[p.dimension]) >= FEWEST]
        if not held:
            continue
        inside = 0
        for belief in held:
            told = later[belief.dimension]
            wide = WIDE * sqrt(belief.std**2 + scatter**2 / len(told))
            inside += abs(belief.mean - float(np.mean(told))) <= wide
        yield Score(
            data="movielens-small", metric="belief_coverage_90", person=user,
            value=inside, count=len(held),
        )  # fmt: skip


Rated = tuple[float, datetime, tuple[str, ...]]


def _ratings() -> dict[str, list[Rated]]:
    """Each person's stars, when they gave them, and the genres of the film."""
    ratings, movies = find_files("movielens-small", ("ratings.csv.gz", "movies.csv.gz"))
    genres = {
        row["movieId"]: tuple(row["genres"].lower().split("|"))
        for row in read_csv(movies)
        if not row["genres"].startswith("(")
    }
    found: dict[str, list[Rated]] = defaultdict(list)
    for row in read_csv(ratings):
        if row["movieId"] in genres:
            at = datetime.fromtimestamp(int(row["timestamp"]), UTC)
            found[row["userId"]].append((float(row["rating"]), at, genres[row["movieId"]]))
    return found


def _halves(rated: list[Rated], rng: np.random.Generator) -> tuple[list[Rated], list[Rated]]:
    order = rng.permutation(len(rated))
    half = len(rated) // 2
    return [rated[n] for n in order[:half]], [rated[n] for n in order[half:]]


def _position(stars: float, level: float) -> float:
    return max(-1.0, min(1.0, (stars - level) / 2.25))


def _scatter(people: list[list[Rated]]) -> float:
    """How far one rating is from the person's mean of its genre: of people who are not tested."""
    squares, count = 0.0, 0
    for rated in people:
        level = float(np.mean([stars for stars, _, _ in rated]))
        own: dict[str, list[float]] = defaultdict(list)
        for stars, _, genres in rated:
            for genre in genres:
                own[genre].append(_position(stars, level))
        for positions in own.values():
            if len(positions) > 1:
                squares += float(np.var(positions)) * len(positions)
                count += len(positions) - 1
    return sqrt(squares / count)


def _recalled(memory: BefitMemory, user: UserId, at: datetime) -> tuple[Preference, ...]:
    return memory.store.recall(Context(user=user, messages=(), at=at)).preferences
