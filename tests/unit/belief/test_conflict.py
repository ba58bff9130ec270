"""What speaks against each other: who wins, what is said of it, and what is asked."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from befit.belief.fold import CORRECTION, BayesFold
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Preference, PreferenceSpace

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPACE = PreferenceSpace("test", "1", (Dimension("length", "short answers", "long answers"),))
BEHAVED = EvidenceKind.BEHAVIOUR


def said(
    value: float,
    *,
    days: float = 0.0,
    scope: str = "",
    kind: EvidenceKind = EvidenceKind.STATED,
    name: str = "length",
    noise: float = 0.3,
    key: str = "",
) -> Evidence:
    return Evidence(
        id=key or f"{value}{days}{scope}{kind}{name}",
        user=UserId("u"),
        kind=kind,
        at=AT - timedelta(days=days),
        values={name: value},
        noise=noise,
        scope=scope,
    )


def belief(*evidence: Evidence, scope: str = "", at: datetime = AT) -> Preference:
    (found,) = BayesFold().infer(SPACE, evidence, at, scope)
    return found


def test_agreement_needs_no_reason() -> None:
    found = belief(said(0.8, days=9), said(0.6), said(0.5, kind=BEHAVED))
    assert (found.reasons, found.since, found.question) == ((), None, "")


def test_the_newer_statement_holds_and_says_since_when() -> None:
    found = belief(said(0.8, days=9), said(-0.8, days=2))
    assert found.mean < -0.5
    assert found.since == AT - timedelta(days=2)
    assert "the newer holds" in found.reasons[0]
    assert found.question == ""


def test_words_count_over_deeds() -> None:
    words, deeds = said(0.8, days=5), said(-0.8, kind=BEHAVED)
    assert belief(words, deeds).mean > 0.0
    assert any("less than what you said" in reason for reason in belief(words, deeds).reasons)


def test_the_narrower_scope_holds_there_even_where_it_is_older() -> None:
    work, general = said(0.8, days=9, scope="work"), said(-0.8)
    found = belief(work, general, scope="work")
    assert found.mean > 0.5
    assert any("work counts over" in reason for reason in found.reasons)
    assert belief(work, general).mean < -0.5


def test_an_audience_is_a_scope_that_backs_off() -> None:
    family, general = said(0.8, scope="with:family"), said(-0.8, days=3)
    for scope in ("with:family", "home/with:family"):
        assert belief(family, general, scope=scope).mean > 0.3
    assert belief(family, general, scope="home").mean < -0.3


def test_what_nothing_decides_is_asked() -> None:
    found = belief(said(0.8), said(-0.8))
    assert abs(found.mean) < 0.05
    assert "short answers" in found.question.casefold()
    assert "long answers" in found.question
    hours = belief(said(0.8, days=0.2), said(-0.8))
    assert hours.mean < -0.3  # the later word holds meanwhile
    assert hours.question
    topic = belief(said(0.8, name="topic:tea"), said(-0.8, name="topic:tea"))
    assert "like tea" in topic.question


def test_an_answer_ends_the_question() -> None:
    tied = [said(0.8, days=3), said(-0.8, days=3)]
    assert belief(*tied).question
    assert belief(*tied, said(-0.7)).question == ""
    assert belief(*tied, said(0.5, noise=CORRECTION)).question == ""


def test_different_days_scopes_or_precision_are_no_question() -> None:
    for other in (
        said(-0.8, days=2),
        said(-0.8, scope="work"),
        said(-0.8, days=0.2, noise=0.5),
    ):
        assert belief(said(0.8), other, scope="work").question == ""
    assert belief(said(0.8), said(-0.8, noise=0.5)).question  # said in one breath


def test_a_change_in_what_is_inferred_opens_a_new_version() -> None:
    rng = random.Random(1)
    stream = [
        said(
            max(-1.0, min(1.0, rng.gauss(0.6 if i < 40 else -0.6, 0.3))),
            days=80 - i,
            kind=EvidenceKind.AUTHORED,
            noise=0.4,
            key=f"{i:03}",
        )
        for i in range(80)
    ]
    found = belief(*stream)
    averaged = BayesFold(false_alarms=0.0).infer(SPACE, stream, AT, "")[0]
    assert abs(averaged.mean) < 0.2
    assert found.mean < -0.5
    assert found.since is not None
    assert abs((found.since - (AT - timedelta(days=40))).days) <= 4
    assert "You changed about" in found.reasons[0]
    before = belief(*stream, at=AT - timedelta(days=42))
    assert before.mean > 0.5
    assert before.since is None


def test_a_change_of_what_was_done_leaves_a_correction_standing() -> None:
    rng = random.Random(1)
    stream = [
        said(0.6 if i < 40 else -0.6, days=80 - i, kind=BEHAVED, noise=0.4, key=f"{i:03}")
        for i in range(80)
    ]
    rng.shuffle(stream)
    assert belief(*stream).mean < -0.5
    pinned = replace(said(0.9, days=1), noise=0.02)
    assert belief(*stream, pinned).mean > 0.5


def test_somebody_who_keeps_changing_their_mind_gets_the_newest_reasons() -> None:
    wavering = [said(0.8 if i % 2 else -0.8, days=40 - i, key=f"{i:02}") for i in range(40)]
    found = belief(*wavering)
    assert found.mean > 0.5
    assert len(found.reasons) == 5
    assert f"{AT - timedelta(days=1):%Y-%m-%d}" in found.reasons[-1]
