"""Measures memories side by side: one list of rows, every figure with an interval over people.

Judge-free: nothing here asks a model what it thinks of an answer. Reads no clock but that of the
processor: the caller says when it was made.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from befit.core.errors import InputError, UnknownComponentError
from befit.core.preference import Preference
from befit.core.protocols import Encoder
from befit.evaluate.memory import retrieval, synthetic
from befit.evaluate.memory.coverage import coverage_scores
from befit.evaluate.memory.detection import detection_scores
from befit.evaluate.memory.drift import befit_alarms, cusum_alarms, drift_scores
from befit.evaluate.memory.methods import (
    Befit,
    BefitMemory,
    Bm25,
    MemoryUnderTest,
    Method,
    Plain,
    Turn,
)
from befit.evaluate.memory.peers import Peer
from befit.evaluate.memory.scores import Score, summarised
from befit.evaluate.schema import SCHEMA_VERSION, Result, Row
from befit.evaluate.trials import Progress
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.memory.recall import CHARACTERS_PER_TOKEN

Suite = Callable[[MemoryUnderTest, int, int], Iterable[Score]]

#: Suites that any memory can be put through.
SUITES: Mapping[str, Suite] = {
    "prefeval": retrieval.prefeval_scores,
    "relevance": retrieval.relevance_scores,
    "locomo": retrieval.locomo_scores,
    "update": synthetic.update_scores,
    "conflict": synthetic.conflict_scores,
    "scope": synthetic.scope_scores,
    "forget": synthetic.forget_scores,
    "poison": synthetic.poison_scores,
    "isolation": synthetic.isolation_scores,
}
#: Suites of what only befit has: beliefs with intervals, a reader of statements, a drift detector.
OWN_SUITES = ("statements", "drift", "coverage")
METHODS = ("befit", "bm25", "encoder", "mem0", "langgraph")
DEFAULT_METHODS = ("befit", "bm25", "encoder")


def evaluate_memory(
    suites: Sequence[str] = (),
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    seeds: int = 3,
    people: int = 50,
    peers: Path | None = None,
    encoder: Encoder | None = None,
    created: datetime,
    progress: Progress | None = None,
) -> Result:
    """Put memories through suites with known truth.

    Args:
        suites: Names; all where empty.
        methods: Names; mem0 and LangGraph need ``peers``.
        seeds: Each draws other people, or other words for them.
        people: In each seed and suite, where the data has so many.
        peers: The Python of an environment that has mem0ai and langgraph.
        encoder: For befit, the plain encoder and the peers alike; MiniLM where None.
        created: When, UTC; stands in the result as given.
        progress: Told (what, done, total) as it goes.

    Raises:
        InputError: Seeds or people below 1.
        UnknownComponentError: No suite or method of that name.
        MissingDataError: A data set is not on the search path.
        MissingPeerError: A peer cannot be started.
    """
    names = tuple(dict.fromkeys(suites or (*SUITES, *OWN_SUITES)))
    _check(names, methods, seeds, people)
    shared = encoder if encoder is not None else _minilm()
    chosen = [_method(name, shared, peers) for name in dict.fromkeys(methods)]
    tell = progress or _silent
    rows: list[Row] = []
    for number, suite in enumerate(names):
        for method in chosen:
            tell(f"{suite}: {method.name}", number, len(names))
            rows += summarised(method.name, _scores(suite, method, people, seeds))
        if suite == "drift" and any(method.name == "befit" for method in chosen):
            told = _repeated(lambda n, s: drift_scores(cusum_alarms, n, s), people, seeds)
            rows += summarised("cusum-told-the-rates", told)
    tell("done", len(names), len(names))
    asked = {"suites": names, "methods": [method.name for method in chosen], "people": people}
    return Result(metadata=_metadata(asked, seeds, created, shared.name), rows=tuple(rows))


def _scores(suite: str, method: Method, people: int, seeds: int) -> Iterator[Score]:
    if suite in SUITES:
        run = SUITES[suite]
        for seed in range(seeds):
            with _opened(method) as memory:
                watched = _Watched(memory)
                yield from run(watched, people, seed)
                yield from watched.costs(suite, own_process=not isinstance(method, Peer))
    elif method.name == "befit":
        yield from _own(suite, method, people, seeds)


def _own(suite: str, method: Method, people: int, seeds: int) -> Iterator[Score]:
    if suite == "drift":
        yield from _repeated(lambda n, s: drift_scores(befit_alarms, n, s), people, seeds)
        return
    for seed in range(seeds):
        with _opened(method) as memory:
            if not isinstance(memory, BefitMemory):
                raise TypeError(f"{suite} measures what befit alone has, not {method.name}")
            if suite == "statements":
                yield from detection_scores(memory.reads, people, seed)
            else:
                yield from coverage_scores(memory, people, seed)


def _repeated(
    run: Callable[[int, int], Iterable[Score]], people: int, seeds: int
) -> Iterator[Score]:
    for seed in range(seeds):
        yield from run(people, seed)


@contextmanager
def _opened(method: Method) -> Iterator[MemoryUnderTest]:
    """An empty memory in a folder that goes with the block."""
    with (
        TemporaryDirectory(prefix="befit-memory-") as folder,
        method.open(Path(folder)) as memory,
    ):
        yield memory


class _Watched:
    """A memory, and what its readings cost each person: tokens recalled, and CPU.

    CPU is this process's: of a peer, which runs in its own, the benchmark ``memory_search`` tells.
    """

    def __init__(self, memory: MemoryUnderTest) -> None:
        self.memory = memory
        self.spent: dict[str, list[float]] = {}  # user -> tokens, milliseconds, recalls

    def remember(self, user: str, turns: Sequence[Turn]) -> None:
        self.memory.remember(user, turns)

    def recall(
        self, user: str, prompt: str, k: int, at: datetime, scope: str = ""
    ) -> Sequence[str]:
        began = process_time()
        found = self.memory.recall(user, prompt, k, at, scope)
        took = process_time() - began
        own = self.spent.setdefault(user, [0.0, 0.0, 0.0])
        own[0] += sum(len(text) for text in found) / CHARACTERS_PER_TOKEN
        own[1] += 1e3 * took
        own[2] += 1.0
        return found

    def forget(self, user: str, about: str) -> int:
        return self.memory.forget(user, about)

    def beliefs(self, user: str, at: datetime, scope: str = "") -> Sequence[Preference] | None:
        return self.memory.beliefs(user, at, scope)

    def costs(self, suite: str, *, own_process: bool) -> Iterator[Score]:
        """Tokens of a recall, and its CPU where it was spent here."""
        for user, (tokens, spent, times) in self.spent.items():
            yield Score(data=suite, metric="tokens_recalled", person=user,
                        value=tokens, count=times)  # fmt: skip
            if own_process:
                yield Score(data=suite, metric="cpu_ms_recall", person=user,
                            value=spent, count=times)  # fmt: skip


def _minilm() -> Encoder:
    made: Any = CachedEncoder(MiniLM(), megabytes=512.0)  # arrays are sequences of sequences
    encoder: Encoder = made
    return encoder


def _method(name: str, encoder: Encoder, peers: Path | None) -> Method:
    match name:
        case "befit":
            return Befit(encoder=encoder)
        case "bm25":
            return Bm25()
        case "encoder":
            return Plain(encoder=encoder)
        case _:
            return Peer(name=name, python=peers, encoder=encoder)


def _check(suites: Sequence[str], methods: Sequence[str], seeds: int, people: int) -> None:
    known = (*SUITES, *OWN_SUITES)
    for what, given, there in (("suite", suites, known), ("method", methods, METHODS)):
        unknown = next((name for name in given if name not in there), None)
        if unknown is not None:
            raise UnknownComponentError(
                f"there is no {what} named {unknown!r}",
                hint=f"known: {', '.join(there)}",
                field=what,
            )
    for what, number in (("seeds", seeds), ("people", people)):
        if number < 1:
            raise InputError(f"{what} must be at least 1", hint=f"--{what} 3", field=what)


def _metadata(
    asked: Mapping[str, Any], seeds: int, created: datetime, encoder: str
) -> dict[str, Any]:
    identity = json.dumps([asked, seeds, created.isoformat()], sort_keys=True)
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "created": created.isoformat(),
        "task": {"name": "memory", **asked},
        "seeds": seeds,
        "encoder": encoder,
        "versions": {"befit": version("befit"), "numpy": version("numpy")},
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def _silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""
