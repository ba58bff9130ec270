from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from befit.align.rewards.likelihood_ratio import InferredFit, LikelihoodRatio, clipped, poles
from befit.align.rewards.pairs import Pairs, Person, Population
from befit.align.rewards.storing import save
from befit.core.errors import NotEnoughFeedbackError
from befit.testing.rewards import check_method, population


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """A text is likely as far as it is as long as the lines of the opening."""

    def nats(self, opening: str, texts: Sequence[str]) -> list[float]:
        seen = [len(line) for line in opening.splitlines() if line.startswith("- ")]
        usual = float(np.mean(seen))
        return [-abs(min(len(text), 150) - usual) / 40.0 for text in texts]

    def odds(
        self, opening: str, texts: Sequence[str], closing: str, answers: tuple[str, str]
    ) -> list[float]:
        raise NotImplementedError


METHOD = LikelihoodRatio(reader=Repeats())
EVERYONE = population()
USERS = sorted(EVERYONE.people)


@pytest.fixture(scope="module")
def fitted() -> InferredFit:
    return METHOD.fit(EVERYONE.part(USERS[:10]), EVERYONE.part(USERS[10:14]), seed=0)


def test_it_keeps_the_promises_of_a_method() -> None:
    check_method(METHOD, "befit.align.rewards.likelihood_ratio:LikelihoodRatio")


@pytest.mark.local
@pytest.mark.slow
def test_it_keeps_them_with_a_language_model() -> None:
    check_method(
        LikelihoodRatio(most_texts=8, contexts=2),
        "befit.align.rewards.likelihood_ratio:LikelihoodRatio",
    )


def test_a_context_is_inferred_by_bayes(fitted: InferredFit) -> None:
    pairs = EVERYONE.people[USERS[14]].pairs.take(slice(0, 3))
    z = fitted.readings.differences(pairs)
    chances = np.ones(z.shape[1]) / z.shape[1]
    for row in z:  # one answer after the other
        chances = chances * np.exp(fitted.sharpness * row)
        chances /= chances.sum()
    (state,) = fitted.adapt([Person(pairs=pairs)])
    assert state == pytest.approx(chances)


def test_who_said_nothing_may_be_anyone(fitted: InferredFit) -> None:
    (state,) = fitted.adapt([Person(pairs=EVERYONE.people[USERS[0]].pairs.take([]))])
    assert state == pytest.approx(np.full(len(state), 1.0 / len(state)))


def test_a_few_answers_predict_the_others(fitted: InferredFit) -> None:
    for person in EVERYONE.part(USERS[14:]):
        (state,) = fitted.adapt([replace(person, pairs=person.pairs.take(slice(0, 4)))])
        assert (fitted.logits(state, person.pairs.take(slice(4, 16))) > 0.0).mean() > 0.9


def test_poles_stand_at_opposite_ends() -> None:
    found = poles(EVERYONE, 2)
    lengths = [np.mean([len(own.texts.names[i]) for i in own.chosen.tolist()]) for own in found]
    assert abs(lengths[0] - lengths[1]) > 40


def test_a_pole_begins_with_what_is_most_its_own() -> None:
    for pairs in poles(EVERYONE, 4):
        assert sorted(pairs.chosen.tolist()) in [
            sorted(person.pairs.chosen.tolist()) for person in EVERYONE
        ]
    assert len(poles(EVERYONE, 6)) == 6
    assert len(poles(EVERYONE.part(USERS[:3]), 6)) == 2


def test_nobody_has_no_poles() -> None:
    nobody = Population(
        texts=EVERYONE.texts, people={"u": Person(pairs=Pairs.of(EVERYONE.texts, []))}
    )
    with pytest.raises(NotEnoughFeedbackError):
        poles(nobody, 2)


def test_what_is_kept_holds_none_of_the_texts_that_were_lent(
    fitted: InferredFit, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    save(fitted, folder, "likelihood-ratio", "letters")
    written = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert written
    for name in EVERYONE.texts.names:
        assert name.encode() not in written


def test_a_text_that_is_lent_is_one_short_line() -> None:
    assert clipped("one\n\n two\tthree") == "one two three"
    assert len(clipped("word " * 100)) == 150
