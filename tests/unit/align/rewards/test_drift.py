from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import minimize

from befit.align.rewards.drift import ATTRIBUTES, Drift, DriftFit
from befit.align.rewards.pairs import Person
from befit.testing.rewards import check_method, population


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Told to be brief it expects short texts, told of details long ones; else it does not care."""

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        wish = {ATTRIBUTES["brief"]: -1.0, ATTRIBUTES["detailed"]: 1.0}.get(opening, 0.0)
        return [wish * min(len(text), 100) / 40.0 - 3.0 for text in texts]

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        raise NotImplementedError


METHOD = Drift(reader=Lengths())
EVERYONE = population()
USERS = sorted(EVERYONE.people)


@pytest.fixture(scope="module")
def fitted() -> DriftFit:
    return METHOD.fit(EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14]), seed=0)


def test_it_keeps_the_promises_of_a_method() -> None:
    check_method(METHOD, "befit.align.rewards.drift:Drift")


@pytest.mark.local
@pytest.mark.slow
def test_it_keeps_them_with_a_language_model() -> None:
    check_method(Drift(most_texts=8), "befit.align.rewards.drift:Drift")


def test_the_weights_say_in_words_what_a_person_likes(fitted: DriftFit) -> None:
    for user, person in EVERYONE.part(USERS[14:]).people.items():
        words = fitted.words(fitted.adapt([person])[0])
        short = person.about["likes"] == "short"
        assert (words["brief"] > words["detailed"]) == short, user
        assert abs(words["funny"]) < 0.05


def test_the_weights_are_the_mode_that_another_optimiser_finds(fitted: DriftFit) -> None:
    person = EVERYONE.people[USERS[14]]
    pairs = person.pairs.take(slice(0, 6))
    z, common = fitted.readings.differences(pairs), pairs.differences @ fitted.blind

    def loss(weights: np.ndarray) -> float:
        gap = (weights - fitted.mean) / fitted.width
        return float(np.logaddexp(0.0, -(common + z @ weights)).sum() + gap @ gap / 2.0)

    best = minimize(loss, fitted.mean, method="BFGS", options={"gtol": 1e-9}).x
    (state,) = fitted.adapt([Person(pairs=pairs)])
    assert state == pytest.approx(best, abs=1e-4)


def test_a_few_answers_predict_the_others(fitted: DriftFit) -> None:
    for person in EVERYONE.part(USERS[14:]):
        (state,) = fitted.adapt([replace(person, pairs=person.pairs.take(slice(0, 4)))])
        assert (fitted.logits(state, person.pairs.take(slice(4, 16))) > 0.0).all()


def test_who_said_nothing_has_the_weights_of_everyone(fitted: DriftFit) -> None:
    (state,) = fitted.adapt([Person(pairs=EVERYONE.people[USERS[0]].pairs.take([]))])
    assert (state == fitted.mean).all()
