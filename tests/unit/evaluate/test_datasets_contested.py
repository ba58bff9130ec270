from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from befit.evaluate.datasets.contested import contest, contested, shares
from befit.evaluate.schema import PairData, PairRow


def data_of(choices: Iterable[tuple[str, str, str]]) -> PairData:
    """Pairs as (person, chosen, rejected)."""
    return PairData(
        name="d",
        rows=tuple(
            PairRow(user=user, prompt="", chosen=chosen, rejected=rejected)
            for user, chosen, rejected in choices
        ),
        licence="",
        digest="",
        rule="",
        shared_items=True,
    )


def town(size: int = 12) -> PairData:
    """Everyone likes bread over mud; half like tea over coffee; one stranger is asked last."""
    choices = [(f"p{n}", "bread", "mud") for n in range(size)]
    choices += [
        (f"p{n}", *(("tea", "coffee") if n % 2 else ("coffee", "tea"))) for n in range(size)
    ]
    asked = [("new", "coffee", "tea"), ("new", "bread", "mud"), ("new", "tea", "mud")]
    return data_of([*choices, *asked, ("new", "tea", "snow")])


def test_a_pair_is_contested_where_both_texts_split_the_people_learned_from() -> None:
    data = town()
    found = contest(data, [f"p{n}" for n in range(12)])
    assert found.contested == {*range(12, 24), 24}
    assert found.agreed == {*range(12), 25, 26}  # of snow nobody said anything
    assert contested(data, [f"p{n}" for n in range(12)]) == set(found.contested)


def test_too_few_votes_say_nothing() -> None:
    data = town()
    nine = [f"p{n}" for n in range(9)]
    assert contest(data, nine).contested == frozenset()
    assert contest(data, nine, fewest_votes=9).contested


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=12))
def test_what_the_people_tested_chose_changes_nothing(answers: list[tuple[str, str]]) -> None:
    people = [f"p{n}" for n in range(12)]
    swapped = [(f"new{n}", a, b) for n, (a, b) in enumerate(answers)]
    plain = town().rows
    more = data_of([(r.user, r.chosen, r.rejected) for r in plain] + swapped)
    assert shares(more, people) == shares(town(), people)


def test_a_person_has_one_vote_on_a_text_however_often_they_meet_it() -> None:
    loud = [("loud", "tea", f"x{n}") for n in range(50)]
    quiet = [(f"q{n}", f"y{n}", "tea") for n in range(3)]
    assert shares(data_of(loud + quiet), {"loud", "q0", "q1", "q2"}, fewest_votes=4) == {
        "tea": 0.25
    }
