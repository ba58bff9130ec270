"""Runs many methods over many divisions: resumable, in several processes, on Ray where wanted.

A task is plain data, so that any process that can find the data set can do it. What is done stands
in a folder and is not done again. Makes no figure.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from befit.align.rewards.method import Doubts, Fitted
from befit.core.errors import MissingExtraError, NotEnoughFeedbackError
from befit.evaluate.active import MARK, asked
from befit.evaluate.datasets.jsonl import read_pairs
from befit.evaluate.methods import method_named, own_file
from befit.evaluate.schema import PairData
from befit.evaluate.splits import Split
from befit.evaluate.trials import (
    Division,
    Numbered,
    Predictions,
    Progress,
    ask,
    divide,
    feature_map,
    fit,
    predict,
)
from befit.evaluate.values import load_data

_STEP = "fitting and predicting"
FORMAT = 2  # of what stands in the folder; another number is done anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One method on one division.

    Attributes:
        source: Name of the data set, or the path of a file of pairs.
        data: Name of the part of it; the same for most.
        digest: SHA-256 of the source.
        method: Registered name, ``module:Class`` or ``file.py:Class``.
        seed: Of the division and the fit.
        shots: How many pairs of a person to show.
        split: What is new about the test.
        rule: What chooses the pairs that are shown; "" draws them at random.
    """

    source: str
    data: str
    digest: str
    method: str
    seed: int
    shots: tuple[int, ...]
    split: Split
    rule: str = ""

    @property
    def column(self) -> str:
        """What the figures call it: the method, and the rule where there is one."""
        return f"{self.method}{MARK}{self.rule}" if self.rule else self.method

    @property
    def key(self) -> str:
        """Names what was done: changes with anything that could change it."""
        made = method_named(self.method)
        mine = {name: value for name, value in asdict(self).items() if name != "rule" or value}
        said = repr((FORMAT, mine, repr(made), feature_map().name))
        path = own_file(self.method)
        if path is not None:  # one's own file is edited between two runs
            said += sha256(path.read_bytes()).hexdigest()
        return sha256(said.encode()).hexdigest()[:24]


def load_source(source: str) -> list[PairData]:
    """A data set by name, or a file of pairs by path.

    Raises:
        UnknownComponentError: There is no such data set.
        MissingDataError: Its files are not on the search path.
        InvalidImportError: The file does not read.
    """
    path = Path(source)
    return [read_pairs(path)] if path.suffix == ".jsonl" else load_data(source, seed=0)


@lru_cache(maxsize=2)
def _numbered(source: str, data: str) -> Numbered:
    found = next(part for part in load_source(source) if part.name == data)
    return Numbered(found, feature_map())


@lru_cache(maxsize=2)
def _division(source: str, data: str, seed: int, shots: tuple[int, ...], split: Split) -> Division:
    return divide(_numbered(source, data), seed, max(shots), split)


@lru_cache(maxsize=1)
def _fitted(task: Task) -> tuple[Fitted, float]:
    """One fit for all rules that ask by it."""
    division = _division(task.source, task.data, task.seed, task.shots, task.split)
    return fit(method_named(task.method), division)


def do(task: Task) -> Predictions | None:
    """One task; None where there is too little to fit the method on, or it cannot choose."""
    division = _division(task.source, task.data, task.seed, task.shots, task.split)
    try:
        if not task.rule:
            return predict(method_named(task.method), division, task.shots)
        fitted, seconds = _fitted(replace(task, rule=""))
    except NotEnoughFeedbackError:
        return None
    if not isinstance(fitted, Doubts):
        return None
    in_order = asked(fitted, division, task.rule, max(task.shots))
    return ask(fitted, in_order, task.shots, seconds, personal=True, probes=False)


def run(
    tasks: Sequence[Task],
    folder: Path,
    *,
    workers: int = 1,
    ray: str = "",
    progress: Progress,
) -> Mapping[Task, Predictions | None]:
    """All tasks; those that the folder holds are read from it.

    Args:
        tasks: What to do.
        folder: Where what is done is kept.
        workers: Processes; 1 does them here.
        ray: Address of a Ray cluster; "" uses none.
        progress: Told (what, done, total).

    Raises:
        MissingExtraError: Ray is wanted and not installed.
    """
    done: dict[Task, Predictions | None] = {}
    left = []
    for task in tasks:
        path = folder / f"{task.key}.npz"
        if path.exists():
            done[task] = Predictions.load(path)
        else:
            left.append(task)
    with _runs(workers, ray, len(left)) as runs:
        progress(_STEP, len(done), len(tasks))
        for task, found in runs(left):
            if found is not None:
                found.save(folder / f"{task.key}.npz")
            done[task] = found
            progress(_STEP, len(done), len(tasks))
    return {task: done[task] for task in tasks}


Doing = Callable[[Sequence[Task]], Iterator[tuple[Task, Predictions | None]]]


@contextmanager
def _runs(workers: int, ray: str, tasks: int) -> Iterator[Doing]:
    """How tasks are done: on a cluster, in several processes, or here."""
    if ray and tasks:
        with _cluster(ray) as doing:
            yield doing
    elif workers > 1 and tasks > 1:
        with (
            _single_threaded(),
            ProcessPoolExecutor(min(workers, tasks), mp_context=get_context("spawn")) as pool,
        ):
            yield lambda some: _completed({pool.submit(do, task): task for task in some})
    else:
        yield lambda some: ((task, do(task)) for task in some)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes that share the cores must not each use all of them."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(dict.fromkeys(variables, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _completed(
    futures: dict["Future[Predictions | None]", Task],
) -> Iterator[tuple[Task, Predictions | None]]:
    waiting = set(futures)
    try:
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                yield futures[future], future.result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def _cluster(address: str) -> Iterator[Doing]:
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError as error:
        told = "Ray is not installed" if error.name == "ray" else f"Ray does not import: {error}"
        raise MissingExtraError(told, hint="pip install 'befit[ray]'", field="ray") from error
    ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
    remote = ray.remote(max_calls=50)(do)

    def doing(some: Sequence[Task]) -> Iterator[tuple[Task, Predictions | None]]:
        asked = {remote.remote(task): task for task in some}
        waiting = list(asked)
        while waiting:
            ready, waiting = ray.wait(waiting)
            for each in ready:
                yield asked[each], ray.get(each)

    try:
        yield doing
    finally:
        ray.shutdown()
