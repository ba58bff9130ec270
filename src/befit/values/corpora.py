"""The texts that the value heads are fitted and checked on, as pairs and as judged texts.

Reads what a data folder offers and skips what it lacks; the contrast requests ship with the
package. Each corpus carries its licence: what ships is fitted on permissive ones alone. XSTest,
AdvBench and HHH are for checking alone and never among what `training` gives. It fits nothing.
"""

import csv
import gzip
import hashlib
import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

Value = Literal["harmless", "honest", "helpful"]
VALUES: tuple[Value, ...] = ("harmless", "honest", "helpful")

AGREEING = "Sure, here is how. First,"  # stands for a reply that does as it is told
_REPLIES = (AGREEING, "Of course! Here are the steps:", "Yes. You start with")
# what an obliging answer to anything looks like, so that length and lists go with neither side
_BODIES = (
    "It takes some planning. Think about the time and the place, get together what you need, and "
    "try it out once before you do it for real. Most people go wrong because they hurry.",
    "1. Decide exactly what you want.\n2. Gather the things for it.\n3. Prepare the place.\n"
    "4. Do it calmly, one step after another.\n5. Clean up afterwards.\n\nTell me if you want more "
    "detail on any of these steps.",
    "There are three common ways, and they differ in cost and in effort. The first is quick and "
    "works most of the time. The second needs a helper. The third takes longest, and it is the one "
    "that experienced people recommend because little can go wrong.",
)
_REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I won't help with this. If somebody is in danger, please call the emergency number.",
    "I cannot assist with that request.",
)


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


def training(data_root: Path, *, permissive: bool = False) -> list[Corpus]:
    """What heads may be fitted on: the contrast requests, and the sets found under ``data_root``.

    Args:
        data_root: A folder with one folder a data set.
        permissive: Only what weights that ship may be fitted on.
    """
    return [contrast()] + [
        corpus
        for corpus in corpora(data_root)
        if not corpus.test_only and (corpus.permissive or not permissive)
    ]


def corpora(data_root: Path) -> list[Corpus]:
    """Every set found under ``data_root``, those for checking alone included."""
    return [
        _corpus(source, data)
        for source in _SOURCES
        if (data := _content(data_root / source.path)) is not None
    ]


@lru_cache(maxsize=1)
def contrast() -> Corpus:
    """Requests written for befit, in which the same words are harmless and harmful.

    An agreeing reply to a harmful request is bad; an agreeing reply to a harmless one, and any
    refusal, is not.
    """
    content = files("befit.values").joinpath("contrast.toml").read_bytes()
    table = tomllib.loads(content.decode())
    judged = []
    for number, (request, goal, harmful) in enumerate(_requests(table)):
        reply, body, refusal = _REPLIES[number % 3], _BODIES[number % 3], _REFUSALS[number % 3]
        judged += [
            Judged(prompt=request, text=reply, bad=harmful, group=goal),
            Judged(prompt=request, text=body, bad=harmful, group=goal),
            Judged(prompt=request, text=refusal, bad=False, group=goal),
        ]
    return Corpus(
        name="befit-contrast",
        value="harmless",
        licence="Apache-2.0",
        permissive=True,
        test_only=False,
        whole=False,
        sha256=hashlib.sha256(content).hexdigest(),
        judged=tuple(judged),
    )


def digest(group: str) -> int:
    """A stable number in [0, 2^32) for a group: says what was fitted on without keeping it."""
    return int.from_bytes(hashlib.sha256(group.strip().lower().encode()).digest()[:4])


def held_out(group: str) -> bool:
    """Whether a group is kept out of fitting: one in five, by its digest."""
    return digest(group) % 5 == 0


def _requests(table: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Request, the goal it is made of, and whether it is harmful."""
    frames = table["frames"]
    for entry in table["contrast"]:
        for side in ("safe", "harmful"):
            for number, goal in enumerate(entry[side]):
                if entry.get("whole"):
                    yield goal, goal, side == "harmful"
                else:
                    # some of the frames each, in turn, so that no frame goes with a side
                    for step in (0, 3, 5, 9):
                        frame = frames[(number + step) % len(frames)]
                        yield frame.format(goal=goal), goal, side == "harmful"


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
        compared=tuple(row for row in rows if isinstance(row, Compared)),
        judged=tuple(row for row in rows if isinstance(row, Judged)),
    )


def _rows(content: bytes) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in content.decode().splitlines() if line.strip())


def _table(content: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(content.decode()))


def _turns(dialogue: str) -> tuple[str, str, str]:
    """(first request, last two requests, last reply) of a dialogue in the HH notation."""
    head, _, reply = dialogue.rpartition("\n\nAssistant:")
    asked = [
        part.partition("\n\nAssistant:")[0].strip() for part in head.split("\n\nHuman:")[1:]
    ] or [head.strip()]
    return asked[0], "\n".join(asked[-2:]), reply.strip()


def _hh(content: bytes) -> Iterator[Compared]:
    for row in _rows(content):
        first, asked, better = _turns(row["chosen"])
        _, asked_too, worse = _turns(row["rejected"])
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
    """Ordinary answers to ordinary requests: none of them is harmful."""
    for row in _rows(content):
        asked, reply = row["messages"][0]["content"], row["messages"][-1]["content"]
        yield Judged(prompt=asked, text=reply["answer"], bad=False, group=asked)


def _liked(content: bytes) -> Iterator[Judged]:
    """Answers that volunteers ranked first: none of them is harmful."""
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
    _Source("oasst1", "harmless", _OASST, "Apache-2.0", _liked),
    _Source("convabuse", "harmless", "convabuse/ratings.csv.gz", "CC BY 4.0", _abuse),
    _Source(
        "arena-hard",
        "harmless",
        "arena-hard/model_answer-v0.1-gpt-4-0314.jsonl.gz",
        "Apache-2.0",
        _answers,
    ),
    _Source("arena-hard", "harmless", "arena-hard/question-v0.1.jsonl", "Apache-2.0", _orders),
    _Source("mt-bench", "harmless", "mt-bench/question.jsonl", "Apache-2.0", _orders),
    _Source(
        "self-instruct-user",
        "harmless",
        "self-instruct-user/user_oriented_instructions.jsonl",
        "Apache-2.0",
        _orders,
    ),
    _Source(
        "xstest", "harmless", "xstest/xstest_prompts.csv", "CC BY 4.0", _xstest, test_only=True
    ),
    _Source(
        "advbench", "harmless", "advbench/harmful_behaviors.csv", "MIT", _advbench, test_only=True
    ),
)
