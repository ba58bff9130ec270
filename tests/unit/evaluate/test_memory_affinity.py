"""On real people: their own tastes foretell what comes better than anyone else's do."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from befit.evaluate.memory.affinity import (
    PREDICTORS,
    movielens_scores,
    personalens_bounds,
    personalens_scores,
)
from befit.evaluate.memory.methods import Bm25
from befit.evaluate.memory.reading import Reader
from befit.evaluate.memory.scores import Score, summarised

pytestmark = pytest.mark.data


class Grams:
    """A text's vector is which letters follow each other in it."""

    name = "grams"
    width = 26 * 26

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        rows = np.full((len(texts), self.width), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            letters = [ord(c) - 97 for c in text.casefold() if "a" <= c <= "z"]
            for a, b in pairwise(letters):
                row[26 * a + b] += 1.0
        made: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return made


def value(scores: list[Score], metric: str) -> float:
    (row,) = (row for row in summarised("", scores) if row.metric == metric)
    return row.value


def test_own_tastes_beat_the_own_mean_and_someone_elses() -> None:
    found = {name: list(movielens_scores(name, 60, 0)) for name in PREDICTORS}
    errors = {name: value(scores, "affinity_mse") for name, scores in found.items()}
    assert min(errors, key=errors.__getitem__) == "befit"
    assert errors["own-mean"] < errors["wrong-user"]
    assert errors["own-mean"] < errors["user-blind"]
    pairs = {name: value(scores, "affinity_pairs") for name, scores in found.items()}
    assert pairs["befit"] > pairs["wrong-user"]
    assert pairs["own-mean"] == pairs["user-blind"] > 0.6
    assert {s.person for s in found["befit"]} == {s.person for s in found["wrong-user"]}


def test_what_is_told_of_a_person_speaks_for_their_own_answers() -> None:
    reader = Reader(Grams())  # type: ignore[arg-type]
    with Bm25().open(None) as memory:  # type: ignore[arg-type]
        own = value(list(personalens_scores(memory, 4, 0, reader)), "affinity_choice")
    other, blind = (
        value(list(personalens_bounds(4, 0, reader, wrong_user=wrong)), "affinity_choice")
        for wrong in (True, False)
    )
    assert own > other
    assert own > blind
    assert blind < 0.5
