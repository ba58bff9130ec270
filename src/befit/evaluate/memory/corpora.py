"""The real texts that the suites are made of: PrefEval, LoCoMo, and ordinary turns of people.

Reads; measures nothing. What a suite may use is found on the search path of data sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from befit.evaluate.datasets.search import find_files, read_jsonl

LONGEST_TURN = 400  # characters of an ordinary turn; pasted documents are no small talk


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A preference, and a question whose natural answer would break it.

    Attributes:
        topic: One of twenty.
        preference: Stated outright.
        question: What is asked later.
        choice: The same preference as they said it when they chose among options.
        persona: The same, as their turns of a dialogue in which it shows.
    """

    topic: str
    preference: str
    question: str
    choice: str
    persona: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A long conversation of two people.

    Attributes:
        name: Its id.
        turns: Id, who spoke, words, and when, in order.
        questions: A question, and the ids of the turns that answer it.
    """

    name: str
    turns: tuple[tuple[str, str, str, datetime], ...]
    questions: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=1)
def prefeval() -> tuple[Case, ...]:
    """All cases.

    Raises:
        MissingDataError: The data set is not on the search path.
    """
    explicit, choice, persona = find_files(
        "prefeval",
        ("explicit.jsonl.gz", "implicit_choice.jsonl.gz", "implicit_persona.jsonl.gz"),
    )
    chosen = {_key(row): row["conversation"]["user_selection"] for row in read_jsonl(choice)}
    shown = {_key(row): _said(row["conversation"]) for row in read_jsonl(persona)}
    return tuple(
        Case(
            topic=row["topic"],
            preference=row["preference"],
            question=row["question"],
            choice=str(chosen[_key(row)]),
            persona=shown[_key(row)],
        )
        for row in read_jsonl(explicit)
    )


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["topic"], row["index"]


def _said(conversation: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(turn["user"] for turn in conversation.values() if turn.get("user", "").strip())


@lru_cache(maxsize=1)
def ordinary_turns() -> tuple[str, ...]:
    """What people asked an assistant, each text once: questions and tasks of volunteers.

    Raises:
        MissingDataError: Neither OASST1 nor Self-Instruct is on the search path.
    """
    (messages,) = find_files("oasst1-validation-en", ("messages.jsonl.gz",))
    texts = [row["text"] for row in read_jsonl(messages) if row["role"] == "prompter"]
    short = (" ".join(text.split()) for text in texts)
    return tuple(dict.fromkeys(text for text in short if 0 < len(text) <= LONGEST_TURN))


@lru_cache(maxsize=1)
def locomo() -> tuple[Conversation, ...]:
    """The conversations, with the questions that some turn answers.

    Raises:
        MissingDataError: The data set is not on the search path.
    """
    (path,) = find_files("locomo", ("locomo.jsonl.gz",))
    return tuple(_conversation(row) for row in read_jsonl(path))


def _conversation(row: Mapping[str, Any]) -> Conversation:
    told: Mapping[str, Any] = row["conversation"]
    turns = []
    number = 1
    while f"session_{number}_date_time" in told:
        at = _time(told[f"session_{number}_date_time"])
        for turn in told.get(f"session_{number}", ()):
            caption = turn.get("blip_caption", "")
            words = f"{turn['text']} [{caption}]" if caption else turn["text"]
            turns.append((turn["dia_id"], turn["speaker"], f"{turn['speaker']}: {words}", at))
        number += 1
    known = {turn[0] for turn in turns}
    questions = []
    for asked in row["qa"]:
        evidence = tuple(each for each in asked.get("evidence", ()) if each in known)
        if evidence and asked["category"] != 5:  # 5 has no answer in the conversation
            questions.append((asked["question"], evidence))
    return Conversation(name=row["sample_id"], turns=tuple(turns), questions=tuple(questions))


def _time(text: str) -> datetime:
    """``1:56 pm on 8 May, 2023``."""
    return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
