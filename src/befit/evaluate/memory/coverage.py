"""Do 90% intervals of beliefs hold the truth nine times in ten?

On made-up people the truth is known: of steady people, of people who change half-way
(``synthetic-drift``), and of newcomers whose groups are all that is known at first
(``synthetic-groups``, the prior learned from others). On MovieLens it is the mean of the ratings of
a genre that were held back, on Jester of all jokes that were; it scatters itself, so the interval
that is asked to hold it is the belief's widened by that scatter.

Source: Harper and Konstan 2015, "The MovieLens Datasets"; Goldberg et al. 2001, Eigentaste (the
Jester data); Gneiting et al. 2007 (calibration as coverage of central intervals).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt

import numpy as np

from befit.belief.fold import BayesFold
from befit.belief.prior import GROUP, fit_prior
from befit.core.dialogue import Context
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import TOPIC, Evidence, Preference, PreferenceSpace
from befit.evaluate.datasets.search import find_files, read_csv
from befit.evaluate.memory.methods import BefitMemory
from befit.evaluate.memory.scores import Score
from befit.memory.sqlite import SqliteMemory

WIDE = 1.6449  # standard deviations of a 90% interval
NOISE = 0.3
SPREAD = 0.6  # standard deviation of people's true positions
FEWEST = 5  # held-back ratings of a genre
AT = datetime(2026, 6, 1, tzinfo=UTC)
_STARS = 2.25  # half the range of stars
_MOST_FUN = 10.0  # half the range of Jester's ratings
_NO_SPACE = PreferenceSpace("topics", "1", ())
_TOPICS = tuple(f"{TOPIC}subject {n}" for n in range(6))


def coverage_scores(memory: BefitMemory, people: int, seed: int) -> Iterator[Score]:
    """The share of true positions inside their intervals, on made-up and on real people."""
    for data, make in _MADE.items():
        for person in range(people):
            rng = np.random.default_rng((seed, person, len(data)))
            user = UserId(f"{data}-{seed}-{person}")
            truth, made = make(user, rng)
            memory.store.remember(made)
            yield _covered(data, user, truth, _recalled(memory.store, user, AT))
    yield from _newcomers(memory, people, seed)
    yield from _rated(memory, people, seed, "movielens-small", _ratings(), own_level=True)
    yield from _rated(memory, people, seed, "jester5k", _jokes(), own_level=False)


Made = tuple[dict[str, float], list[Evidence]]


def _steady(user: UserId, rng: np.random.Generator) -> Made:
    """Up to eight statements on each of six topics."""
    truth = {name: _drawn(rng, 0.0, SPREAD) for name in _TOPICS}
    made = [
        _seen(f"{name}/{n}", user, name, _drawn(rng, position, NOISE), rng.uniform(0, 300))
        for name, position in truth.items()
        for n in range(int(rng.integers(1, 9)))
    ]
    return truth, made


def _changing(user: UserId, rng: np.random.Generator) -> Made:
    """A look at each topic a day for two months; on half of them they moved by 0.9 on the way.

    Positions keep off the ends of the range, where what is seen would be cut off.
    """
    truth, made = {}, []
    for place, name in enumerate(_TOPICS):
        side = float(rng.choice((-1.0, 1.0)))
        before = after = side * float(rng.uniform(0.2, 0.5))
        if place % 2:
            after = before - side * 0.9
        onset = int(rng.integers(15, 45))
        truth[name] = after
        for day in range(60):
            seen = _drawn(rng, before if day < onset else after, NOISE)
            each = _seen(f"{name}/{day}", user, name, seen, 60.0 - day)
            made.append(replace(each, kind=EvidenceKind.BEHAVIOUR))
    return truth, made


_MADE = {"synthetic": _steady, "synthetic-drift": _changing}


def _newcomers(memory: BefitMemory, people: int, seed: int) -> Iterator[Score]:
    """Of each group forty people are known; of a newcomer the group, and up to two statements."""
    data, fold = "synthetic-groups", BayesFold()
    rng = np.random.default_rng((seed, len(data)))
    means = {f"group {n}": {t: _drawn(rng, 0.0, 0.5) for t in _TOPICS} for n in range(3)}

    def person(user: UserId, group: str, least: int, most: int) -> Made:
        truth = {name: _drawn(rng, mean, 0.3) for name, mean in means[group].items()}
        made = [
            _seen(f"{name}/{n}", user, name, _drawn(rng, position, NOISE), 1.0)
            for name, position in truth.items()
            for n in range(int(rng.integers(least, most)))
        ]
        belongs = Evidence(
            id=f"{user}/group",
            user=user,
            kind=EvidenceKind.DEMOGRAPHIC,
            at=AT,
            values={f"{GROUP}{group}": 1.0},
        )
        return truth, [*made, belongs]

    known = []
    for n in range(120):
        group = f"group {n % 3}"
        _, made = person(UserId(f"{data}-known-{n}"), group, 2, 6)
        beliefs = {p.dimension: (p.mean, p.std) for p in fold.infer(_NO_SPACE, made, AT, "")}
        known.append(((group,), beliefs))
    store = replace(memory.store, inferer=replace(fold, prior=fit_prior(known)))
    for n in range(people):
        user = UserId(f"{data}-{seed}-{n}")
        truth, made = person(user, f"group {n % 3}", 0, 3)
        store.remember(made)
        told = {name for each in made for name in each.values}
        heard = {name: position for name, position in truth.items() if name in told}
        if heard:
            yield _covered(data, user, heard, _recalled(store, user, AT))


def _drawn(rng: np.random.Generator, mean: float, spread: float) -> float:
    return float(np.clip(rng.normal(mean, spread), -1.0, 1.0))


def _seen(key: str, user: UserId, name: str, value: float, days: float) -> Evidence:
    return Evidence(
        id=f"{user}/{key}",
        user=user,
        kind=EvidenceKind.STATED,
        at=AT - timedelta(days=float(days)),
        values={name: value},
        noise=NOISE,
    )


def _covered(
    data: str, user: UserId, truth: Mapping[str, float], beliefs: Iterable[Preference]
) -> Score:
    held = {p.dimension: p for p in beliefs}
    inside = sum(
        abs(held[name].mean - position) <= WIDE * held[name].std for name, position in truth.items()
    )
    return Score(
        data=data, metric="belief_coverage_90", person=user, value=inside, count=len(truth)
    )


def _rated(
    memory: BefitMemory,
    people: int,
    seed: int,
    data: str,
    ratings: "Mapping[str, list[Rated]]",
    *,
    own_level: bool,
) -> Iterator[Score]:
    """Ratings as positions; with ``own_level`` above or below what the person gives at large."""
    rng = np.random.default_rng(seed)
    users = sorted(ratings, key=int)
    chosen = [users[n] for n in rng.permutation(len(users))]
    scatter = _scatter([ratings[user] for user in chosen[people:]] or list(ratings.values()))
    for number in chosen[:people]:
        user = UserId(f"{data}-{seed}-{number}")
        seen, kept = _halves(ratings[number], rng)
        level = float(np.mean([value for value, _, _ in seen])) if seen and own_level else 0.0
        last = max((at for _, at, _ in seen), default=AT)
        memory.store.remember(
            Evidence(
                id=f"{user}/{n}",
                user=user,
                kind=EvidenceKind.BEHAVIOUR,
                at=at,
                values={f"{TOPIC}{topic}": _position(value, level) for topic in topics},
                noise=scatter,
            )
            for n, (value, at, topics) in enumerate(seen)
        )
        later: dict[str, list[float]] = defaultdict(list)
        for value, _, topics in kept:
            for topic in topics:
                later[f"{TOPIC}{topic}"].append(_position(value, level))
        beliefs = _recalled(memory.store, user, last)
        held = [p for p in beliefs if len(later[p.dimension]) >= FEWEST]
        if not held:
            continue
        inside = 0
        for belief in held:
            told = later[belief.dimension]
            wide = WIDE * sqrt(belief.std**2 + scatter**2 / len(told))
            inside += abs(belief.mean - float(np.mean(told))) <= wide
        yield Score(
            data=data, metric="belief_coverage_90", person=user, value=inside, count=len(held)
        )


Rated = tuple[float, datetime, tuple[str, ...]]


def _ratings() -> dict[str, list[Rated]]:
    """Each person's stars as a share of half their range, when, and the genres of the film."""
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
            stars = float(row["rating"]) / _STARS
            found[row["userId"]].append((stars, at, genres[row["movieId"]]))
    return found


