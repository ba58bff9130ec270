"""Affinities: shrunk, cleared of popularity and of generosity, and as sure as they say."""

import csv
import gzip
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import NotEnoughFeedbackError
from befit.evaluate.datasets.search import find_files
from befit.features.affinity import Affinity, Rated, fit_affinity

MODEL = Affinity(mean=3.0, items={"hit": 1.0}, noise=1.0, spread=0.5)


def rated(value: float, *topics: str, item: str = "x") -> Rated:
    return Rated(item=item, value=value, topics=topics)


def test_more_ratings_say_more() -> None:
    few = [rated(5.0, "War"), rated(2.0, "Love")]
    many = few * 20
    for ratings in (few, many):
        found = MODEL.infer(ratings)
        assert found["topic:war"][0] > 0 > found["topic:love"][0]
    assert MODEL.infer(many)["topic:war"][0] > MODEL.infer(few)["topic:war"][0]
    assert MODEL.infer(many)["topic:war"][1] < MODEL.infer(few)["topic:war"][1]
    assert MODEL.observe(many)["topic:war"][1] > 0
    assert MODEL.observe([rated(5.0, "War")]).keys() == {"topic:war"}
    assert MODEL.infer([]) == {}
    assert MODEL.infer([rated(4.0)]) == {}
    assert MODEL.predict([], [rated(0.0, item="hit")]) == [4.0]


def test_neither_popularity_nor_generosity_is_taste() -> None:
    hits = [rated(4.0, "War", item="hit")] * 10 + [rated(3.0, "Love")] * 10
    for value, _ in MODEL.infer(hits).values():
        assert value == pytest.approx(0.0, abs=0.02)
    meant = [rated(3.0, "War")] * 10 + [rated(2.0, "Love")] * 10
    generous = [Rated(item=r.item, value=r.value + 1.5, topics=r.topics) for r in meant]
    gap = [
        MODEL.infer(each)["topic:war"][0] - MODEL.infer(each)["topic:love"][0]
        for each in (meant, generous)
    ]
    assert gap[0] == pytest.approx(gap[1])


@given(st.permutations([rated(5.0, "a"), rated(1.0, "b"), rated(3.0, "a", "b"), rated(2.0, "c")]))
def test_order_does_not_matter(ratings: list[Rated]) -> None:
    reference = MODEL.infer(sorted(ratings, key=lambda r: r.value))
    for name, (value, noise) in MODEL.infer(ratings).items():
        assert (value, noise) == pytest.approx(reference[name])
        assert -1 <= value <= 1


def simulated(people: int) -> tuple[dict[str, list[Rated]], dict[str, dict[str, float]]]:
    random = np.random.default_rng(0)
    topics = [f"t{i}" for i in range(8)]
    popular = {f"i{n}": float(random.normal(0, 0.5)) for n in range(200)}
    of_item = {item: topics[n % 8] for n, item in enumerate(popular)}
    ratings, truth = {}, {}
    for person in range(people):
        taste = dict(zip(topics, random.normal(0, 0.4, 8), strict=True))
        generous = random.normal(0, 0.3)
        chosen = random.choice(list(popular), 60, replace=False)
        ratings[str(person)] = [
            rated(
                3.0 + popular[i] + generous + taste[of_item[i]] + float(random.normal(0, 0.8)),
                of_item[i],
                item=i,
            )
            for i in chosen
        ]
        truth[str(person)] = {f"topic:{name}": float(value) for name, value in taste.items()}
    return ratings, truth


def test_the_population_is_learned_and_intervals_cover() -> None:
    ratings, truth = simulated(150)
    model = fit_affinity(ratings)
    assert model.noise == pytest.approx(0.8, abs=0.12)
    assert 0.25 <= model.spread <= 0.6
    scores = [
        (value - truth[who][name] / model.spread) / deviation
        for who, given_ in ratings.items()
        for name, (value, deviation) in model.infer(given_).items()
        if abs(value) < 1.0
    ]
    covered = np.mean(np.abs(scores) < 1.645)
    assert 0.85 <= covered <= 0.97


def test_too_little_is_refused() -> None:
    with pytest.raises(NotEnoughFeedbackError):
        fit_affinity({"a": [rated(3.0, "War")]})


@pytest.mark.data
def test_affinities_of_real_people_predict_their_other_ratings() -> None:
    films, table = find_files("movielens-small", ("movies.csv.gz", "ratings.csv.gz"))
    with gzip.open(films, "rt", encoding="utf-8") as file:
        genres = {row["movieId"]: row["genres"].split("|") for row in csv.DictReader(file)}
    people: dict[str, list[Rated]] = defaultdict(list)
    with gzip.open(table, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            topics = tuple(genres[row["movieId"]])
            people[row["userId"]].append(
                Rated(item=row["movieId"], value=float(row["rating"]), topics=topics)
            )
    who = sorted(people)
    model = fit_affinity({each: people[each] for each in who[::2]})
    blind = Affinity(mean=model.mean, items=model.items, noise=model.noise, spread=1e-6)
    errors = {}
    for name, each in (("topics", model), ("blind", blind)):
        errors[name] = math.sqrt(
            np.mean(
                [
                    (r.value - p) ** 2
                    for person in who[1::2]
                    for r, p in zip(
                        people[person][1::2],
                        each.predict(people[person][::2], people[person][1::2]),
                        strict=True,
                    )
                ]
            )
        )
    assert errors["topics"] < errors["blind"] - 0.01
