"""Conditioning is a monoid, and its caution only ever grows."""

from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(tuple)
CAUTION = st.dictionaries(st.sampled_from(["harmless", "honest"]), st.floats(0, 1), max_size=2)
CONDITIONINGS = st.builds(
    Conditioning,
    instructions=WORDS,
    quotes=WORDS,
    objectives=st.dictionaries(st.sampled_from(["x", "y"]), st.floats(-1, 1), max_size=2),
    adapter=st.none() | st.sampled_from(["one", "two"]),
    tools=WORDS,
    beliefs=WORDS,
    caution=CAUTION,
)


@given(CONDITIONINGS, CONDITIONINGS, CONDITIONINGS)
def test_merge_is_associative(a: Conditioning, b: Conditioning, c: Conditioning) -> None:
    assert (a | b) | c == a | (b | c)


@given(CONDITIONINGS)
def test_the_empty_conditioning_is_the_unit(a: Conditioning) -> None:
    assert a | Conditioning() == a == Conditioning() | a


@given(CONDITIONINGS, CONDITIONINGS)
def test_a_merge_never_lowers_caution(a: Conditioning, b: Conditioning) -> None:
    merged = (a | b).caution
    for one in (a, b):
        assert all(merged[name] >= value for name, value in one.caution.items())
