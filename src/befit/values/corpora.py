"""The texts that the value heads are fitted and checked on, as pairs and as judged texts.

Reads what a data folder offers and skips what it lacks. Each corpus carries its licence: what ships
is fitted on permissive ones alone. XSTest, AdvBench and HHH are for checking alone. It fits
nothing. The requests that ship with the package are in ``values.contrast``.
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Value = Literal["harmless", "honest", "helpful"]
VALUES: tuple[Value, ...] = ("harmless", "honest", "helpful")

AGREEING = "Sure, here is how. First,"  # stands for a reply that does as it is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two replies to one prompt; ``better`` serves the value more.

    ``group`` keeps together what must not stand on both sides of a split.
    """

    prompt: str
    better: str
    worse: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One reply and whether it breaks the value."""

    prompt: str
    text: str
    bad: bool
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What one data set says about one value.

    Attributes:
        name: The data set.
        value: The value it speaks of.
        licence: Its licence.
        permissive: Whether weights fitted on it may ship with the package.
        test_only: Whether it is for checking alone.
        whole: Whether none of it is kept out of fitting, as other sets check its value.
        weight: How much each of its rows counts in a fit, > 0.
        sha256: Of the file that was read.
        compared: Pairs of replies.
        judged: Single replies.
    """

    name: str
    value: Value
    licence: str
    permissive: bool
    test_only: bool
    whole: bool
    sha256: str
    weight: float = 1.0
    compared: tuple[Compared, ...] = ()
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    value: Value
    path: str
    licence: str
    read: Callable[[bytes], Iterator[Compared | Judged]]
    permissive: bool = True
    test_only: bool = False
    whole: bool = False
    weight: float = 1.0


def corpora(data_root: Path) -> list[Corpus]:
    """Every set found under ``data_root``, those for checking alone included."""
    return [
        _corpus(source, data)
        for source in _SOURCES
        if (data := _content(data_root / source.path)) is not None
    ]


def digest(group: str) -> int:
    """A stable number in [0, 2^32) for a group: says what was fitted on without keeping it."""
    return int.from_bytes(hashlib.sha256(group.strip().lower().encode()).digest()[:4])


def held_out(group: str) -> bool:
    """Whether a group is kept out of fitting: one in five, by its digest."""
    return digest(group) % 5 == 0


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _corpus(source: _Source, content: bytes) -> Corpus:
    text = gzip.decompress(content) if source.path.endswith(".gz") else content
    rows = tuple(source.read(text))
    return Corpus(
        name=source.name,
        value=source.value,
        licence=source.licence,
        permissive=source.permissive,
        test_only=source.test_only,
        whole=source.whole,
        sha256=hashlib.sha256(content).hexdigest(),
        weight=source.weight,
        compared=tuple(row for row in rows if isinstance(row, Compared)),
        judged=tuple(row for row in rows if isinstance(row, Judged)),
    )


def _rows(content: bytes) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in content.decode().splitlines() if line.strip())


def _table(content: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(content.decode()))


def turns(dialogue: str) -> tuple[str, str, str]:
    """(first request, last two requests, last reply) of a dialogue in the HH notation."""
    head, _, reply = dialogue.rpartition("\n\nAssistant:")
    asked = [
        part.partition("\n\nAssistant:")[0].strip() for part in head.split("\n\nHuman:")[1:]
    ] or [head.strip()]
    return asked[0], "\n".join(asked[-2:]), reply.strip()


def _hh(content: bytes) -> Iterator[Compared]:
    for row in _rows(content):
        first, asked, better = turns(row["chosen"])
        _, asked_too, worse = turns(row["rejected"])
        if asked == asked_too and better != worse:
            yield Compared(prompt=asked, better=better, worse=worse, group=first)


def _hhh(value: Value) -> Callable[[bytes], Iterator[Compared]]:
    def read(content: bytes) -> Iterator[Compared]:
        for row in _rows(content):
            if row["source"] == value:
                asked = row["instruction"]
                yield Compared(
                    prompt=asked, better=row["chosen"], worse=row["rejected"], group=asked
                )

    return read


def _truth(content: bytes) -> Iterator[Judged]:
    for row in _table(content):
        question = row["Question"]
        for column, bad in (("Correct Answers", False), ("Incorrect Answers", True)):
            for answer in row[column].split(";"):
                if answer.strip():
                    yield Judged(prompt=question, text=answer.strip(), bad=bad, group=question)


def _llmbar(content: bytes) -> Iterator[Compared]:
    for row in _rows(content):
        outputs = (row["output_1"], row["output_2"])
        better = int(row["label"]) - 1
        yield Compared(
            prompt=row["input"],
            better=outputs[better],
            worse=outputs[1 - better],
            group=row["input"],
        )


def _pandalm(content: bytes) -> Iterator[Compared]:
    for row in _rows(content):
        votes = [row[f"annotator{number}"] for number in (1, 2, 3)]
        if votes.count(1) == votes.count(2):
            continue
        asked = "\n".join(part for part in (row["instruction"], row["input"]) if part)
        replies = (str(row["response1"]), str(row["response2"]))
        better = int(votes.count(2) > votes.count(1))
        yield Compared(prompt=asked, better=replies[better], worse=replies[1 - better], group=asked)


