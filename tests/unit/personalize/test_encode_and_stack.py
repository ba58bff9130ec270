from datetime import UTC, datetime

from befit.core.dialogue import Conditioning, Context
from befit.core.people import UserId
from befit.core.preference import Dimension, Gaussian, Preference, PreferenceSpace, Profile
from befit.personalize.encode import EncodePersonalizer
from befit.personalize.prompt import PromptPersonalizer
from befit.personalize.stack import Stack

ASKED = Context(user=UserId("u"), messages=(), at=datetime(2026, 1, 1, tzinfo=UTC))
TASTE = Gaussian((0.5,), (0.1,))
PROFILE = Profile(
    user=UserId("u"),
    space=PreferenceSpace(
        "s",
        "1",
        (Dimension("length", "a", "b", ask_low="Short."), Dimension("honest", "", "", True)),
    ),
    preferences=tuple(
        Preference(dimension=name, mean=-0.5, std=std)
        for name, std in (("length", 0.2), ("honest", 0.1), ("topic:tea", 0.1), ("unsure", 0.9))
    ),
    taste=TASTE,
)


def test_encode_gives_certain_personal_dimensions_and_the_taste() -> None:
    found = EncodePersonalizer().condition(PROFILE, ASKED)
    assert found == Conditioning(objectives={"length": -0.5}, taste=TASTE, beliefs=("length",))


def test_certain_middle_is_an_objective() -> None:
    middle = Profile(
        user=UserId("u"),
        space=PROFILE.space,
        preferences=(Preference(dimension="length", mean=0.0, std=0.1),),
    )
    assert EncodePersonalizer().condition(middle, ASKED).objectives == {"length": 0.0}


def test_stack_merges_and_names_each_belief_once() -> None:
    stack = Stack(layers=(PromptPersonalizer(), EncodePersonalizer()))
    found = stack.condition(PROFILE, ASKED)
    assert found.instructions == ("Short.",)
    assert found.taste == TASTE
    assert found.beliefs == ("length",)


def test_empty_stack_conditions_on_nothing() -> None:
    assert Stack().condition(PROFILE, ASKED) == Conditioning()
