"""What anybody could know: the crowd's answer, and the person's own."""

import numpy as np
import pytest

from befit.evaluate.ceilings import CROWD, SELF, ceilings, repeats
from befit.evaluate.collected import Collected
from befit.evaluate.schema import PairData, PairRow


def pair(user: str, chosen: str, rejected: str) -> PairRow:
    return PairRow(user=user, prompt="", chosen=chosen, rejected=rejected)


def data(rows: list[PairRow]) -> PairData:
    return PairData(
        name="votes", rows=tuple(rows), licence="", digest="", rule="", shared_items=True
    )


def asked(rows: list[PairRow]) -> Collected:
    """Everyone, about each of their pairs."""
    users = tuple(dict.fromkeys(row.user for row in rows))
    person = np.array([users.index(row.user) for row in rows])
    number = np.arange(len(rows))
    return Collected(
        name="votes", people=True, users=users, person=person, pair=number, number=number,
        own={}, other={}, swapped={}, costs={},
    )  # fmt: skip


def test_the_crowd_is_asked_without_the_person() -> None:
    # of five, four say a: each of the four sees three of four others say it, the fifth sees four
    rows = [pair(f"u{n}", *("ab" if n < 4 else "ba")) for n in range(5)]
    (row,) = ceilings(asked(rows), data(rows))
    assert (row.method, row.people, row.shots) == (CROWD, 5, None)
    assert row.value == pytest.approx(4 / 5)
    assert row.lo <= row.value <= row.hi


def test_where_nobody_judged_the_pair_the_texts_votes_are_asked() -> None:
    # eleven people like x more than their own text, and eleven like their own text more than y
    rows = [pair(f"u{n}", "x", f"own{n}") for n in range(11)]
    rows += [pair(f"v{n}", f"more{n}", "y") for n in range(11)]
    rows += [pair("one", "x", "y"), pair("two", "y", "x")]
    (row,) = ceilings(asked(rows), data(rows))
    assert row.people == 2  # of the others, one text is met by nobody else
    assert row.value == pytest.approx(0.5)  # one goes with the crowd, two against it


def test_who_repeats_themselves_can_be_answered_as_well_as_they_agree() -> None:
    consistent = [pair("u0", "a", "b")] * 4
    torn = [pair("u1", "a", "b"), pair("u1", "b", "a")]
    assert repeats([*consistent, *torn, pair("u2", "c", "d")]).tolist() == [1.0, 0.0]
    rng = np.random.default_rng(0)
    rows = [
        pair(f"u{n}", *("ab" if rng.random() < 0.8 else "ba")) for n in range(2000) for _ in "12"
    ]
    found = {row.method: row for row in ceilings(asked(rows), data(rows))}
    assert found[SELF].value == pytest.approx(0.8, abs=0.02)
    assert found[SELF].lo < 0.8 < found[SELF].hi


def test_nothing_is_said_where_nothing_is_shared() -> None:
    rows = [pair(f"u{n}", f"a{n}", f"b{n}") for n in range(9)]
    assert ceilings(asked(rows), data(rows)) == []
