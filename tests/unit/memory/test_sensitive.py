"""Special categories: what reveals them of the writer, and what only mentions them."""

from datetime import UTC, datetime

import pytest

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Pair
from befit.memory.sensitive import categories, revealed
from befit.memory.spaces import CATEGORIES, marked, sensitive

REVEALING = [
    ("health", "I was diagnosed with lupus last year"),
    ("health", "My insulin makes breakfast complicated"),
    ("health", "I\u2019m allergic to nuts"),
    ("health", "As a blind user, describe pictures"),
    ("belief", "I am a practicing Muslim, so no pork please"),
    ("belief", "we pray at my church on Sundays"),
    ("belief", "I'm not religious"),
    ("politics", "I voted for the Greens"),
    ("politics", "I'm a socialist"),
    ("origin", "As a Black woman I look for role models"),
    ("origin", "My ethnicity matters to me"),
    ("union", "I am a union rep at the plant"),
    ("sexuality", "I'm gay and planning a wedding"),
    ("sexuality", "I came out two years ago"),
    ("genetics", "My DNA test says otherwise"),
]
PLAIN = [
    "",
    "Keep it short, please.",
    "I love black coffee and white bread",
    "Recommend a Buddhist temple in Kyoto",
    "Explain how insulin works",
    "Who was the first socialist president of France?",
    "I dislike long introductions",
    "My garden needs advice on roses",
    "The union of two sets",
    "\U0001f600\U0001f600",
]


@pytest.mark.parametrize(("category", "text"), REVEALING)
def test_what_reveals_is_found(category: str, text: str) -> None:
    assert category in categories(text)
    assert category in CATEGORIES


@pytest.mark.parametrize("text", PLAIN)
def test_what_does_not_reveal_is_left(text: str) -> None:
    assert categories(text) == frozenset()


def test_evidence_is_read_whole() -> None:
    def made(text: str = "", prompt: str = "", topic: str = "") -> Evidence:
        return Evidence(
            id="1",
            user=UserId("ada"),
            kind=EvidenceKind.STATED,
            at=datetime(2026, 3, 1, tzinfo=UTC),
            text=text,
            values={f"topic:{topic}": 0.5} if topic else {},
            pair=Pair(prompt=prompt, chosen="", rejected="") if prompt else None,
        )

    assert revealed(made(text="I'm gay")) == {"sexuality"}
    assert revealed(made(prompt="I have diabetes, what can I eat?")) == {"health"}
    assert revealed(made(topic="church")) == {"belief"}
    assert revealed(made(text="short, please", prompt="a soup", topic="soup")) == frozenset()


def test_a_long_text_is_read_in_time() -> None:
    assert categories("i am a " * 50_000 + "muslim") == {"belief"}
    assert categories("my " * 100_000) == frozenset()


def test_a_value_on_a_marked_dimension_reveals_its_category() -> None:
    def placed(**values: float) -> frozenset[str]:
        return revealed(
            Evidence(
                id="1",
                user=UserId("ada"),
                kind=EvidenceKind.BEHAVIOUR,
                at=datetime(2026, 3, 1, tzinfo=UTC),
                values=values,
            )
        )

    assert placed(religion=0.4) == {"belief"}
    assert placed(mental_balance=-0.1, union_work=0.2) == {"health", "union"}
    assert placed(gardening=0.9, length=-1.0) == frozenset()
    assert marked().keys() >= sensitive("whole")
    assert set(marked().values()) <= set(CATEGORIES)
