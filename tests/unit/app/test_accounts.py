"""The account of a belief adds up to it, whatever was observed; what does not has none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.app.accounts import accounts, lines
from befit.belief.fold import BayesFold
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Pair, Preference
from befit.features.style import measure
from befit.memory.profiles import day_after
from befit.memory.spaces import load_space

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
SPACE = load_space("style")
FOLD = BayesFold(measure=measure)
NAMES = ("formality", "topic:tea")


def said(number: int, days: int, value: float, kind: EvidenceKind, scope: str = "") -> Evidence:
    return Evidence(
        id=f"{number}",
        user=UserId("ann"),
        kind=kind,
        at=AT - timedelta(days=days),
        values=dict.fromkeys(NAMES, value),
        noise=0.5,
        text=f"word {number}",
        scope=scope,
    )


def chosen(number: int) -> Evidence:
    pair = Pair(prompt="?", chosen="yo dude, gonna be fun!!", rejected="I remain yours sincerely.")
    return Evidence(
        id=f"pair {number}", user=UserId("ann"), kind=EvidenceKind.BEHAVIOUR, at=AT, pair=pair
    )


kinds = st.sampled_from([EvidenceKind.STATED, EvidenceKind.BEHAVIOUR])
observations = st.builds(
    said,
    st.integers(0, 30),
    st.integers(0, 900),
    st.floats(-1, 1, allow_subnormal=False),
    kinds,
    st.sampled_from(["", "work", "work/mail", "home"]),
)


@given(st.lists(observations, max_size=8), st.integers(0, 3), st.sampled_from(["", "work"]))
def test_the_sums_are_what_is_believed(told: list[Evidence], pairs: int, scope: str) -> None:
    evidence = [*told, *(chosen(n) for n in range(pairs))]
    beliefs = FOLD.infer(SPACE, evidence, day_after(AT), scope)
    found = accounts(FOLD, SPACE, evidence, beliefs, (AT, scope))
    assert set(found) == {belief.dimension for belief in beliefs}
    for belief in beliefs:
        account = found[belief.dimension]
        precision = account.before_precision + account.rest_precision
        precision += sum(each.precision for each in account.observed)
        pull = account.before_mean * account.before_precision + account.rest_pull
        pull += sum(each.pull for each in account.observed)
        assert precision == pytest.approx(account.precision)
        assert belief.std == pytest.approx(min(1.0, 1.0 / sqrt(precision)))
        assert belief.mean == pytest.approx(max(-1.0, min(1.0, pull / precision)), abs=1e-9)
        for each in account.observed:
            assert each.precision == pytest.approx(each.weight / each.noise**2)


def test_age_scope_and_conflict_are_told_apart() -> None:
    old = said(1, 365, 0.8, EvidenceKind.STATED)
    new = said(2, 0, -0.8, EvidenceKind.STATED)
    beliefs = FOLD.infer(SPACE, [old, new], day_after(AT), "")
    account = accounts(FOLD, SPACE, [old, new], beliefs, (AT, ""))["topic:tea"]
    by_id = {each.id: each for each in account.observed}
    assert by_id["2"].weight == pytest.approx(by_id["2"].aged)
    assert by_id["1"].aged == pytest.approx(0.5, abs=0.01)
    assert by_id["1"].weight < by_id["1"].aged
    text = "\n".join(lines(account, {"1": old, "2": new}))
    assert "settled to" in text
    assert "word 1 [1]" in text
    assert text.splitlines()[-1].startswith("sum: precision")


def test_choices_stand_as_one_sum() -> None:
    evidence = [chosen(n) for n in range(3)]
    beliefs = FOLD.infer(SPACE, evidence, day_after(AT), "")
    found = accounts(BayesFold(), SPACE, evidence, beliefs, (AT, ""))
    assert found
    for account in found.values():
        assert account.observed == ()
        assert account.rest_precision > 0.0
        assert any(line.startswith("choices, grades") for line in lines(account, {}))


def test_what_the_persons_word_holds_has_no_account() -> None:
    told = said(1, 1, 0.8, EvidenceKind.STATED)
    (belief,) = (
        b for b in FOLD.infer(SPACE, [told], day_after(AT), "") if b.dimension == "topic:tea"
    )
    pinned = replace(belief, mean=-1.0, std=0.05)
    assert accounts(FOLD, SPACE, [told], [pinned], (AT, "")) == {}
    unheard = Preference(dimension="topic:jazz", mean=0.4, std=0.1)
    assert accounts(FOLD, SPACE, [told], [unheard], (AT, "")) == {}


def test_what_came_later_counts_for_nothing() -> None:
    told, later = said(1, 1, 0.8, EvidenceKind.STATED), said(2, -1, -0.8, EvidenceKind.STATED)
    beliefs = FOLD.infer(SPACE, [told], day_after(AT), "")
    found = accounts(FOLD, SPACE, [told, later], beliefs, (AT, ""))
    assert {each.id for each in found["topic:tea"].observed} == {"1"}
