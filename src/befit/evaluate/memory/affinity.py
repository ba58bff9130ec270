"""Do inferred affinities say what a person will like? MovieLens' ratings, PersonaLens' summaries.

MovieLens: tastes are read from the earlier half of a person's ratings and predict the later half,
beside what everyone gives a film, what this person gives at large, and someone else's taste. The
population is learned from people who are not tested. PersonaLens: of four answers to "which
restaurants?", is the person's own the one that what is recalled of them speaks for?

Source: Harper and Konstan 2015, "The MovieLens Datasets"; Zhao et al. 2025, "PersonaLens".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from befit.evaluate.datasets.search import find_files, read_csv
from befit.evaluate.memory.corpora import Acquaintance, personalens
from befit.evaluate.memory.methods import MemoryUnderTest, Turn
from befit.evaluate.memory.reading import Reader
from befit.evaluate.memory.scores import Score
from befit.features.affinity import Affinity, Rated, fit_affinity

FEWEST = 20  # ratings of a person
TOP = 5
OTHERS = 3  # answers of other people beside one's own
FIRST = datetime(2026, 1, 1, tzinfo=UTC)

#: What may be known of a person: all, nothing, their mean, their mean and another's tastes.
PREDICTORS = ("befit", "user-blind", "own-mean", "wrong-user")


def movielens_scores(method: str, people: int, seed: int) -> Iterator[Score]:
    """Squared error, in stars squared, of later ratings; and how many pairs are put in order.

    Args:
        method: One of `PREDICTORS`: their tastes; the population alone; the population and their
            own mean; their own mean, and the tastes of someone else.
        people: Tested in this seed.
        seed: Draws them; everyone else is the population.
    """
    users = sorted(_ratings(), key=int)
    order = [users[n] for n in np.random.default_rng(seed).permutation(len(users))]
    tested = order[: min(people, len(order) // 2)]
    model = _population(frozenset(tested))
    for n, user in enumerate(tested):
        early, late = _halves(_ratings()[user])
        other, _ = _halves(_ratings()[tested[n - 1]])
        said = _predicted(model, method, (early, other), late)
        truth = [rated.value for rated in late]
        squares = float(np.square(np.array(said) - truth).sum())
        person = f"movielens-{seed}-{user}"
        yield Score(data="movielens-small", metric="affinity_mse", person=person,
                    value=squares, count=len(late))  # fmt: skip
        right, pairs = _ordered(said, truth)
        if pairs:
            yield Score(data="movielens-small", metric="affinity_pairs", person=person,
                        value=right, count=pairs)  # fmt: skip


def _predicted(
    model: Affinity, method: str, known: tuple[Sequence[Rated], Sequence[Rated]], late: list[Rated]
) -> list[float]:
    early, other = known
    usual = [model.mean + model.items.get(each.item, 0.0) for each in late]
    match method:
        case "befit":
            return model.predict(early, late)
        case "wrong-user":
            apart = model.level(early) - model.level(other)
            return [each + apart for each in model.predict(other, late)]
        case "own-mean":
            level = model.level(early)
            return [each + level for each in usual]
        case _:
            return usual


def _ordered(said: Sequence[float], truth: Sequence[float]) -> tuple[float, int]:
    """Of the pairs that were rated a star apart or more, how many are foreseen, and of how many."""
    given, stars = np.array(said), np.array(truth)
    above = stars[:, None] >= stars[None, :] + 1.0
    apart = given[:, None] - given[None, :]
    return float(((apart > 0.0) + 0.5 * (apart == 0.0))[above].sum()), int(above.sum())


@lru_cache(maxsize=4)
def _population(left_out: frozenset[str]) -> Affinity:
    return fit_affinity({u: rated for u, rated in _ratings().items() if u not in left_out})


def _halves(rated: Sequence[Rated]) -> tuple[list[Rated], list[Rated]]:
    half = len(rated) // 2
    return list(rated[:half]), list(rated[half:])


@lru_cache(maxsize=1)
def _ratings() -> Mapping[str, Sequence[Rated]]:
    """Each person's ratings in the order of time."""
    ratings, movies = find_files("movielens-small", ("ratings.csv.gz", "movies.csv.gz"))
    genres = {
        row["movieId"]: tuple(row["genres"].lower().split("|"))
        for row in read_csv(movies)
        if not row["genres"].startswith("(")
    }
    found: dict[str, list[tuple[int, Rated]]] = defaultdict(list)
    for row in read_csv(ratings):
        if row["movieId"] in genres:
            film = row["movieId"]
            one = Rated(item=film, value=float(row["rating"]), topics=genres[film])
            found[row["userId"]].append((int(row["timestamp"]), one))
    return {
        user: tuple(one for _, one in sorted(given, key=lambda each: (each[0], each[1].item)))
        for user, given in found.items()
        if len(given) >= FEWEST
    }


def personalens_scores(
    memory: MemoryUnderTest, people: int, seed: int, reader: Reader
) -> Iterator[Score]:
    """The share of affinities whose own answer, among four, what is recalled is nearest to."""
    for person, number, questions in _asked(people, seed):
        name = f"personalens-{seed}-{number}"
        memory.remember(
            name,
            [
                Turn(id=f"{n}", text=text, at=FIRST + timedelta(minutes=n))
                for n, text in enumerate(person.told)
            ],
        )
        at = FIRST + timedelta(days=30)
        right = sum(
            reader.by_likeness(memory.recall(name, kind, TOP, at), options)
            for kind, options in questions
        )
        yield Score(data="personalens", metric="affinity_choice", person=name,
                    value=right, count=len(questions))  # fmt: skip


def personalens_bounds(
    people: int, seed: int, reader: Reader, *, wrong_user: bool
) -> Iterator[Score]:
    """The same by what everyone answers most, or by what is told of someone else."""
    known = personalens()
    for person, number, questions in _asked(people, seed):
        other = known[number - 1]
        right = 0.0
        for kind, options in questions:
            if wrong_user:
                right += reader.by_likeness(other.told, options)
            else:
                given = [each.affinities.get(kind) for each in known if each is not person]
                counts = [given.count(tuple(option.split(", "))) for option in options]
                best = [count == max(counts) for count in counts]
                right += best[0] / sum(best)
        yield Score(data="personalens", metric="affinity_choice",
                    person=f"personalens-{seed}-{number}",
                    value=right, count=len(questions))  # fmt: skip


def _asked(
    people: int, seed: int
) -> Iterator[tuple[Acquaintance, int, list[tuple[str, list[str]]]]]:
    """People, their numbers, and questions with one's own answer first and those of others."""
    rng = np.random.default_rng(seed)
    known = personalens()
    for number in rng.permutation(len(known))[:people]:
        person = known[number]
        questions = []
        for kind, own in person.affinities.items():
            given = {each.affinities[kind] for each in known if kind in each.affinities}
            others = sorted(each for each in given if not set(each) & set(own))
            if own and len(others) >= OTHERS:
                drawn = rng.choice(len(others), OTHERS, replace=False)
                options = [own, *(others[n] for n in drawn)]
                questions.append((kind, [", ".join(each) for each in options]))
        if questions:
            yield person, int(number), questions
