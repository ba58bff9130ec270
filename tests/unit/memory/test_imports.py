"""Imports: what the person said comes over, what a model said does not, and faults are named."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.errors import InvalidImportError
from befit.core.people import EvidenceKind, UserId
from befit.memory.codec import check_evidence
from befit.memory.imports import LONGEST, in_first_person, read_chatgpt, read_mem0

ADA = UserId("ada")
AT = datetime(2026, 3, 1, tzinfo=UTC)


def _read(text: str) -> Mapping[str, float]:
    return {"topic:tea": 0.8} if text == "I like tea" else {}


MEM0 = {
    "results": [
        {"id": "a1", "memory": "Likes tea", "created_at": "2024-07-20T01:30:36.275141-07:00"},
        {"id": "a2", "memory": "User is a baker", "updated_at": "2024-07-21T00:00:00"},
        {"id": "a3", "memory": "Old", "event": "DELETE"},
        {"id": "a4", "memory": "No time", "created_at": None},
        {"id": "a5", "memory": "  "},
    ]
}


def _message(role: str, parts: list[Any], at: float | None = 1.7e9, **content: Any) -> Any:
    body = {"content_type": "text", "parts": parts, **content}
    return {"id": f"{role}{len(str(parts))}", "author": {"role": role}, "create_time": at} | {
        "content": body
    }


TALKS = [
    {
        "title": "Tea",
        "create_time": 1.6e9,
        "mapping": {
            "root": {"message": None},
            "1": {"message": _message("user", ["How do I make tea?", {"asset": "x"}])},
            "2": {"message": _message("assistant", ["You like tea."])},
            "3": {"message": _message("user", ["more"], None)},
            "4": {"message": _message("system", [""])},
            "5": {
                "message": _message(
                    "user",
                    [],
                    content_type="user_editable_context",
                    user_profile="I bake bread.",
                    user_instructions="Keep it short.",
                )
            },
            "6": {"message": _message("user", ["code"], content_type="code")},
        },
    }
]


def test_mem0_comes_over() -> None:
    found = read_mem0(MEM0, ADA, AT, _read)
    assert [e.text for e in found.evidence] == ["Likes tea", "User is a baker", "No time"]
    assert found.undated == 1
    tea, baker, timeless = found.evidence
    assert tea.values == {"topic:tea": 0.8}
    assert tea.at == datetime(2024, 7, 20, 8, 30, 36, 275141, tzinfo=UTC)
    assert baker.at == datetime(2024, 7, 21, tzinfo=UTC)
    assert timeless.at == AT
    assert {e.learned for e in found.evidence} == {AT}
    assert read_mem0(MEM0["results"], ADA, AT, _read) == found
    assert not {e.id for e in read_mem0(MEM0, UserId("bob"), AT, _read).evidence} & {tea.id}


def test_chatgpt_conversations_come_over_on_the_persons_side() -> None:
    found = read_chatgpt(TALKS, ADA, AT, _read)
    assert [(e.kind, e.text) for e in found.evidence] == [
        (EvidenceKind.AUTHORED, "How do I make tea?"),
        (EvidenceKind.AUTHORED, "more"),
        (EvidenceKind.STATED, "I bake bread."),
        (EvidenceKind.STATED, "Keep it short."),
    ]
    assert found.evidence[1].at == datetime.fromtimestamp(1.6e9, UTC)
    assert found.undated == 0


def test_chatgpt_memories_come_over() -> None:
    listed = ["Likes tea", {"content": "Has a dog", "created_at": "2025-01-01T00:00:00Z"}]
    found = read_chatgpt({"memories": listed}, ADA, AT, _read)
    assert [e.text for e in found.evidence] == ["Likes tea", "Has a dog"]
    assert found.evidence[0].values == {"topic:tea": 0.8}
    assert found == read_chatgpt(listed, ADA, AT, _read)


def test_a_long_text_is_cut_and_the_future_is_now() -> None:
    found = read_mem0([{"memory": "x" * 5_000_000, "created_at": "2999-01-01"}], ADA, AT, _read)
    assert len(found.evidence[0].text) == LONGEST
    assert found.shortened == 1
    assert found.evidence[0].at == AT


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("Likes tea", "I like tea"),
        ("User prefers short answers", "I prefer short answers"),
        ("The user doesn't eat meat", "I don't eat meat"),
        ("Name is Alex", "Name is Alex"),
        ("I like tea", "I like tea"),
        ("Likes", "Likes"),
        ("", ""),
    ],
)
def test_notes_are_read_in_the_first_person(note: str, said: str) -> None:
    assert in_first_person(note) == said


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (None, "file"),
        ({}, "file"),
        ([1], "memory[0]"),
        ([{"memory": 1}], "memory[0].memory"),
        ([{"memory": "x", "created_at": "yesterday"}], "memory[0].created_at"),
        ([{"memory": "x", "created_at": True}], "memory[0].created_at"),
        ([{"memory": "x", "created_at": 1e300}], "memory[0].created_at"),
    ],
)
def test_a_fault_is_named(data: object, field: str) -> None:
    with pytest.raises(InvalidImportError) as caught:
        read_mem0(data, ADA, AT, _read)
    assert caught.value.field == field


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mapping", "message", "content", "parts", "author", "memory", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_refused(data: object) -> None:
    for reader in (read_mem0, read_chatgpt):
        try:
            found = reader(data, ADA, AT, _read)
        except InvalidImportError:
            continue
        for each in found.evidence:
            check_evidence(each)