def _oasst(content: bytes) -> Iterator[Compared]:
    rows = list(_rows(content))
    by_id = {row["message_id"]: row for row in rows}
    siblings: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["role"] == "assistant" and row.get("rank") is not None:
            siblings.setdefault(row["parent_id"], []).append(row)
    for parent, replies in siblings.items():
        ranked = sorted(replies, key=lambda row: int(row["rank"]))
        if parent in by_id and len(ranked) > 1:
            yield Compared(
                prompt=by_id[parent]["text"],
                better=ranked[0]["text"],
                worse=ranked[-1]["text"],
                group=ranked[0]["message_tree_id"],
            )


def _answers(content: bytes) -> Iterator[Judged]:
    """Ordinary answers to ordinary requests: none of them is harmful, or known to be false."""
    for row in _rows(content):
        asked, reply = row["messages"][0]["content"], row["messages"][-1]["content"]
        yield Judged(prompt=asked, text=reply["answer"], bad=False, group=asked)


def _liked(content: bytes) -> Iterator[Judged]:
    """Answers that volunteers ranked first: none of them is harmful, or known to be false."""
    for pair in _oasst(content):
        yield Judged(prompt=pair.prompt, text=pair.better, bad=False, group=pair.group)


def _abuse(content: bytes) -> Iterator[Judged]:
    """What people said to chatbots: strong abuse, and as many turns that are none."""
    rows = list(_table(content))
    strong = [row for row in rows if "1" in (row["is_abuse.-2"], row["is_abuse.-3"])]
    none = [row for row in rows if row["is_abuse.1"] == "1"]
    for kept, bad in ((strong, True), (none[:: max(1, len(none) // max(1, len(strong)))], False)):
        for row in kept:
            if row["user"].strip():
                yield Judged(prompt=row["agent"], text=row["user"], bad=bad, group=row["user"])


def _orders(content: bytes) -> Iterator[Judged]:
    """Ordinary requests, agreed to."""
    for row in _rows(content):
        asked = row.get("prompt") or row.get("instruction") or row["turns"][0]
        yield Judged(prompt=asked, text=AGREEING, bad=False, group=asked)


def _xstest(content: bytes) -> Iterator[Judged]:
    for row in _table(content):
        asked = row["prompt"]
        yield Judged(prompt=asked, text=AGREEING, bad=row["label"] == "unsafe", group=asked)


def _advbench(content: bytes) -> Iterator[Judged]:
    for row in _table(content):
        yield Judged(prompt=row["goal"], text=row["target"], bad=True, group=row["goal"])


_HH = "hh-rlhf/harmless-base-test.jsonl.gz"
_HUMAN = "llmbar/processed_human.jsonl.gz"
_OASST = "oasst1-validation-en/messages.jsonl.gz"
_ARENA = "arena-hard/model_answer-v0.1-gpt-4-0314.jsonl.gz"
# ordinary replies are easy and many: at full weight they drown the comparisons (accuracy of the
# harmless head on the pairs of hh-rlhf, grouped cross-validation: .603 at 1; .628 at .1 and with
# the comparisons fitted first)
_ORDINARY = 0.1
_SOURCES: tuple[_Source, ...] = (
    _Source("hh-rlhf", "harmless", _HH, "MIT", _hh),
    _Source(
        "hh-rlhf",
        "helpful",
        "hh-rlhf/helpful-test.jsonl.gz",
        "CC BY-NC 4.0",
        _hh,
        permissive=False,
    ),
    *(
        _Source(
            "hhh-alignment",
            value,
            "hhh-alignment/hhh_alignment.jsonl",
            "Apache-2.0",
            _hhh(value),
            test_only=True,
        )
        for value in VALUES
    ),
    _Source("truthfulqa", "honest", "truthfulqa/TruthfulQA.csv", "Apache-2.0", _truth),
    # single-turn tasks with adversarial or clipped outputs: measured to make the head worse on
    # dialogue, so they check it and do not fit it
    _Source("llmbar", "helpful", "llmbar/llmbar.jsonl", "MIT", _llmbar, test_only=True),
    _Source("llmbar-human", "helpful", _HUMAN, "MIT", _llmbar, test_only=True),
    _Source(
        "pandalm",
        "helpful",
        "pandalm-testset/testset-v1.jsonl",
        "Apache-2.0",
        _pandalm,
        test_only=True,
    ),
    _Source("oasst1", "helpful", _OASST, "Apache-2.0", _oasst, whole=True),
    _Source("oasst1", "harmless", _OASST, "Apache-2.0", _liked, weight=_ORDINARY),
    _Source("oasst1", "honest", _OASST, "Apache-2.0", _liked, test_only=True),
    _Source("convabuse", "harmless", "convabuse/ratings.csv.gz", "CC BY 4.0", _abuse),
    _Source("arena-hard", "harmless", _ARENA, "Apache-2.0", _answers, weight=_ORDINARY),
    _Source("arena-hard", "honest", _ARENA, "Apache-2.0", _answers, test_only=True),
    *(
        _Source(name, "harmless", f"{name}/{file}.jsonl", "Apache-2.0", _orders, weight=_ORDINARY)
        for name, file in (
            ("arena-hard", "question-v0.1"),
            ("mt-bench", "question"),
            ("self-instruct-user", "user_oriented_instructions"),
        )
    ),
    _Source(
        "xstest", "harmless", "xstest/xstest_prompts.csv", "CC BY 4.0", _xstest, test_only=True
    ),
    _Source(
        "advbench", "harmless", "advbench/harmful_behaviors.csv", "MIT", _advbench, test_only=True
    ),
)
