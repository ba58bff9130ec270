"""The boundary: nothing that a guard forbids reaches a person, whole or streamed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.artifact import Artifact
from befit.core.dialogue import Conditioning, Context, Draft, Message, Passage, Response, Verdict
from befit.core.errors import ConfigError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Dimension, Evidence, Preference, PreferenceSpace, Profile
from befit.values.boundary import REFUSAL, Boundary

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = Context(user=UserId("ana"), messages=(Message("user", "hello"),), at=NOW)
SPACE = PreferenceSpace(
    "s", "1", (Dimension("length", "short", "long"), Dimension("harmless", "", "", universal=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbids:
    """Forbids a word; with full caution, also the word "mild"."""

    word: str = "poison"
    name: str = "forbids"
    values: tuple[str, ...] = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        stricter = caution >= 1.0 and "mild" in text
        return Verdict(guard=self.name, allowed=self.word not in text and not stricter)

    def inspect(self, text: str) -> Verdict:
        return Verdict(guard=self.name, allowed=self.word not in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaks:
    name: str = "breaks"
    values: tuple[str, ...] = ("harmless",)

    def check(self, context: Context, text: str, caution: float) -> Verdict:
        raise ValueError("no weights")


def fine(artifact: Artifact, folder: Path) -> Verdict:
    return Verdict(guard="probe", allowed=True)


BOUNDARY = Boundary(guards=(Forbids(),), screens=(Forbids(),), probe=fine)


def draft(text: str) -> Draft:
    return Draft(text=text, policy="test")


async def pieces_of(texts: Sequence[str]) -> AsyncIterator[str]:
    for text in texts:
        yield text


def stream(texts: Sequence[str], boundary: Boundary = BOUNDARY) -> list[Passage | Response]:
    async def run() -> list[Passage | Response]:
        said = boundary.admit_stream(CONTEXT, Conditioning(), pieces_of(texts))
        return [item async for item in said]

    return asyncio.run(run())


def test_a_boundary_without_a_guard_or_a_screen_cannot_be_built() -> None:
    with pytest.raises(ConfigError, match="guards"):
        Boundary(guards=(), screens=(Forbids(),), probe=fine)
    with pytest.raises(ConfigError, match="screens"):
        Boundary(guards=(Forbids(),), screens=(), probe=fine)


@given(st.lists(st.sampled_from(["fine", "poison", "well", "a poison pill"]), max_size=6))
def test_no_draft_that_a_guard_forbids_is_ever_a_response(texts: list[str]) -> None:
    response = BOUNDARY.admit(CONTEXT, Conditioning(), [draft(t) for t in texts])
    assert "poison" not in response.text
    allowed = [t for t in texts if "poison" not in t]
    assert response.text == (allowed[0] if allowed else REFUSAL.text)
    assert (response.finish == "content_filter") == (not allowed)


def test_a_guard_that_raises_forbids() -> None:
    shut = Boundary(guards=(Breaks(),), screens=(Forbids(),), probe=fine)
    response = shut.admit(CONTEXT, Conditioning(), [draft("fine")])
    assert response.finish == "content_filter"
    assert "no weights" in response.verdicts[0].reason


@given(st.text(alphabet="ab. \n!pois", max_size=200), st.integers(1, 7))
def test_a_stream_releases_every_character_in_order(text: str, size: int) -> None:
    items = stream([text[i : i + size] for i in range(0, len(text), size)])
    if "poison" in text:
        return
    passages = [item.text for item in items if isinstance(item, Passage)]
    assert "".join(passages) == text
    assert isinstance(items[-1], Response)
    assert items[-1].text == text


def test_a_forbidden_continuation_ends_the_stream_with_the_refusal() -> None:
    items = stream(["One. ", "Tw", "o. Take the poi", "son now. ", "Three. "])
    said = "".join(item.text for item in items if isinstance(item, Passage))
    assert said == f"One. Two. {REFUSAL.text}"
    last = items[-1]
    assert isinstance(last, Response)
    assert last.finish == "content_filter"
    assert last.text == said


def test_a_run_on_text_is_not_held_back_without_bound() -> None:
    items = stream(["word " * 400])
    assert max(len(item.text) for item in items if isinstance(item, Passage)) <= 400


def belief(dimension: str, mean: float) -> Preference:
    return Preference(dimension=dimension, mean=mean, std=0.1)


def screened(*preferences: Preference, evidence: tuple[Evidence, ...] = ()) -> Profile:
    profile = Profile(user=UserId("ana"), space=SPACE, preferences=preferences, evidence=evidence)
    return BOUNDARY.screen(CONTEXT, profile)


def test_gate_one_turns_universal_beliefs_into_caution_and_never_into_leniency() -> None:
    assert screened(belief("harmless", 0.7)).caution == {"harmless": 0.7}
    assert screened(belief("harmless", -0.9)).caution == {}
    assert screened(belief("harmless", 0.7), belief("length", 0.5)).preferences == (
        belief("length", 0.5),
    )


def test_gate_one_drops_excerpts_and_topics_that_a_screen_forbids() -> None:
    def words(id_: str, text: str) -> Evidence:
        return Evidence(id=id_, user=UserId("ana"), kind=EvidenceKind.STATED, at=NOW, text=text)

    profile = screened(
        belief("topic:poison", 0.9),
        belief("topic:tea", 0.9),
        evidence=(words("1", "I like tea"), words("2", "poison them")),
    )
    assert [e.id for e in profile.evidence] == ["1"]
    assert [p.dimension for p in profile.preferences] == ["topic:tea"]


def test_caution_reaches_the_guards_of_its_value() -> None:
    strict = Conditioning(caution={"harmless": 1.0})
    other = Conditioning(caution={"honest": 1.0})
    assert BOUNDARY.admit(CONTEXT, strict, [draft("mild")]).finish == "content_filter"
    assert BOUNDARY.admit(CONTEXT, other, [draft("mild")]).text == "mild"
