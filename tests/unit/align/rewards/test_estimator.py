import pytest

pytest.importorskip("torch")

from befit.align.rewards.estimator import PersonalReward
from befit.core.errors import InputError
from befit.core.preference import Pair
from befit.features.feature_map import FeatureMap
from befit.testing.rewards import LetterEncoder, population


def told() -> dict[str, list[Pair]]:
    """The people of the conformance check, as plain pairs."""
    people = population(14, 12).people
    texts = next(iter(people.values())).pairs.texts.names
    return {
        user: [
            Pair(prompt=texts[p], chosen=texts[c], rejected=texts[r])
            for p, c, r in zip(
                person.pairs.prompts, person.pairs.chosen, person.pairs.rejected, strict=True
            )
        ]
        for user, person in people.items()
    }


def test_why_adds_up_to_the_log_odds() -> None:
    pairs = told()
    user, own = next(iter(pairs.items()))
    reward = PersonalReward(FeatureMap(LetterEncoder()), "default").fit(pairs)
    reward.observe(user, own[:6])
    parts = reward.explain(user, own[6:])
    sums = [sum(each.values()) for each in parts]
    assert sums == pytest.approx(reward.decision_function(user, own[6:]).tolist())
    assert {name.partition(": ")[0] for name in parts[0]} == {"everyone", "person"}
    sizes = [abs(value) for value in parts[0].values()]
    assert sizes == sorted(sizes, reverse=True)


def test_a_stranger_differs_in_nothing() -> None:
    pairs = told()
    own = next(iter(pairs.values()))
    reward = PersonalReward(FeatureMap(LetterEncoder()), "default").fit(pairs)
    [parts] = reward.explain("nobody known", own[:1])
    assert all(value == 0.0 for name, value in parts.items() if name.startswith("person: "))


def test_a_method_that_cannot_say_why_says_so() -> None:
    reward = PersonalReward(FeatureMap(LetterEncoder()), "longer-wins").fit(told())
    with pytest.raises(InputError) as caught:
        reward.explain("ana", [Pair(prompt="", chosen="a", rejected="bb")])
    assert caught.value.field == "method"
