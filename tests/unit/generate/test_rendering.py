import json
import sys
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from befit.core.dialogue import Conditioning, Message
from befit.generate import rendering
from befit.generate.rendering import (
    CLOSE,
    OPEN,
    QUOTES_CLOSE,
    QUOTES_OPEN,
    SHARED,
    beside,
    block,
    insert,
    render,
)

TURNS = (
    Message("system", "House rules."),
    Message("user", "Hello"),
    Message("assistant", "Hi"),
    Message("user", "Plan a trip."),
)
KNOWN = Conditioning(
    instructions=("Answer in few words.",), quotes=('I hate "long" flights',), beliefs=("length",)
)
MARKS = (OPEN, CLOSE, QUOTES_OPEN, QUOTES_CLOSE, "<|im_end|>", "[/INST]", '"', "\\", "\n", "</s>")
texts = st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=8)), max_size=8).map("".join)


def test_shared_text_comes_first_then_the_person_then_the_turns() -> None:
    rendered = render(TURNS, KNOWN)
    assert rendered[0] == TURNS[0]
    assert rendered[2:] == TURNS[1:]
    assert rendered[1] == Message("system", f"{SHARED}\n\n{block(KNOWN)}")
    assert block(KNOWN).splitlines() == [
        OPEN,
        "- Answer in few words.",
        rendering.DATA_NOT_INSTRUCTIONS,
        QUOTES_OPEN,
        '"I hate \\"long\\" flights"',
        QUOTES_CLOSE,
        CLOSE,
    ]


def test_one_system_joins_ours_to_theirs() -> None:
    rendered = render(TURNS, KNOWN, place="one_system")
    assert [message.role for message in rendered] == ["system", "user", "assistant", "user"]
    assert rendered[0].text == f"House rules.\n\n{SHARED}\n\n{block(KNOWN)}"
    assert render(TURNS[1:], KNOWN, place="one_system")[0].text.startswith(SHARED)


def test_a_model_that_reads_little_else_is_told_below_the_question() -> None:
    rendered = render(TURNS, KNOWN, place="turn")
    assert rendered[:3] == TURNS[:3]
    question, told = rendered[3].text.split("\n\n")
    assert question == TURNS[3].text
    assert told == beside(KNOWN)
    assert told.splitlines() == [
        "Answer in few words.",
        rendering.DATA_NOT_INSTRUCTIONS,
        QUOTES_OPEN,
        '"I hate \\"long\\" flights"',
        QUOTES_CLOSE,
    ]
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert insert(parts, KNOWN, place="turn") == insert(parts, KNOWN)
    assert render(TURNS, Conditioning(), place="turn") == TURNS


def test_only_what_stands_in_front_counts_as_shared_text() -> None:
    turns = (*TURNS, Message("system", "Be quick now."))
    rendered = render(turns, KNOWN)
    assert [message.role for message in rendered[:3]] == ["system", "system", "user"]
    assert rendered[-1] == turns[-1]


def test_examples_stand_before_the_last_user_turn() -> None:
    example = (Message("user", "Q"), Message("assistant", "A"))
    rendered = render(TURNS, Conditioning(examples=(example,)))
    assert rendered == (*TURNS[:3], *example, TURNS[3])


def test_raw_messages_keep_every_field() -> None:
    raw: list[dict[str, Any]] = [
        {"role": "developer", "content": [{"type": "text", "text": "Rules"}], "name": "app"},
        {"role": "user", "content": "Hi", "cache_control": {"type": "ephemeral"}},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]
    before = json.dumps(raw)
    inserted = insert(raw, KNOWN)
    assert json.dumps(raw) == before
    assert [inserted[0], *inserted[2:]] == raw
    assert inserted[1] == {"role": "developer", "content": f"{SHARED}\n\n{block(KNOWN)}"}
    assert insert(raw, KNOWN, place="one_system")[0] == raw[0]
    named = insert([{"role": "system", "content": "R", "name": "app"}], KNOWN, place="one_system")
    assert named[0]["name"] == "app"
    assert named[0]["content"].startswith("R\n\n")


def test_nothing_known_changes_nothing() -> None:
    assert render(TURNS, Conditioning()) == TURNS
    raw = [{"role": "user", "content": "Hi", "extra": 1}]
    assert insert(raw, Conditioning(objectives={"length": 1.0}, beliefs=("length",))) == raw
    assert block(Conditioning()) == ""
    assert render((), Conditioning()) == ()


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4))
def test_no_quote_and_no_instruction_can_leave_its_place(
    quotes: list[str], instructions: list[str]
) -> None:
    text = block(Conditioning(quotes=tuple(quotes), instructions=tuple(instructions)))
    lines = text.split("\n")
    if not (quotes or instructions):
        assert text == ""
        return
    assert lines[0] == OPEN
    assert lines[-1] == CLOSE
    expected = 2 + len(instructions) + (3 + len(quotes) if quotes else 0)
    assert len(lines) == len(text.splitlines()) == expected
    assert text.count(OPEN) == text.count(CLOSE) == 1
    assert text.count(QUOTES_OPEN) == text.count(QUOTES_CLOSE) == bool(quotes)
    assert "<|im_end|>" not in text
    assert "[/INST]" not in "\n".join(lines[1 + len(instructions) :])


@given(texts)
def test_a_quote_reads_back_as_what_was_said(text: str) -> None:
    line = block(Conditioning(quotes=(text,))).split("\n")[3]
    kept = "".join(c for c in text if c in "\t\n\u200c\u200d" or not invisible(c))
    assert json.loads(line) == kept


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_equal_conditionings_give_equal_bytes_and_the_prefix_is_shared(
    quotes: list[str], instructions: list[str]
) -> None:
    def make() -> Conditioning:
        return Conditioning(quotes=tuple(quotes), instructions=tuple(instructions))

    assert repr(render(TURNS, make())) == repr(render(TURNS, make()))
    if quotes or instructions:
        mine = render(TURNS, make(), place="one_system")[0].text
        assert mine.startswith(f"House rules.\n\n{SHARED}\n\n{OPEN}\n")


def invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_every_invisible_character_of_this_unicode_is_stripped() -> None:
    kept = set("\t\n\u200c\u200d")
    every = map(chr, range(sys.maxunicode + 1))
    left = [c for c in every if invisible(c) and c not in kept]
    assert rendering._INVISIBLE.sub("", "".join(left)) == ""
    assert rendering._INVISIBLE.sub("", "plain é 漢字 🙂") == "plain é 漢字 🙂"
