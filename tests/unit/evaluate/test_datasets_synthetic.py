from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.evaluate.datasets.synthetic import (
    SyntheticAdversarial,
    SyntheticConflict,
    SyntheticDrift,
    SyntheticMixture,
    SyntheticSparse,
)
from befit.evaluate.datasets.synthetic_texts import STYLES, TOPICS, Topic, render
from befit.evaluate.schema import Dataset, PairData, PairRow, people_of

FAMILY: list[Dataset] = [
    SyntheticMixture(),
    SyntheticConflict(),
    SyntheticSparse(),
    SyntheticDrift(),
    SyntheticAdversarial(),
]


def probability(row: PairRow) -> float:
    """Of what was chosen, in truth."""
    return float(row.attributes["probability"])


@pytest.mark.parametrize("loader", FAMILY, ids=lambda loader: type(loader).__name__)
def test_the_seed_decides_everything(loader: Dataset) -> None:
    data = loader.load(1)
    assert data == loader.load(1)
    assert data.digest != loader.load(2).digest
    assert all(row.chosen != row.rejected for row in data.rows)
    assert not data.about  # the truth is for the evaluation, not for a method


@pytest.mark.parametrize("loader", FAMILY, ids=lambda loader: type(loader).__name__)
def test_the_probability_told_is_how_often_it_came_so(loader: Dataset) -> None:
    data = loader.load(0)
    sure = np.array([max(probability(row), 1 - probability(row)) for row in data.rows])
    right = np.array([probability(row) > 0.5 for row in data.rows])
    coin = np.isclose(sure, 0.5)
    noise = 4 * np.sqrt(np.mean(sure * (1 - sure)) / len(sure))
    assert abs(right[~coin].mean() - sure[~coin].mean()) < noise
    assert data.notes["best_accuracy"] == pytest.approx(sure.mean(), abs=1e-4)


@given(st.sampled_from(TOPICS), st.integers(0, len(STYLES) - 1))
def test_every_style_shows_in_the_text(topic: Topic, place: int) -> None:
    every = [(a, b, c, d, e, f) for a, b, c, d, e, f in product((False, True), repeat=len(STYLES))]
    texts = {style: render(topic, style) for style in every}
    assert len(set(texts.values())) == len(every)
    with_it = [len(text) for style, text in texts.items() if style[place]]
    without = [len(text) for style, text in texts.items() if not style[place]]
    if STYLES[place] in {"long", "warm", "example"}:
        assert min(with_it) > min(without)
        assert max(with_it) > max(without)


def test_opposite_groups_choose_opposite_answers() -> None:
    data = SyntheticConflict().load(0)
    long_wins = {
        group: np.mean(
            [
                len(row.chosen) > len(row.rejected)
                for row in data.rows
                if row.attributes["group"] == group
            ]
        )
        for group in ("for", "against")
    }
    assert long_wins["for"] > 0.6
    assert long_wins["against"] < 0.4


def test_most_sparse_people_have_a_handful() -> None:
    counts = [len(own) for own in people_of(SyntheticSparse().load(0).rows).values()]
    assert min(counts) == 3
    assert max(counts) <= 12
    assert float(np.median(counts)) <= 5


def test_drifting_people_change_once_and_in_order_of_time() -> None:
    people = people_of(SyntheticDrift(people=20).load(0).rows)
    for number, own in enumerate(people.values()):
        phases = [row.attributes["phase"] for row in own]
        assert phases == sorted(phases, reverse=True)  # before, then after
        assert ("after" in phases) == bool(number % 2)
        assert len({row.attributes["group"] for row in own}) == 1 + number % 2
        times = [row.at for row in own if row.at is not None]
        assert times == sorted(times)
        assert len(times) == len(own)


def test_adversaries_are_of_three_kinds_and_random_ones_cannot_be_foretold() -> None:
    data: PairData = SyntheticAdversarial().load(0)
    kinds = {own[0].attributes["answers"] for own in people_of(data.rows).values()}
    assert kinds == {"honest", "inverted", "random"}
    for row in data.rows:
        assert (row.attributes["answers"] == "random") == (probability(row) == 0.5)
