"""Relevance: exact, bounded, and nothing for what has nothing to do with the prompt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.recall import (
    HELP,
    STATED,
    Entry,
    Index,
    pack_vector,
    select,
    stems,
    unpack_vectors,
)
from befit.memory.wording import Asked

AT = datetime(2026, 3, 1, tzinfo=UTC)


def entries(texts: Sequence[str], noise: float = 0.3) -> list[Entry]:
    return [
        Entry(
            key=n,
            evidence=Evidence(
                id=f"{n:03}",
                user=UserId("u"),
                kind=EvidenceKind.STATED,
                at=AT,
                text=text,
                noise=noise,
            ),
        )
        for n, text in enumerate(texts)
    ]


def picked(texts: Sequence[str], prompt: str, budget: int = 1000) -> list[str]:
    found = entries(texts)
    return [e.text for e in select(Index(found), np.ones(len(found)), Asked(prompt), budget)]


def test_endings_do_not_hide_a_word() -> None:
    assert stems("flights") == stems("flight")
    assert stems("cooking") == stems("cook")
    assert stems("cities") == stems("city")
    assert not stems("I would like to have some of that")


def test_rare_words_and_short_texts_win() -> None:
    texts = ["tea and cake", "tea and trains", "tea " + "and other things entirely " * 20]
    assert picked(texts, "trains for tea")[0] == "tea and trains"
    assert picked(texts, "tea")[-1] == texts[2]
    assert picked(texts, "mountains") == []


words = st.lists(st.sampled_from("tea cake train boat hill".split()), max_size=6).map(" ".join)  # noqa: SIM905


@given(st.lists(words, max_size=8), words, st.integers(0, 30))
def test_what_is_picked_shares_a_word_and_fits(texts: list[str], prompt: str, budget: int) -> None:
    found = picked(texts, prompt, budget)
    assert sum(len(text) // 4 + 1 for text in found) <= budget
    for text in found:
        assert set(text.split()) & set(prompt.split())
    if budget == 30:
        assert set(picked(texts, prompt, 10**6)) == {
            text for text in texts if set(text.split()) & set(prompt.split())
        }


def test_weights_and_certainty_decide_between_equals() -> None:
    sure, vague = entries(["tea one"], noise=0.1)[0], entries(["", "tea two"], noise=2.0)[1]
    assert select(Index([vague, sure]), np.ones(2), Asked("tea"), 99)[0] is sure.evidence
    assert select(Index([vague, sure]), np.array([1.0, 0.0]), Asked("tea"), 99) == (vague.evidence,)


@given(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8).filter(any))
def test_a_packed_vector_points_the_same_way(values: list[float]) -> None:
    vector = np.array(values, dtype=np.float32)
    vector /= max(float(np.linalg.norm(vector)), 1e-30)
    (again,) = unpack_vectors([pack_vector(vector)])
    if np.linalg.norm(vector) > 0.99:
        assert float(again @ vector) > 0.995


def test_packed_recall_is_nearly_exact() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(1000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    packed = unpack_vectors([pack_vector(v) for v in vectors])
    hits = 0
    for _ in range(50):
        query = rng.normal(size=384).astype(np.float32)
        exact = set(np.argsort(vectors @ query)[-5:].tolist())
        hits += len(exact & set(np.argsort(packed @ query)[-5:].tolist()))
    assert hits / 250 == pytest.approx(1.0, abs=0.03)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_has_the_words_that_any_text_has(text: str) -> None:
    assert stems(text) == stems(f"{text} é")[:-1]


@pytest.mark.parametrize("count", [3, 64, 65, 400])
def test_words_are_weighed_as_the_formula_says_however_many_excerpts(count: int) -> None:
    rng = np.random.default_rng(count)
    said = [" ".join(rng.choice(["tea", "cake", "train", "boat"], 6)) for _ in range(count)]
    found = Index(entries(said)).relevance(Asked("boat and train"))
    told = [stems(each) for each in said]
    rarity = {}
    for term in stems("boat and train"):
        among = sum(term in each for each in told)
        rarity[term] = log(1.0 + (count - among + 0.5) / (among + 0.5))
    for row, own in enumerate(told):
        score = sum(r * own.count(t) * 2.2 / (own.count(t) + 1.2) for t, r in rarity.items())
        share = score / (2.2 * sum(rarity.values()))
        stated = STATED * (1.0 - 0.09 / 1.6)
        assert found[row] == pytest.approx(HELP.words * share + stated if share else 0.0)


def vectors(*angles: float) -> list[np.ndarray]:
    return [np.array([np.cos(a), np.sin(a)], dtype=np.float32) for a in angles]


def said(text: str, minutes: int, angle: float, **fields: object) -> Entry:
    e = Evidence(
        id=text,
        user=UserId("u"),
        kind=EvidenceKind.AUTHORED,
        at=AT + timedelta(minutes=minutes),
        text=text,
        noise=1.0,
    )
    e = replace(e, **fields)  # type: ignore[arg-type]
    return Entry(key=minutes, evidence=e, vector=pack_vector(vectors(angle)[0]), encoder="two")


def order(found: Sequence[Entry], asked: Asked) -> list[str]:
    chosen = select(Index(found, "two"), np.ones(len(found)), asked, 999)
    return [each.text for each in chosen]


def toward(of_fact: bool) -> Asked:
    (vector,) = vectors(0.0)
    return Asked("no word of theirs", vector, vector, of_fact)


def test_a_request_wants_what_is_preferred_and_a_question_of_fact_what_is_near() -> None:
    stated = said("Trains beat planes.", 0, 1.2, kind=EvidenceKind.STATED, noise=0.1)
    near = said("The timetable has changed.", 200, 1.1)
    assert order([stated, near], toward(False)) == [stated.evidence.text, near.evidence.text]
    assert order([stated, near], toward(True)) == [near.evidence.text, stated.evidence.text]


def test_to_a_request_what_they_say_of_themselves_counts_more_than_what_they_ask() -> None:
    own = said("I go there by boat every week.", 0, 1.2)
    question = said("Where do I find boats?", 200, 1.1)
    assert order([own, question], toward(False)) == [own.evidence.text, question.evidence.text]
    assert order([own, question], toward(True)) == [question.evidence.text, own.evidence.text]


def test_what_stands_beside_the_answer_to_a_question_of_fact_comes_before_what_stands_alone() -> (
    None
):
    beside = said("Yes, it was lovely.", 1, 1.3)
    alone = said("Yes, so it was.", 600, 1.25)
    answer = said("We met at the lake.", 2, 0.2)
    assert order([beside, answer, alone], toward(True)) == [
        answer.evidence.text, beside.evidence.text, alone.evidence.text,
    ]  # fmt: skip


def test_others_words_are_neither_recalled_nor_lift_what_stands_beside_them() -> None:
    planted = said("We met at the lake.", 2, 0.0, origin="tool")
    beside = said("Yes, it was lovely.", 1, 1.3)
    alone = said("Yes, so it was.", 600, 1.25)
    assert order([beside, planted, alone], toward(True)) == [
        alone.evidence.text, beside.evidence.text,
    ]  # fmt: skip


def test_what_is_off_the_topic_is_left_out_though_requests_are_all_alike() -> None:
    vector, topic = vectors(0.6, np.pi / 2)
    asked = Asked("no word of theirs", vector, topic)
    found = [said("I sail.", 0, 0.0), said("I sing.", 1, np.pi / 2)]
    assert order(found, asked) == ["I sing."]
