"""What a personal reward does with what no person should give it: a typed error, or an answer."""

import json
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from befit.align.rewards import estimator
from befit.align.rewards.estimator import PEOPLE, PersonalReward
from befit.align.rewards.method import Fitted
from befit.align.rewards.pairs import Pairs, Person
from befit.align.rewards.storing import ARRAYS, FACTS
from befit.core.errors import BefitError, InputError, ModelError, ModelFileError
from befit.core.preference import Pair
from befit.core.registry import find, names
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder, population

ASK_A_MODEL = {"drift", "judge", "likelihood-ratio", "synthesize-me"}
METHODS = sorted({*names("method")} - ASK_A_MODEL)
SHORT = Pair(prompt="Tell me of rice", chosen="rice: yes.", rejected="Rice is a wide matter. " * 3)
LONG = Pair(prompt=SHORT.prompt, chosen=SHORT.rejected, rejected=SHORT.chosen)
EMPTY = Pair(prompt="", chosen="", rejected="rice: yes.")
SAME = Pair(prompt="", chosen="rice", rejected="rice")


def told(seed: int = 0) -> dict[str, list[Pair]]:
    """The people of the conformance check, as plain pairs."""
    made: dict[str, list[Pair]] = {}
    for user, person in population(14, 12, seed).people.items():
        text, pairs = person.pairs.texts.names, person.pairs
        made[user] = [
            Pair(prompt=text[p], chosen=text[c], rejected=text[r])
            for p, c, r in zip(pairs.prompts, pairs.chosen, pairs.rejected, strict=True)
        ]
    return made


@cache
def fitted(name: str) -> Fitted:
    everyone = population(14, 12)
    users = sorted(everyone.people)
    made: Fitted = find("method", name)().fit(
        everyone.part(users[3:]), everyone.part(users[:3]), seed=0
    )
    return made


@lru_cache(maxsize=1)
def reward() -> PersonalReward:
    return PersonalReward(FeatureMap(LetterEncoder()), steps=20).fit(told())


def answers(name: str, history: Sequence[Pair], asked: Sequence[Pair]) -> np.ndarray[Any, Any]:
    method = PersonalReward(FeatureMap(LetterEncoder()), name)
    method._fitted = fitted(name)
    return method.observe("u", history).decision_function("u", asked)


@pytest.mark.local
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "history",
    [
        pytest.param([SHORT] * 40, id="all-alike"),
        pytest.param([SHORT, LONG] * 20, id="contradictory"),
        pytest.param([SAME] * 5, id="chosen-is-rejected"),
        pytest.param([EMPTY, EMPTY, SHORT], id="empty-text"),
        pytest.param([Pair(prompt="", chosen=" ", rejected="\n")], id="blank-texts"),
        pytest.param([SHORT] + [LONG] * 300, id="many"),
    ],
)
def test_every_method_answers_with_numbers_whatever_it_was_told(
    name: str, history: list[Pair]
) -> None:
    found = answers(name, history, [SHORT, LONG, EMPTY, SAME])
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(-found[1], abs=1e-6)
    assert found[3] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.local
@pytest.mark.parametrize("name", METHODS)
def test_a_text_beside_itself_teaches_nothing(name: str) -> None:
    asked = [SHORT, EMPTY]
    assert answers(name, [SAME] * 3, asked).tolist() == answers(name, [], asked).tolist()
    both = answers(name, [SHORT, SAME], asked)
    assert both == pytest.approx(answers(name, [SHORT], asked), abs=1e-6)


def test_reactions_all_alike_are_learned_and_opposites_cancel() -> None:
    alike = answers("default", [SHORT] * 20, [SHORT])[0]
    torn = answers("default", [SHORT, LONG] * 20, [SHORT])[0]
    assert alike > 2.0
    assert abs(torn) < 0.2


