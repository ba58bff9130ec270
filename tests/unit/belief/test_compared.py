"""What of a person's evidence compares texts, and what each comparison counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.compared import MARGIN, MOST_ANSWERS, Told, compared, pair_of
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Graded, Origin, Pair

AT = datetime(2026, 3, 1, tzinfo=UTC)


def latent(text: str) -> tuple[float, ...]:
    """Coordinates of a text, in which differences add up."""
    return float(len(text)), float(text.count("a"))


def told(
    *,
    graded: Graded | None = None,
    pair: Pair | None = None,
    day: int = 0,
    weight: float = 1.0,
    origin: Origin = "person",
) -> Told:
    evidence = Evidence(
        id=f"{day}",
        user=UserId("ada"),
        kind=EvidenceKind.BEHAVIOUR,
        at=AT + timedelta(days=day),
        graded=graded,
        pair=pair,
        origin=origin,
    )
    made = pair_of(evidence)
    if made is None:
        return evidence, (), weight
    c, r = latent(made.chosen), latent(made.rejected)
    return evidence, tuple(a - b for a, b in zip(c, r, strict=True)), weight


def grade(text: str, value: float, day: int, weight: float = 1.0, prompt: str = "q") -> Told:
    return told(graded=Graded(prompt=prompt, text=text, value=value, weight=weight), day=day)


def test_a_choice_is_its_own_difference_and_weight() -> None:
    pair = Pair(prompt="", chosen="aab", rejected="b", weight=0.5)
    assert compared([told(pair=pair, weight=0.5)]) == ([(2.0, 2.0)], [0.25])


def test_two_grades_of_one_prompt_are_a_comparison() -> None:
    """The better over the worse, by how far apart they are and the lighter of the two."""
    found = compared([grade("aaaa", 0.25, 1, 0.5), grade("b", 1.0, 2)])
    assert found == ([(-3.0, -4.0)], [0.75 * 0.5])


def test_what_was_regenerated_loses_to_what_was_kept() -> None:
    """The light grades of `feedback.reactions`, at the weight that it teaches a population by."""
    found = compared([grade("aaaa", 0.0, 1, 0.3), grade("b", 1.0, 2, 0.3)])
    assert found == ([(-3.0, -4.0)], [0.3])


@pytest.mark.parametrize(
    "second",
    [
        grade("b", 0.5 + MARGIN - 0.01, 2),  # too near
        grade("b", 1.0, 2, prompt="another"),
        grade("aaaa", 1.0, 2),  # the same text
        told(graded=Graded(prompt="q", text="b", value=1.0), day=2, weight=0.0),
        told(graded=Graded(prompt="q", text="b", value=1.0), day=2, origin="model"),
    ],
)
def test_other_grades_compare_nothing(second: Told) -> None:
    assert compared([grade("aaaa", 0.5, 1), second]) == ([], [])


def test_grades_without_a_prompt_answer_nothing_in_common() -> None:
    assert pair_of(grade("b", 1.0, 1, prompt=" ")[0]) is None


def test_what_was_compared_outright_is_not_compared_again() -> None:
    pair = told(pair=Pair(prompt="q", chosen="b", rejected="aaaa"), day=3)
    found = compared([grade("aaaa", 0.0, 1), grade("b", 1.0, 2), pair])
    assert found == ([(-3.0, -4.0)], [1.0])


def test_of_several_grades_of_a_text_the_firmest_counts_then_the_newest() -> None:
    """First thought poor, then good; copying it once more changes nothing."""
    again = [grade("b", 0.0, 1), grade("b", 1.0, 2), grade("b", 0.5, 3, 0.3)]
    assert compared([grade("aaaa", 0.5, 0), *again]) == ([(-3.0, -4.0)], [0.5])


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=30), st.randoms())
def test_each_answer_counts_once_in_whatever_order(grades: list[float], random: object) -> None:
    given_ = [grade("a" * (i + 1), value, i) for i, value in enumerate(grades)]
    differences, weights = compared(given_)
    assert sum(weights) <= min(len(grades), MOST_ANSWERS) - 1 + 1e-9
    random.shuffle(given_)  # type: ignore[attr-defined]
    again = compared(given_)
    assert sorted(zip(*again, strict=True)) == sorted(zip(differences, weights, strict=True))
