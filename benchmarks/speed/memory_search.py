"""Search within a person beside other memories, resident memory, and what erasing a person costs.

Every store holds ten items of each person with the same given vectors, and is asked for a person's
ten best for a question; befit gives beliefs with them. What an encoder costs is measured elsewhere.
mem0's own default store scans everyone's items and is left out at 100k, where a search takes
seconds.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import psutil
from speed.measure import HERE, Options, Row, compare, limit, one_thread
from speed.peer import Worker, peers_bin, worker
from speed.words import HashedWords, name_of, prompt_of, texts_of

from befit.core.dialogue import Context, Message
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

ITEMS = 10
BATCH = 50  # people a transaction
BUDGET = 4096  # tokens, so that all ten items fit
MOST_US = 300.0
MOST_MB = 300.0
MOST_ERASE_MS = 10.0
AT = datetime(2026, 6, 1, tzinfo=UTC)
#: peer -> how it is called, how many times less befit must cost, searches a round, people at most
PEERS = {
    "langgraph-memory": ("LangGraph in-memory store", 3.0, 200, 10_000),
    "langgraph-sqlite": ("LangGraph SQLite store", 3.0, 200, 10_000),
    "mem0-chroma": ("mem0 with Chroma", 35.0, 40, 10_000),
    "mem0-default": ("mem0 as installed", 500.0, 5, 1_000),
}


def run(options: Options) -> list[Row]:
    sizes = (options.size(1_000, 100), options.size(10_000, 200))
    rows: list[Row] = []
    for people in sizes:
        rows += _searches(options, people)
    return [*rows, *_resident(sizes[-1]), *_erased(options, sizes[-1])]


def _searches(options: Options, people: int) -> list[Row]:
    size = f"{people * ITEMS // 1000}k items, {people} people"
    rng = np.random.default_rng(options.seed)
    kinds = [kind for kind, (*_, most) in PEERS.items() if people <= max(most, 200)]
    ours: dict[str, list[float]] = {"new": [], "seen": [], "hits": []}
    theirs: dict[str, list[float]] = {kind: [] for kind in kinds}
    hits: dict[str, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="befit-search-")))
        fill(folder / "befit.db", people)
        peers = {kind: _filled(stack, kind, folder, people) for kind in kinds}
        for _ in range(options.rounds):
            asked = [int(p) for p in rng.choice(people, min(people, 400), replace=False)]
            for key, value in zip(ours, _search(folder / "befit.db", asked), strict=True):
                ours[key].append(value)
            for kind, peer in peers.items():
                found = peer.ask(do="query", people=asked[: PEERS[kind][2]])
                theirs[kind].append(found["us"])
                hits[kind] = found["hits"]
    unit = "us CPU a search"
    rows = [
        limit(f"search, {size}, people seen before", ours["seen"], unit=unit, most=MOST_US),
        limit(f"search, {size}, new person each time", ours["new"], unit=unit, most=MOST_US),
        compare(f"items found of {ITEMS}, {size}", ours["hits"], [float(ITEMS)] * options.rounds,
                unit="items", against="all", goal="all", least=1.0),
    ]  # fmt: skip
    for kind, times in theirs.items():
        name, least = PEERS[kind][:2]
        against = f"{name}, found {hits[kind]:.3g} of {ITEMS}"
        for state in ("seen", "new"):
            what = "people seen before" if state == "seen" else "new person each time"
            rows.append(
                compare(f"search, {size}, {what}, beside {name}", ours[state], times, unit=unit,
                        against=against, goal=f"at most 1/{least:g}", most=1.0 / least)
            )  # fmt: skip
    return rows


def _filled(stack: ExitStack, kind: str, folder: Path, people: int) -> Worker:
    place = folder / kind
    place.mkdir()
    peer = stack.enter_context(worker(peers_bin("python"), HERE / "memories.py", kind, place))
    peer.ask(do="load", people=people)
    return peer


def fill(path: Path, people: int) -> None:
    """Ten items of each person into a store."""
    memory = SqliteMemory(path=path, encoder=HashedWords())
    for start in range(0, people, BATCH):
        memory.remember(_item(p, n, text) for p in range(start, min(start + BATCH, people))
                        for n, text in enumerate(texts_of(p, ITEMS)))  # fmt: skip


def _item(person: int, number: int, text: str) -> Evidence:
    return Evidence(
        id=f"{person}-{number}",
        user=UserId(name_of(person)),
        kind=EvidenceKind.STATED,
        at=datetime(2026, 1, 1 + number, tzinfo=UTC),
        text=text,
    )


def _search(path: Path, people: Sequence[int]) -> tuple[float, float, float]:
    """CPU of a search, new people and seen ones, microseconds; and items found of those that match.

    befit leaves out what has nothing to do with the question, so what it could find is asked for
    with the words of all ten items.
    """
    encoder = HashedWords()
    prompts = [prompt_of(p) for p in people]
    wide = [" ".join(texts_of(p, ITEMS)) for p in people]
    encoder.known.update(zip(prompts, encoder.encode(prompts), strict=True))
    encoder.known.update(zip(wide, encoder.encode(wide), strict=True))
    memory = SqliteMemory(path=path, encoder=encoder, budget=BUDGET)
    spent = []
    for _ in range(2):
        began = process_time()
        for person, prompt in zip(people, prompts, strict=True):
            memory.recall(_asked(person, prompt))
        spent.append(1e6 * (process_time() - began) / len(people))
    found = [
        len({e.text for e in memory.recall(_asked(p, text)).evidence} & set(texts_of(p, ITEMS)))
        for p, text in zip(people, wide, strict=True)
    ]
    return spent[0], spent[1], sum(found) / len(found)


def _asked(person: int, prompt: str) -> Context:
    return Context(user=UserId(name_of(person)), messages=(Message("user", prompt),), at=AT)


def _resident(people: int) -> list[Row]:
    """Each in a process of its own: befit after each person was recalled once."""
    with TemporaryDirectory(prefix="befit-resident-") as name, ExitStack() as stack:
        folder = Path(name)
        fill(folder / "befit.db", people)
        command = [
            sys.executable,
            "-m",
            "speed.memory_search",
            str(folder / "befit.db"),
            str(people),
        ]
        done = subprocess.run(
            command, env=one_thread(), cwd=HERE.parent, capture_output=True, text=True, check=True
        )
        ours: dict[str, Any] = json.loads(done.stdout)
        place = folder / "langgraph"
        place.mkdir()
        peer = stack.enter_context(
            worker(peers_bin("python"), HERE / "memories.py", "langgraph-memory", place)
        )
        theirs = peer.ask(do="load", people=people)["rss_mb"]
    size = f"{people * ITEMS // 1000}k items"
    return [
        limit(f"resident memory, {size}, all recalled", [ours["rss_mb"]], unit="MB RSS",
              most=MOST_MB),
        compare(f"resident memory, {size}, beside LangGraph", [ours["rss_mb"]], [theirs],
                unit="MB RSS", against="LangGraph in-memory store"),
    ]  # fmt: skip


def _erased(options: Options, people: int) -> list[Row]:
    """From the order to the return, and until no byte is left; peers' deletion leaves bytes."""
    times: list[float] = []
    with TemporaryDirectory(prefix="befit-erase-") as folder:
        fill(Path(folder) / "befit.db", people)
        memory = SqliteMemory(path=Path(folder) / "befit.db", encoder=HashedWords())
        first = perf_counter()
        for number in range(options.rounds * 3):
            began = perf_counter()
            gone = memory.forget(UserId(name_of(number)))
            times.append(1e3 * (perf_counter() - began))
            if gone != ITEMS:
                raise RuntimeError(f"{gone} pieces of {ITEMS} were erased")
        memory.settle()
        clear = 1e3 * (perf_counter() - first)
    size, count = f"{people * ITEMS // 1000}k items", options.rounds * 3
    return [
        limit(f"erase a person, {size}, on the disk", times, unit="ms", most=MOST_ERASE_MS),
        limit(f"{count} people erased, no byte left, {size}", [clear], unit="ms", most=None),
    ]


def _measure(path: str, people: int) -> None:
    memory = SqliteMemory(path=path, encoder=HashedWords(), budget=BUDGET)
    for person in range(people):
        memory.recall(_asked(person, prompt_of(person)))
    print(json.dumps({"rss_mb": psutil.Process().memory_info().rss / 1e6}))


if __name__ == "__main__":
    _measure(sys.argv[1], int(sys.argv[2]))
