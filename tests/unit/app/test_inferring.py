"""From texts and ratings to evidence: errors are kept, the same file gives the same ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from befit.app.given import Opinion
from befit.app.inferring import authored, liked, population
from befit.belief.fold import BayesFold
from befit.core.errors import InputError, NotEnoughFeedbackError
from befit.core.people import EvidenceKind, UserId
from befit.memory.spaces import load_space

ANA, NOW = UserId("ana"), datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fixed:
    says: Mapping[str, tuple[float, float]]

    def project(self, text: str) -> Mapping[str, tuple[float, float]]:
        return self.says if "nothing" not in text else {}


READER = Fixed({"length": (0.5, 0.4), "warmth": (-0.2, 0.42), "thrift": (0.9, 1.5)})


def opinion(n: int, value: float, *topics: str, day: int = 0, who: str = "") -> Opinion:
    at = NOW + timedelta(days=day, seconds=n)
    return Opinion(who=who, item=f"i{n}", value=value, at=at, title=f"T{n}", topics=topics)


def test_a_text_is_kept_once_and_each_value_has_its_error() -> None:
    first, second = authored(READER, ANA, " I sew. ", NOW, scope="home")
    assert (first.text, first.values, first.noise) == (
        "I sew.",
        {"length": 0.5, "warmth": -0.2},
        0.42,
    )
    assert (second.text, second.values, second.noise) == ("", {"thrift": 0.9}, 1.5)
    assert second.source == first.id
    assert {e.kind for e in (first, second)} == {EvidenceKind.AUTHORED}
    assert {e.scope for e in (first, second)} == {"home"}
    assert authored(READER, ANA, "I sew.", NOW, scope="home") == (first, second)


def test_what_is_stated_outright_stands_alone_and_a_text_that_says_nothing_is_kept() -> None:
    first, *rest = authored(READER, ANA, "I sew.", NOW, values={"length": -1.0})
    assert (first.values, first.noise) == ({"length": -1.0}, 0.3)
    assert "length" not in {name for e in rest for name in e.values}
    (only,) = authored(READER, ANA, "nothing", NOW)
    assert only.values == {}
    for wrong in ("  ", "x" * 100_001, "\ud800"):
        with pytest.raises(InputError):
            authored(READER, ANA, wrong, NOW)


def test_ratings_become_beliefs_that_name_what_they_rest_on() -> None:
    given = [opinion(n, 5.0 if n % 2 else 1.0, "tea" if n % 2 else "war") for n in range(30)]
    found = liked(population(given, ""), ANA, given)
    values = {name: value for e in found for name, value in e.values.items()}
    assert values["topic:tea"] > 0.5 > -0.5 > values["topic:war"]
    assert all(e.text.startswith("Rated: T") and "and 10 more" in e.text for e in found)
    beliefs = BayesFold().infer(load_space("style"), found, NOW + timedelta(days=1), "")
    means = {b.dimension: (b.mean, b.sources) for b in beliefs}
    assert means["topic:tea"][0] > 0.3
    assert means["topic:tea"][1] == (found[0].id,)


def test_the_past_stays_when_the_file_grows() -> None:
    given = [opinion(n, 5.0 - n % 5, "tea" if n % 2 else "war") for n in range(25)]
    more = [*given, *(opinion(n, n % 5, "tea", day=9) for n in range(8))]
    model = population(given, "")
    before, after = liked(model, ANA, given), liked(model, ANA, more)
    assert after[: len(before)] == before
    assert {e.at.date() for e in after[len(before) :]} == {(NOW + timedelta(days=9)).date()}
    assert liked(model, ANA, more[::-1]) == after
    assert liked(model, ANA, []) == ()


def test_others_tell_what_is_popular() -> None:
    hit = [
        opinion(n, 4.0 + 0.5 * (n % 2), "hit", who=f"p{who}")
        for who in range(30)
        for n in range(12)
    ]
    dull = [
        opinion(n, 2.0 + 0.5 * (n % 2), "dull", who=f"p{who}")
        for who in range(30)
        for n in range(12, 24)
    ]
    mine = [
        opinion(n, 4.0 if n < 12 else 2.0, "hit" if n < 12 else "dull", who="me") for n in range(24)
    ]
    together = liked(population([*hit, *dull, *mine], "me"), ANA, mine)
    alone = liked(population(mine, "me"), ANA, mine)
    assert max(abs(v) for e in alone for v in e.values.values()) > 0.8
    assert max((abs(v) for e in together for v in e.values.values()), default=0.0) < 0.5
    with pytest.raises(NotEnoughFeedbackError):
        population(mine[:2], "me")
