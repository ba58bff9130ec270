from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning, Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Preference, PreferenceSpace, Profile
from befit.personalize.prompt import PromptPersonalizer

AT = datetime(2026, 1, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "s",
    "1",
    (
        Dimension("length", "short", "long", ask_low="Keep it short.", ask_high="Write at length."),
        Dimension("warmth", "cool", "warm", ask_low="Stay matter-of-fact.", ask_high="Be warm."),
        Dimension("harmless", "careless", "careful", universal=True, ask_low="Allow harm."),
    ),
)


def asked(prompt: str = "How do I book a flight to Lima?") -> Context:
    return Context(user=UserId("u"), messages=(Message("user", prompt),), at=AT)


def profile(*beliefs: tuple[str, float, float], evidence: Sequence[Evidence] = ()) -> Profile:
    return Profile(
        user=UserId("u"),
        space=SPACE,
        preferences=tuple(Preference(dimension=d, mean=m, std=s) for d, m, s in beliefs),
        evidence=tuple(evidence),
    )


def said(text: str, **values: float) -> Evidence:
    return Evidence(
        id=text, user=UserId("u"), kind=EvidenceKind.STATED, at=AT, text=text, values=values
    )


def test_strongest_belief_comes_first_and_is_worded_so() -> None:
    found = PromptPersonalizer().condition(
        profile(("warmth", 0.5, 0.2), ("length", -0.9, 0.2)), asked()
    )
    assert found.instructions == ("Keep it short.", "Be warm.")
    assert found.beliefs == ("length", "warmth")


def test_mild_belief_yields_to_the_question() -> None:
    found = PromptPersonalizer().condition(profile(("length", 0.3, 0.2)), asked())
    assert found.instructions == ("Where it suits the question: write at length.",)


def test_weak_unsure_and_universal_beliefs_say_nothing() -> None:
    beliefs = profile(("length", 0.1, 0.1), ("warmth", 0.7, 0.95), ("harmless", -1.0, 0.1))
    assert PromptPersonalizer().condition(beliefs, asked()) == Conditioning()


def test_topic_is_quoted_never_instructed_and_only_where_it_belongs() -> None:
    beliefs = profile(("topic:long flights", -0.8, 0.2), ("topic:mushrooms", 0.8, 0.2))
    found = PromptPersonalizer().condition(beliefs, asked())
    assert found.quotes == ("They strongly dislike long flights",)
    assert found.instructions == ()
    assert found.beliefs == ("topic:long flights",)


class Meaning:
    name = "meaning"
    width = 2

    def encode(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [(1.0, 0.0) if "air" in text else (0.0, 1.0) for text in texts]


def test_topic_can_belong_by_meaning() -> None:
    beliefs = profile(("topic:aeroplanes in the air", -0.5, 0.2), ("topic:mushrooms", 0.5, 0.2))
    found = PromptPersonalizer(encoder=Meaning()).condition(beliefs, asked("Fly by air?"))
    assert found.quotes == ("They dislike aeroplanes in the air",)


def test_excerpts_are_quoted_within_budget_and_not_said_twice() -> None:
    evidence = (said("short please", length=-0.9), said("I work nights."), said("x" * 4000))
    found = PromptPersonalizer().condition(
        profile(("length", -0.9, 0.2), evidence=evidence), asked()
    )
    assert found.quotes == ("I work nights.",)


def test_excerpt_of_an_unrelated_topic_is_left_out() -> None:
    evidence = (said("I love mushrooms", **{"topic:mushrooms": 0.9}),)
    found = PromptPersonalizer().condition(
        profile(("topic:mushrooms", 0.9, 0.2), evidence=evidence), asked()
    )
    assert found == Conditioning()


NAMES = st.sampled_from(["length", "warmth", "harmless", "topic:flights", "topic:tea"])


@given(
    st.lists(
        st.tuples(NAMES, st.floats(-1, 1), st.floats(0.05, 1)), max_size=5, unique_by=lambda b: b[0]
    )
)
def test_order_of_beliefs_never_shows(beliefs: list[tuple[str, float, float]]) -> None:
    personalizer = PromptPersonalizer()
    forth = personalizer.condition(profile(*beliefs), asked())
    assert forth == personalizer.condition(profile(*beliefs[::-1]), asked())
    assert "harmless" not in forth.beliefs
    assert len(forth.instructions) + len(forth.quotes) == len(forth.beliefs)


def test_at_most_the_limit_is_said() -> None:
    beliefs = profile(("length", -0.9, 0.1), ("warmth", 0.8, 0.1))
    assert PromptPersonalizer(limit=1).condition(beliefs, asked()).beliefs == ("length",)


def test_weight_orders_beliefs_of_one_strength() -> None:
    beliefs = profile(("length", 0.8, 0.1), ("warmth", 0.8, 0.1))
    first, second = beliefs.preferences
    cared = replace(beliefs, preferences=(first, replace(second, weight=2.0)))
    assert PromptPersonalizer().condition(cared, asked()).beliefs == ("warmth", "length")
