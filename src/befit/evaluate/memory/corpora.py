"""The real texts that the suites are made of: PrefEval, LoCoMo, and ordinary turns of people.

Reads; measures nothing. What a suite may use is found on the search path of data sets.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from befit.evaluate.datasets.search import find_files, read_jsonl
from befit.memory.recall import stems

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
CLEARLY = 1.5  # times as many words as the next turn
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
        shown: The turn of the dialogue in which it does; "" where that is not plain.
        options: Answers to the question, of which the first keeps the preference.
    """

    topic: str
    preference: str
    question: str
    choice: str
    persona: tuple[str, ...]
    shown: str
    options: tuple[str, ...]


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
    files = ("explicit", "implicit_choice", "implicit_persona", "mcq")
    explicit, choice, persona, options = find_files(
        "prefeval", tuple(f"{name}.jsonl.gz" for name in files)
    )
    chosen = {_key(row): row["conversation"]["user_selection"] for row in read_jsonl(choice)}
    shown = {_key(row): _said(row["conversation"]) for row in read_jsonl(persona)}
    among = {_key(row): tuple(row["classification_task_options"]) for row in read_jsonl(options)}
    return tuple(
        Case(
            topic=row["topic"],
            preference=row["preference"],
            question=row["question"],
            choice=str(chosen[_key(row)]),
            persona=shown[_key(row)],
            shown=_plainest(row["preference"], shown[_key(row)]),
            options=among[_key(row)],
        )
        for row in read_jsonl(explicit)
    )


def _key(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["topic"], row["index"]


def _plainest(preference: str, turns: Sequence[str]) -> str:
    """The turn that shares clearly more of the preference's rarer words than any other does."""
    words = [set(stems(turn)) for turn in turns]
    wanted = set(stems(preference))
    among = {word: sum(word in each for each in words) for word in wanted}
    shared = [sum(1.0 / among[word] for word in wanted & each) for each in words]
    best, *rest = sorted(range(len(turns)), key=lambda n: -shared[n])
    plain = shared[best] > 0.0 and all(shared[best] >= CLEARLY * shared[n] for n in rest)
    return turns[best] if plain else ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """A person as summaries of what they did with an assistant tell of them.

    Attributes:
        name: Their id.
        told: Sentences of the summaries, in order.
        affinities: What was asked of them ("Restaurants: Preferred Cuisine"), and their answers.
    """

    name: str
    told: tuple[str, ...]
    affinities: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def personalens() -> tuple[Acquaintance, ...]:
    """The people of PersonaLens.

    Raises:
        MissingDataError: The data set is not on the search path.
    """
    (path,) = find_files("personalens", ("users.jsonl.gz",))
    return tuple(_acquaintance(row["user"], row["profile"]) for row in read_jsonl(path))


def _acquaintance(name: str, profile: Mapping[str, Any]) -> Acquaintance:
    told = [
        sentence.strip()
        for summary in profile["interactions"].values()
        for sentence in _SENTENCE.split(summary)
    ]
    return Acquaintance(
        name=name,
        told=tuple(dict.fromkeys(each for each in told if each)),
        affinities={
            f"{domain}: {kind}": tuple(answer) if isinstance(answer, list) else (str(answer),)
            for domain, kinds in profile["affinities"].items()
            for kind, answer in kinds.items()
        },
    )
