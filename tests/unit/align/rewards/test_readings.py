from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from befit.align.rewards.pairs import Array, Pairs, Person, Population
from befit.align.rewards.readings import log_ratios, most_met, read, remembered
from befit.core.errors import NotEnoughFeedbackError
from befit.testing.rewards import population


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Says of every text what stands in a list, and notes what it was asked."""

    said: tuple[tuple[str, float], ...] = ()
    asked: list[str] = field(default_factory=list, compare=False)

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        self.asked.extend(texts)
        return [dict(self.said).get(opening, -1.0) for _ in texts]

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        raise NotImplementedError


EVERYONE = population(people=8, pairs=12)
ALL = EVERYONE.joined()[0]


def of_features(texts: Sequence[str]) -> Array:
    """A reading that the features tell wholly."""
    at = [EVERYONE.texts.number[text] for text in texts]
    found: Array = EVERYONE.texts.vectors[at][:, [0, 3]]
    return found


def noise(texts: Sequence[str]) -> Array:
    return np.random.default_rng(1).normal(size=(len(texts), 2))


def test_a_text_that_was_read_has_exactly_what_was_read() -> None:
    readings = read(EVERYONE, noise, 1_000)
    names = [EVERYONE.texts.names[i] for i in most_met(EVERYONE, 1_000).tolist()]
    raw = noise(names)
    table = dict(zip(names, (raw - raw.mean(axis=0)) / raw.std(axis=0), strict=True))
    expected = [
        table[ALL.texts.names[one]] - table[ALL.texts.names[other]]
        for one, other in zip(ALL.chosen.tolist(), ALL.rejected.tolist(), strict=True)
    ]
    assert readings.differences(ALL) == pytest.approx(np.array(expected))


def test_of_a_text_that_was_not_read_the_features_tell() -> None:
    few, many = (read(EVERYONE, of_features, most) for most in (60, 1_000))
    assert few.told > 0.8
    assert len(few.known) == 60
    unread = [
        i
        for i, (one, other) in enumerate(zip(ALL.chosen, ALL.rejected, strict=True))
        if not {one, other} & set(most_met(EVERYONE, 60).tolist())
    ]
    told, truth = (each.differences(ALL.take(unread))[:, 0] for each in (few, many))
    assert len(unread) > 20
    assert np.corrcoef(told, truth)[0, 1] > 0.9


def test_features_tell_nothing_of_noise() -> None:
    assert read(EVERYONE, noise, 1_000).told < 0.1


def test_a_pair_turned_round_has_the_opposite_reading() -> None:
    readings = read(EVERYONE, noise, 10)
    assert (readings.differences(ALL) == -readings.differences(ALL.swapped())).all()


def test_the_texts_that_most_people_met_are_read_first() -> None:
    shared = EVERYONE.people["u0"].pairs.take([0])
    people = {
        user: replace(person, pairs=Pairs.joined([person.pairs, shared]))
        for user, person in EVERYONE.people.items()
    }
    first = most_met(Population(texts=EVERYONE.texts, people=people), 2)
    assert set(first.tolist()) == {shared.chosen[0], shared.rejected[0]}


def test_who_comes_first_does_not_change_what_is_read() -> None:
    turned = EVERYONE.part(list(EVERYONE.people)[::-1])
    assert (most_met(EVERYONE, 20) == most_met(turned, 20)).all()


def test_people_who_compared_nothing_have_no_texts() -> None:
    nobody = Population(
        texts=EVERYONE.texts, people={"u": Person(pairs=Pairs.of(EVERYONE.texts, []))}
    )
    with pytest.raises(NotEnoughFeedbackError):
        read(nobody, noise, 10)


def test_a_text_is_read_once_after_each_opening() -> None:
    reader = Listed(said=(("once", -2.0),))
    assert remembered(reader, "once", ["a", "b", "a"]).tolist() == [-2.0, -2.0, -2.0]
    assert remembered(reader, "once", ["b", "c"]).tolist() == [-2.0, -2.0]
    assert reader.asked == ["a", "b", "c"]


def test_a_ratio_is_the_difference_and_is_cut_where_it_only_says_that_a_text_is_odd() -> None:
    reader = Listed(said=(("liked", -0.25), ("odd", -60.0), ("plain", -1.0)))
    found = log_ratios(reader, ["liked", "odd", "plain"], "without", ["one", "two"])
    assert found.tolist() == [[0.75, -5.0, 0.0]] * 2
