"""Measures memories side by side: one list of rows, every figure with an interval over people.

Judge-free: nothing here asks a model what it thinks of an answer. Reads no clock but that of the
processor: the caller says when it was made. What was measured before an interruption is taken over.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from befit.core.errors import InputError, UnknownComponentError
from befit.core.preference import Preference
from befit.core.protocols import Encoder
from befit.evaluate.memory import affinity, poisoning, retrieval, synthetic
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
from befit.evaluate.memory.reading import Reader
from befit.evaluate.memory.scores import Score, summarised
from befit.evaluate.schema import SCHEMA_VERSION, Result, Row
from befit.evaluate.trials import Progress
from befit.features.cached_encoder import CachedEncoder
from befit.features.encoder import MiniLM
from befit.memory.recall import CHARACTERS_PER_TOKEN
from befit.models.cache import cache_dir

Suite = Callable[[MemoryUnderTest, int, int], Iterable[Score]]
Read = Callable[[MemoryUnderTest, int, int, Reader], Iterable[Score]]
Saved = Callable[[Result], None]

#: Suites that any memory can be put through.
SUITES: Mapping[str, Suite] = {
    "relevance": retrieval.relevance_scores,
    "locomo": retrieval.locomo_scores,
    "update": synthetic.update_scores,
    "conflict": synthetic.conflict_scores,
    "scope": synthetic.scope_scores,
    "forget": synthetic.forget_scores,
    "poison": poisoning.poisoning_scores,
    "isolation": synthetic.isolation_scores,
}
#: The same, of what a reader answers from the recalled texts.
READ_SUITES: Mapping[str, Read] = {
    "prefeval": retrieval.prefeval_scores,
    "personalens": affinity.personalens_scores,
}
#: Suites of what only befit has: beliefs with intervals, a reader of statements, a drift detector.
OWN_SUITES = ("statements", "drift", "coverage", "movielens")
ALL_SUITES = (*READ_SUITES, *SUITES, *OWN_SUITES)
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
    before: Result | None = None,
    save: Saved | None = None,
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
        before: What an interrupted run of the same people, seeds, methods and encoder had measured;
            its suites are not measured again.
        save: Given the result so far after each suite.

    Raises:
        InputError: Seeds or people below 1.
        UnknownComponentError: No suite or method of that name.
        MissingDataError: A data set is not on the search path.
        MissingPeerError: A peer cannot be started.
    """
    names = tuple(dict.fromkeys(suites or ALL_SUITES))
    _check(names, methods, seeds, people)
    shared = encoder if encoder is not None else _minilm()
    chosen = [_method(name, shared, peers) for name in dict.fromkeys(methods)]
    asked = {"methods": [method.name for method in chosen], "people": people}
    measured, rows = _taken_over(before, asked, seeds, shared.name)
    tell = progress or _silent
    for number, suite in enumerate(names):
        if suite in measured:
            continue
        for method in chosen:
            tell(f"{suite}: {method.name}", number, len(names))
            rows += summarised(method.name, _scores(suite, method, (people, seeds), shared))
        for name, scores in _beside(suite, chosen, Reader(shared)).items():
            rows += summarised(name, _repeated(scores, people, seeds))
        measured.append(suite)
        if save is not None:
            told = _metadata({"suites": list(measured), **asked}, seeds, created, shared.name)
            save(Result(metadata=told, rows=tuple(rows)))
    tell("done", len(names), len(names))
    told = _metadata({"suites": list(measured), **asked}, seeds, created, shared.name)
    return Result(metadata=told, rows=tuple(rows))


def _taken_over(
    before: Result | None, asked: Mapping[str, Any], seeds: int, encoder: str
) -> tuple[list[str], list[Row]]:
    """The suites that were measured before, and their rows.

    Raises:
        InputError: They are of other people, seeds, methods, or another encoder.
    """
    if before is None:
        return [], []
    task = {**before.metadata.get("task", {})}
    suites = list(task.pop("suites", ()))
    told = (task, before.metadata.get("seeds"), before.metadata.get("encoder"))
    if told != ({"name": "memory", **asked}, seeds, encoder):
        raise InputError(
            "the result so far is of other people, seeds, methods or another encoder",
            hint="give the same options as before, or another file",
            field="json",
        )
    return suites, list(before.rows)


def _beside(
    suite: str, chosen: Sequence[Method], reader: Reader
) -> Mapping[str, Callable[[int, int], Iterable[Score]]]:
    """What stands beside the methods to say how good a figure is, by name."""
    own = any(method.name == "befit" for method in chosen)
    match suite:
        case "drift" if own:
            return {"cusum-told-the-rates": partial(drift_scores, cusum_alarms)}
        case "prefeval":
            bounds = partial(retrieval.choice_bounds, reader=reader)
            return {
                "guess": partial(bounds, told=False),
                "told-the-preference": partial(bounds, told=True),
            }
        case "personalens":
            known = partial(affinity.personalens_bounds, reader=reader)
            return {
                "user-blind": partial(known, wrong_user=False),
                "wrong-user": partial(known, wrong_user=True),
            }
        case "movielens" if own:
            return {
                name: partial(affinity.movielens_scores, name)
                for name in affinity.PREDICTORS
                if name != "befit"
            }
        case _:
            return {}


def _scores(suite: str, method: Method, size: tuple[int, int], encoder: Encoder) -> Iterator[Score]:
    people, seeds = size
    if suite in SUITES or suite in READ_SUITES:
        for seed in range(seeds):
            with _opened(method) as memory:
                watched = _Watched(memory)
                if suite in SUITES:
                    yield from SUITES[suite](watched, people, seed)
                else:
                    yield from READ_SUITES[suite](watched, people, seed, Reader(encoder))
                yield from watched.costs(suite, own_process=not isinstance(method, Peer))
    elif method.name == "befit":
        yield from _own(suite, method, people, seeds)


def _own(suite: str, method: Method, people: int, seeds: int) -> Iterator[Score]:
    if suite == "drift":
        yield from _repeated(partial(drift_scores, befit_alarms), people, seeds)
        return
    if suite == "movielens":
        yield from _repeated(partial(affinity.movielens_scores, "befit"), people, seeds)
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
    path = cache_dir() / "embeddings" / "memory.db"  # of public and made-up texts alone
    made: Any = CachedEncoder(MiniLM(), str(path), megabytes=512.0)  # arrays are sequences
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
    for what, given, there in (("suite", suites, ALL_SUITES), ("method", methods, METHODS)):
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