def _halves(rated: list[Rated], rng: np.random.Generator) -> tuple[list[Rated], list[Rated]]:
    order = rng.permutation(len(rated))
    half = len(rated) // 2
    return [rated[n] for n in order[:half]], [rated[n] for n in order[half:]]


def _jokes() -> dict[str, list[Rated]]:
    """Each person's ratings of jokes; when they gave them is not known."""
    (path,) = find_files("jester5k", ("ratings.csv.gz",))
    found: dict[str, list[Rated]] = defaultdict(list)
    for row in read_csv(path):
        found[row["user"].lstrip("u")].append((float(row["rating"]) / _MOST_FUN, AT, ("jokes",)))
    return found


def _position(value: float, level: float) -> float:
    return max(-1.0, min(1.0, value - level))


def _scatter(people: list[list[Rated]]) -> float:
    """How far one rating is from the person's mean of its topic: of people who are not tested."""
    squares, count = 0.0, 0
    for rated in people:
        level = float(np.mean([value for value, _, _ in rated]))
        own: dict[str, list[float]] = defaultdict(list)
        for value, _, topics in rated:
            for topic in topics:
                own[topic].append(_position(value, level))
        for positions in own.values():
            if len(positions) > 1:
                squares += float(np.var(positions)) * len(positions)
                count += len(positions) - 1
    return sqrt(squares / count)


def _recalled(store: SqliteMemory, user: UserId, at: datetime) -> tuple[Preference, ...]:
    return store.recall(Context(user=user, messages=(), at=at)).preferences
