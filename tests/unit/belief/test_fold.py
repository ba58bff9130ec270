"""Laws of the fold: order, duplicates, forgetting, time, scope, universal values, comparisons."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.belief.fold import CORRECTION, BayesFold, weigh
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import (
    Dimension,
    Evidence,
    Graded,
    Origin,
    Pair,
    Preference,
    PreferenceSpace,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPACE = PreferenceSpace(
    "test",
    "1",
    (
        Dimension("harmless", "as for anyone", "more careful", universal=True),
        Dimension("length", "short", "long", feature="length"),
        Dimension("lists", "prose", "lists", feature="lists"),
        Dimension("theory", "practical", "theory"),
    ),
)


def measure(text: str) -> dict[str, float]:
    words = len(text.split())
    return {"length": (words - 10) / (words + 10), "lists": 1.0 if text.startswith("- ") else -1.0}


FOLD = BayesFold(measure=measure)


def said(
    name: str,
    value: float,
    *,
    days: float = 0.0,
    noise: float = 0.3,
    scope: str = "",
    key: str = "",
) -> Evidence:
    return Evidence(
        id=key or f"{name}{value}{days}{noise}{scope}",
        user=UserId("u"),
        kind=EvidenceKind.STATED,
        at=AT - timedelta(days=days),
        values={name: value},
        noise=noise,
        scope=scope,
    )


def chose(
    chosen: str, rejected: str, *, key: str, days: float = 0.0, weight: float = 1.0
) -> Evidence:
    return Evidence(
        id=key,
        user=UserId("u"),
        kind=EvidenceKind.BEHAVIOUR,
        at=AT - timedelta(days=days),
        pair=Pair(prompt="", chosen=chosen, rejected=rejected, weight=weight),
    )


def beliefs(evidence: list[Evidence], scope: str = "", at: datetime = AT) -> dict[str, Preference]:
    return {p.dimension: p for p in FOLD.infer(SPACE, evidence, at, scope)}


def positions(found: dict[str, Preference]) -> dict[str, Preference]:
    """What is believed, without the account of how it was settled."""
    return {name: replace(p, since=None, reasons=()) for name, p in found.items()}


NAMES = ("harmless", "length", "lists", "theory", "topic:tea", "unknown")
values = st.floats(-1, 1, allow_nan=False)
noises = st.floats(0.02, 4.0)
observations = st.builds(
    said,
    st.sampled_from(NAMES),
    values,
    days=st.floats(-10, 900),
    noise=noises,
    scope=st.sampled_from(("", "work", "work/mail", "home")),
)
comparisons = st.builds(
    chose,
    st.sampled_from(("one two", "- a\n- b", "many " * 30)),
    st.sampled_from(("three", "- c", "much " * 40)),
    key=st.uuids().map(str),
    days=st.floats(0, 400),
    weight=st.floats(0.1, 1),
)
histories = st.lists(observations | comparisons, max_size=12, unique_by=lambda e: e.id)


@given(histories, st.randoms(use_true_random=False), st.sampled_from(("", "work", "work/mail")))
def test_any_order_gives_the_same_bits(
    evidence: list[Evidence], rng: random.Random, scope: str
) -> None:
    shuffled = evidence[:]
    rng.shuffle(shuffled)
    assert FOLD.infer(SPACE, shuffled, AT, scope) == FOLD.infer(SPACE, evidence, AT, scope)


@given(histories)
def test_a_duplicate_counts_once(evidence: list[Evidence]) -> None:
    assert beliefs(evidence + evidence[:3]) == beliefs(evidence)


@given(histories)
def test_beliefs_are_in_range_and_have_sources(evidence: list[Evidence]) -> None:
    for belief in beliefs(evidence).values():
        assert -1.0 <= belief.mean <= 1.0
        assert 0.0 < belief.std <= 1.0
        assert belief.weight >= 0.0
        assert belief.sources
        assert set(belief.sources) <= {e.id for e in evidence}


@given(histories)
def test_nothing_moves_a_universal_value_below_zero(evidence: list[Evidence]) -> None:
    belief = beliefs(evidence).get("harmless")
    assert belief is None or belief.mean >= 0.0


@given(values, noises, noises)
def test_doubt_shrinks_with_evidence(value: float, one: float, other: float) -> None:
    first = said("length", value, noise=max(one, 0.06), key="a")
    second = said("length", value, noise=max(other, 0.06), key="b")
    assert beliefs([first, second])["length"].std < beliefs([first])["length"].std < 1.0


def test_tightening_is_heard_and_loosening_is_not() -> None:
    assert beliefs([said("harmless", 0.8)])["harmless"].mean > 0.5
    assert beliefs([said("harmless", -0.9)])["harmless"].weight == 0.0
    tight = [said("harmless", 0.8)]
    loosened = beliefs([*tight, said("harmless", -1.0, noise=0.01)])
    assert positions(loosened) == beliefs(tight)
    assert "holds for everyone" in loosened["harmless"].reasons[0]


def test_the_posterior_is_the_textbook_one() -> None:
    belief = beliefs([said("length", -0.8, noise=0.5)])["length"]
    assert belief.mean == pytest.approx(-0.8 * 4 / 5)
    assert belief.std == pytest.approx((1 / 5) ** 0.5)


def test_newer_evidence_moves_a_belief_and_old_evidence_fades() -> None:
    old = said("length", 0.8, days=500)
    assert abs(beliefs([old])["length"].mean) < abs(beliefs([replace(old, at=AT)])["length"].mean)
    assert beliefs([old, said("length", -0.8)])["length"].mean < 0


def test_the_past_does_not_know_the_future() -> None:
    early, late = said("length", -0.8, days=10), said("length", 0.9, days=1)
    then = AT - timedelta(days=5)
    assert beliefs([early, late], at=then) == beliefs([early], at=then)


def test_a_correction_replaces_what_came_before() -> None:
    before = [said("length", 0.9, days=i, key=str(i)) for i in range(1, 30)]
    correction = said("length", -0.5, noise=CORRECTION)
    corrected = beliefs([*before, correction])
    assert positions(corrected) == beliefs([correction])
    assert corrected["length"].since == AT
    assert "replaces 29 earlier observations" in corrected["length"].reasons[0]
    assert beliefs([*before, correction])["length"].mean == pytest.approx(-0.5, abs=0.01)


def test_a_change_of_mind_outweighs_what_was_said_before() -> None:
    before, after = said("lists", 0.8, days=90), said("lists", -0.8)
    assert FOLD.infer(SPACE, [before, after], AT, "")[0].mean < -0.5
    assert FOLD.infer(SPACE, [before], AT, "")[0].mean > 0.5
    at_work = replace(after, scope="work")
    assert FOLD.infer(SPACE, [before, at_work], AT, "work")[0].mean < -0.5
    assert FOLD.infer(SPACE, [before, at_work], AT, "")[0].mean > 0.5
    generally = replace(before, scope="work"), after
    assert FOLD.infer(SPACE, generally, AT, "work")[0].mean > 0.0  # what is narrower stands
    for who in (replace(after, by="ai"), replace(after, kind=EvidenceKind.BEHAVIOUR)):
        assert abs(FOLD.infer(SPACE, [before, who], AT, "")[0].mean) < 0.5


def test_a_general_correction_leaves_what_was_said_of_one_part_of_life() -> None:
    work = said("length", 0.9, days=3, noise=0.05, scope="work")
    everywhere = said("length", -0.5, noise=CORRECTION)
    assert beliefs([work, everywhere], "work")["length"].mean > 0.3
    assert beliefs([work, everywhere])["length"].mean < -0.4


def test_scopes_back_off_to_wider_ones_and_never_sideways() -> None:
    work, home = said("length", -0.8, scope="work"), said("length", 0.8, scope="home")
    assert beliefs([work, home], "work")["length"].mean < -0.5
    assert beliefs([work, home], "home")["length"].mean > 0.5
    assert beliefs([work, home]) == {}
    mail = beliefs([work], "work/mail")["length"]
    assert beliefs([work], "work")["length"].mean < mail.mean < 0
    assert "length" not in beliefs([work], "workshop")
    assert [weigh(said("length", 1, scope=s), AT, "a/b") for s in ("a/b", "a", "", "a/b/c")] == [
        1.0,
        0.5,
        0.25,
        0.0,
    ]


def test_what_a_model_said_counts_half() -> None:
    person = said("length", 0.8)
    assert weigh(replace(person, by="ai"), AT, "") == 0.5
    assert (
        abs(beliefs([replace(person, by="ai")])["length"].mean) < beliefs([person])["length"].mean
    )


def test_topics_stand_beside_dimensions() -> None:
    found = beliefs([said("topic:tea", 0.9), said("length", 0.5), said("topic:ants", -0.9)])
    assert list(found) == ["length", "topic:ants", "topic:tea"]
    assert found["topic:ants"].mean < 0 < found["topic:tea"].mean


def test_choices_show_what_is_measured() -> None:
    pairs = [chose("- a\n- b", "word " * 60, key=str(i)) for i in range(6)]
    found = beliefs(pairs)
    assert found["length"].mean < -0.2
    assert found["lists"].mean > 0.2
    assert "theory" not in found
    assert set(found["length"].sources) == {str(i) for i in range(6)}
    assert found["length"].std < 0.95


def test_choosing_the_middle_teaches_the_middle() -> None:
    middle, short, long = "word " * 10, "a", "word " * 90
    pairs = [chose(middle, other, key=f"{i}{other}") for i in range(20) for other in (short, long)]
    belief = beliefs(pairs)["length"]
    assert abs(belief.mean) < 0.25
    assert belief.std < 0.4


def test_without_a_measure_comparisons_say_nothing_here() -> None:
    assert BayesFold().infer(SPACE, [chose("a", "b " * 50, key="1")], AT, "") == []


def test_sources_are_strongest_first() -> None:
    weak, strong = said("length", 0.5, noise=1.0, key="a"), said("length", 0.5, noise=0.2, key="b")
    assert beliefs([weak, strong])["length"].sources == ("b", "a")


graded_texts = st.builds(
    lambda text, value, key, days: Evidence(
        id=key,
        user=UserId("u"),
        kind=EvidenceKind.BEHAVIOUR,
        at=AT - timedelta(days=days),
        graded=Graded(prompt="", text=text, value=value),
    ),
    st.sampled_from(("one two", "- a\n- b", "many " * 30)),
    st.floats(0, 1),
    st.uuids().map(str),
    st.floats(0, 400),
)


@given(
    st.lists(observations | comparisons | graded_texts, max_size=16, unique_by=lambda e: e.id),
    st.randoms(use_true_random=False),
)
def test_grades_fold_in_any_order_too(evidence: list[Evidence], rng: random.Random) -> None:
    shuffled = evidence + evidence[:2]
    rng.shuffle(shuffled)
    assert FOLD.infer(SPACE, shuffled, AT, "") == FOLD.infer(SPACE, evidence, AT, "")


@pytest.mark.parametrize("origin", ["model", "tool", "document", "other"])
def test_words_that_are_not_the_persons_move_nothing(origin: Origin) -> None:
    own = said("length", 0.8, days=1)
    foreign = [
        replace(said("length", -1.0, noise=0.01), origin=origin),
        replace(chose("one", "many " * 30, key="p"), origin=origin),
    ]
    assert beliefs([own, *foreign]) == beliefs([own])
    assert beliefs(foreign) == {}


def test_what_was_learned_later_was_not_believed_before() -> None:
    late = replace(said("length", 0.8, days=30), learned=AT - timedelta(days=2))
    assert beliefs([late])["length"].mean > 0.5
    assert beliefs([late], at=AT - timedelta(days=3)) == {}
    assert beliefs([late], at=AT - timedelta(days=1))


def test_each_dimension_may_fade_at_its_own_rate() -> None:
    told = [said("length", 0.8, days=100), said("theory", 0.8, days=100)]
    slow = {p.dimension: p for p in FOLD.infer(SPACE, told, AT, "")}
    fold = BayesFold(half_life_days={"length": 10.0})
    found = {p.dimension: p for p in fold.infer(SPACE, told, AT, "")}
    assert found["length"].mean < 0.05
    assert found["theory"] == slow["theory"]
    assert BayesFold(half_life_days=10.0).infer(SPACE, told[:1], AT, "")[0].mean == pytest.approx(
        found["length"].mean
    )


def test_a_belief_is_no_less_sure_for_a_scope_of_which_nothing_is_known() -> None:
    general = said("length", 0.8)
    one, three = (beliefs([general], s)["length"] for s in ("work", "work/mail/with:clients"))
    assert (one.mean, one.std) == (three.mean, three.std)
    assert one.std > beliefs([general])["length"].std  # it may be otherwise there


def test_at_work_with_clients_sees_work_clients_and_everywhere() -> None:
    scopes = {"a": "work", "b": "with:clients", "c": "", "d": "with:family", "e": "home"}
    told = [said(f"topic:{name}", 0.8, scope=scope) for name, scope in scopes.items()]
    found = beliefs(told, "work/with:clients")
    assert sorted(found) == ["topic:a", "topic:b", "topic:c"]
    assert found["topic:a"].mean == found["topic:b"].mean


def test_less_of_what_holds_for_everyone_is_answered_with_a_reason() -> None:
    told = [said("harmless", -0.9), said("length", 0.5)]
    found = beliefs(told)["harmless"]
    assert (found.mean, found.std, found.weight) == (0.0, 1.0, 0.0)
    assert found.sources == (told[0].id,)
    assert "holds for everyone" in found.reasons[0]
    assert "holds for everyone" in beliefs([*told, said("harmless", 0.5)])["harmless"].reasons[0]
