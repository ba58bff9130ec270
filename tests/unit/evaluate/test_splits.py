from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from befit.core.errors import InputError
from befit.evaluate.schema import PairData, PairRow, Part
from befit.evaluate.splits import draw, groups_of, near, overlap, separate, split_people


def _row(user: str, chosen: str, rejected: str, prompt: str = "", part: Part = "") -> PairRow:
    return PairRow(user=user, prompt=prompt, chosen=chosen, rejected=rejected, part=part)


def _data(rows: list[PairRow]) -> PairData:
    return PairData(
        name="made", rows=tuple(rows), licence="", digest="", rule="", shared_items=False
    )


def _many(people: int) -> PairData:
    return _data(
        [_row(f"u{i}", f"good {i} {j}", f"bad {i} {j}") for i in range(people) for j in range(6)]
    )


@given(st.integers(3, 60), st.integers(0, 7))
def test_no_person_is_in_two_parts(people: int, seed: int) -> None:
    split = split_people(_many(people), seed, most_test=1000)
    train = {row.user for row in split.train}
    validation = {row.user for row in split.validation}
    test = set(split.test)
    assert not train & validation | train & test | validation & test
    assert len(train | validation | test) == people
    assert all([train, validation, test])


def test_three_seeds_test_everyone_once() -> None:
    tested = [user for seed in range(3) for user in split_people(_many(31), seed, 1000).test]
    assert len(tested) == len(set(tested)) == 31


def test_the_order_of_the_rows_changes_nothing() -> None:
    data = _many(12)
    turned = _data(list(reversed(data.rows)))
    assert set(split_people(data, 0, 99).test) == set(split_people(turned, 0, 99).test)


def test_too_few_people_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        split_people(_many(1), 0, 99)


texts = st.sampled_from([f"statement number {w} about {t}" for w, t in product("abcdef", "xyz")])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(texts, texts).filter(lambda p: p[0] != p[1]), min_size=1, max_size=25),
    st.sampled_from([0, 1, 4, 16]),
    st.integers(0, 9),
)
def test_support_and_query_share_no_text(
    pairs: list[tuple[str, str]], shots: int, seed: int
) -> None:
    rows = [_row("u", chosen, rejected) for chosen, rejected in pairs]
    drawn = draw(rows, groups_of(rows, "texts"), shots, seed)
    seen = {text for row in drawn.support for text in (row.chosen, row.rejected)}
    asked = {text for row in drawn.query for text in (row.chosen, row.rejected)}
    assert not seen & asked
    assert drawn.query
    assert len(drawn.query) + len(drawn.support) == len(rows)


def test_prompts_can_be_what_must_not_be_shared() -> None:
    rows = [
        _row("u", f"a{i} word", f"b{i} term", prompt=f"prompt {'xyz'[i % 3]}") for i in range(9)
    ]
    drawn = draw(rows, groups_of(rows, "prompts"), 4, 0)
    assert not {row.prompt for row in drawn.support} & {row.prompt for row in drawn.query}
    assert drawn.support


def test_texts_that_are_nearly_the_same_stay_together() -> None:
    long = "the council should build more houses near the station this year"
    rows = [_row("u", long, "no houses"), _row("u", long + "!!", "trains are late")]
    assert groups_of(rows, "texts") == ((0, 1),)
    assert not near(frozenset("abcde"), frozenset("abcfg"))


def test_where_all_texts_are_alike_only_the_same_text_is_kept_apart() -> None:
    words = "boil the rice for twelve minutes and then wait for a while"
    rows = [_row("u", f"{words} {i}", f"{words} long {i}", prompt=f"{i}") for i in range(6)]
    assert separate(rows, "texts") == (tuple((i,) for i in range(6)), "the same")
    shared = [_row("u", "yes", "no", prompt=f"{i}") for i in range(6)]
    assert separate(shared, "texts") == (tuple((i,) for i in range(6)), "the same prompt")
    assert separate(shared[:1] * 3, "texts") == (((0, 1, 2),), "nearly the same")
    apart = [_row("u", f"a{i} word", f"b{i} term") for i in range(4)]
    assert separate(apart, "texts")[1] == "nearly the same"


def test_different_seeds_draw_different_support() -> None:
    rows = [_row("u", f"good {i}a", f"bad {i}b") for i in range(30)]
    groups = groups_of(rows, "texts")
    assert len({draw(rows, groups, 8, seed).support[:8] for seed in range(5)}) == 5
    assert draw(rows, groups, 8, 1) == draw(rows, groups, 8, 1)
    assert len(draw(rows, groups, 16, 1).support) >= 14


def test_the_parts_of_a_file_are_kept() -> None:
    rows = [
        _row("a", "1", "2", part="train"),
        _row("b", "3", "4", part="train"),
        _row("c", "5", "6", part="support"),
        _row("c", "5", "7", part="query"),
    ]
    split = split_people(_data(rows), 2, 99)
    assert set(split.test) == {"c"}
    drawn = draw(split.test["c"], (), 4, 0)
    assert drawn.support == (rows[2],)
    assert drawn.query == (rows[3],)
    assert overlap(rows) == 1