def test_of_a_million_reactions_the_newest_are_kept() -> None:
    """Bounded before anything is embedded; the answer is theirs alone."""
    made = PersonalReward(FeatureMap(LetterEncoder()), steps=20)
    made._fitted = reward()._fitted
    newest = [SHORT, LONG, SHORT, SHORT] * (estimator.MOST_KEPT // 4)
    made.observe("u", [LONG] * 1_000_000).observe("u", newest)
    assert made.forget("u") == estimator.MOST_KEPT
    made.observe("u", [LONG] * 1_000_000 + newest)
    found = made.predict_proba("u", [SHORT])
    assert found[0] > 0.5
    only = made.forget("u"), made.observe("u", newest).predict_proba("u", [SHORT])
    assert only == (estimator.MOST_KEPT, found)


def test_of_one_person_only_so_much_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reacts a million times is one person of many."""
    monkeypatch.setattr(estimator, "MOST_FITTED", 12)
    people, features = told(), FeatureMap(LetterEncoder())
    flooded = {**people, "u0": [LONG] * 1_000_000 + people["u0"]}
    asked = [SHORT, EMPTY]
    once, again = (
        PersonalReward(features, steps=0).fit(given).decision_function("new", asked)
        for given in (people, flooded)
    )
    assert again.tolist() == once.tolist()


def test_of_somebody_unknown_the_population_answers() -> None:
    asked = [SHORT, EMPTY]
    somebody = reward().decision_function("nobody told of", asked)
    assert somebody.tolist() == reward().decision_function("nor of this one", asked).tolist()
    state = reward()._ready().adapt([Person(pairs=reward()._pairs([]))])[0]
    pairs: Pairs = reward()._pairs(asked)
    assert somebody.tolist() == reward()._ready().logits(state, pairs).tolist()
    assert reward().forget("nobody told of") == 0


def test_nothing_is_asked_before_a_fit() -> None:
    with pytest.raises(InputError) as caught:
        PersonalReward(FeatureMap(LetterEncoder())).predict_proba("u", [SHORT])
    assert (caught.value.field, bool(caught.value.hint)) == ("fit", True)


@pytest.mark.parametrize(
    "given", [{}, {"a": [SHORT]}, {"a": [SAME], "b": [SAME], "c": [SAME]}, {"a": [], "b": []}]
)
def test_too_little_to_fit_on_is_a_typed_error(given: dict[str, list[Pair]]) -> None:
    with pytest.raises(BefitError) as caught:
        PersonalReward(FeatureMap(LetterEncoder())).fit(given)
    assert caught.value.hint


class Broken(LetterEncoder):
    """An encoder whose vectors are of one kind of wrong."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        rows = np.array(super().encode(texts))
        if self.wrong == "width":
            rows = rows[:, 1:]
        else:
            rows[-1, -1] = float(self.wrong)
        found: list[list[float]] = rows.tolist()
        return found


@pytest.mark.parametrize("wrong", ["nan", "inf", "width"])
def test_features_that_are_no_numbers_are_a_typed_error(wrong: str) -> None:
    broken = FeatureMap(Broken(wrong))
    with pytest.raises(ModelError) as caught:
        PersonalReward(broken).fit(told())
    assert (caught.value.field, bool(caught.value.hint)) == ("encoder", True)
    asked = PersonalReward(broken)
    asked._fitted = reward()._fitted
    with pytest.raises(ModelError):
        asked.score("u", "", ["a", "b"])


def test_an_encoder_of_another_width_is_refused(tmp_path: Path) -> None:
    reward().save(tmp_path)

    class Wider(LetterEncoder):
        width = 27

    with pytest.raises(ModelFileError, match="width") as caught:
        PersonalReward.load(tmp_path, FeatureMap(Wider()))
    assert (caught.value.field, bool(caught.value.hint)) == ("folder", True)


@pytest.mark.parametrize("file", [PEOPLE, FACTS, ARRAYS])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "noise", "flipped", "list"])
def test_a_damaged_file_is_a_typed_error(tmp_path: Path, file: str, damage: str) -> None:
    reward().save(tmp_path)
    path = tmp_path / file
    content = path.read_bytes()
    harmed = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "noise": bytes(range(256)),
        "list": b"[1, 2]",
        "flipped": content[:-9] + bytes([content[-9] ^ 255]) + content[-8:],
    }
    path.unlink()
    if damage != "gone":
        path.write_bytes(harmed[damage])
    with pytest.raises(ModelFileError) as caught:
        PersonalReward.load(tmp_path, FeatureMap(LetterEncoder()))
    assert (caught.value.field, bool(caught.value.hint)) == ("folder", True)


@pytest.mark.parametrize(
    "change",
    [
        {"told": {"u": [["p", "c", "r"]]}},
        {"told": {"u": [["p", None, "r", 1.0]]}},
        {"told": {"u": [["p", "c", "r", "much"]]}},
        {"told": 3},
        {"about": ["u"]},
        {"options": {"no_such_option": 1}},
    ],
)
def test_people_that_make_no_sense_are_a_typed_error(
    tmp_path: Path, change: dict[str, object]
) -> None:
    reward().save(tmp_path)
    content = json.loads((tmp_path / PEOPLE).read_text(encoding="utf-8"))
    (tmp_path / PEOPLE).write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(ModelFileError):
        PersonalReward.load(tmp_path, FeatureMap(LetterEncoder()))


def test_what_was_saved_comes_back_with_its_people(tmp_path: Path) -> None:
    made = PersonalReward(FeatureMap(LetterEncoder()), steps=20)
    made._fitted = reward()._fitted
    made.observe("u", [SHORT, EMPTY]).observe("v", [], {"likes": "short"})
    made.save(tmp_path)
    back = PersonalReward.load(tmp_path, FeatureMap(LetterEncoder()))
    asked = [SHORT, LONG]
    for user in ("u", "v", "unknown"):
        found = back.decision_function(user, asked).tolist()
        assert found == made.decision_function(user, asked).tolist()
    assert back._about == {"v": {"likes": "short"}}
