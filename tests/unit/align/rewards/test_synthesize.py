from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from befit.align.rewards.likelihood_ratio import poles
from befit.align.rewards.synthesize import Synthesize, persona
from befit.testing.rewards import check_method, population


@dataclass(frozen=True, kw_only=True)
class Obeys:
    """Judges by how long the demonstrations are that were liked; notes what it was shown."""

    openings: list[str] = field(default_factory=list, compare=False)

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        assert answers == ("Yes", "No")
        self.openings.append(opening)
        liked = [len(line) for line in opening.splitlines() if line.startswith("I liked: ")]
        not_liked = [len(line) for line in opening.splitlines() if line.startswith("I did not ")]
        wish = np.sign(np.mean(liked) - np.mean(not_liked))
        return [float(wish * min(len(text), 150) / 50.0) for text in texts]


EVERYONE = population()
USERS = sorted(EVERYONE.people)
NAME = "befit.align.rewards.synthesize:Synthesize"


def test_it_keeps_the_promises_of_a_method() -> None:
    check_method(Synthesize(reader=Obeys()), NAME)


@pytest.mark.local
@pytest.mark.slow
def test_it_keeps_them_with_a_language_model() -> None:
    check_method(Synthesize(most_texts=8, personas=2, tries=1), NAME)


def test_a_persona_says_what_was_liked_more_and_less() -> None:
    one, other = (_wishes(persona(pairs)) for pairs in poles(EVERYONE, 2))
    assert len(one) == len(other) == 3
    assert one["paragraph length"] != other["paragraph length"]
    assert all(other[name] != way for name, way in one.items() if name in other)


def _wishes(said: str) -> dict[str, str]:
    """Measure of style -> "more" or "less"."""
    assert said.startswith("I like texts with ")
    parts = said.removeprefix("I like texts with ").removesuffix(".\n").split(", ")
    return {name: way for way, _, name in (part.partition(" ") for part in parts)}


def test_no_pair_no_persona() -> None:
    (pairs, _) = poles(EVERYONE, 2)
    same = replace(pairs, rejected=pairs.chosen)
    assert persona(same) == ""


def test_the_demonstrations_are_in_what_the_model_reads() -> None:
    reader = Obeys()
    train, aside = EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14])
    Synthesize(reader=reader, personas=2, demonstrations=2, tries=3).fit(train, aside, seed=0)
    assert all(opening.count("I liked: ") == 2 for opening in reader.openings)
    assert all("I like texts with " in opening for opening in reader.openings)
    assert 2 < len(dict.fromkeys(reader.openings)) <= 2 * 3


def test_a_few_answers_predict_the_others() -> None:
    train, aside = EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14])
    fitted = Synthesize(reader=Obeys()).fit(train, aside, seed=0)
    for person in EVERYONE.part(USERS[14:]):
        (state,) = fitted.adapt([replace(person, pairs=person.pairs.take(slice(0, 4)))])
        assert (fitted.logits(state, person.pairs.take(slice(4, 16))) > 0.0).mean() > 0.9


@dataclass(frozen=True, kw_only=True)
class Fooled:
    """Judges as `Obeys`, but only where the opening holds a certain number; else the other way."""

    number: str
    openings: list[str] = field(default_factory=list, compare=False)

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        raise NotImplementedError

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        self.openings.append(opening)
        found = Obeys().odds(opening, texts, closing, answers)
        return found if self.number in opening else [-each for each in found]


def test_the_demonstrations_stay_by_which_the_model_judges_best() -> None:
    train, aside = EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14])
    reader = Fooled(number="yes, 7.")
    method = Synthesize(reader=reader, personas=2, demonstrations=2, tries=12, most_texts=16)
    method.fit(train, aside, seed=0)
    # the last that is read, once all sets have been tried, is what stayed for each persona
    stayed = reader.openings[-2:]
    able = [any("yes, 7." in each for each in reader.openings[at : at + 24]) for at in (0, 24)]
    assert any(able)
    assert [("yes, 7." in opening) for opening in stayed] == able
