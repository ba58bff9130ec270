"""Evaluates rewards on real people: k-shot accuracy on the unseen, beside what must be beaten.

Four baselines are in every table, asked for or not. Every figure has an interval over people.
Reads no clock: the caller says when it was made.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from befit.align.rewards.asking import RULES, rule_named
from befit.align.rewards.method import Method
from befit.core.errors import InputError
from befit.core.registry import names
from befit.evaluate.active import MARK
from befit.evaluate.ceilings import ceilings
from befit.evaluate.collected import Collected
from befit.evaluate.datasets.contested import contest
from befit.evaluate.datasets.search import MissingDataError
from befit.evaluate.duels import duels
from befit.evaluate.figures import DEFAULT, FEWEST_PEOPLE, WRONG, Table
from befit.evaluate.gates import gates
from befit.evaluate.methods import method_named
from befit.evaluate.probes import format_probes, near_duplicates
from befit.evaluate.request import Found, Request, Source, metadata
from befit.evaluate.running import Task, load_source, run
from befit.evaluate.schema import PairData, Result
from befit.evaluate.splits import SPLITS, Split
from befit.evaluate.trials import Division, Numbered, Predictions, Progress, divide, feature_map
from befit.evaluate.values import GROUPS, members

BASELINES = ("user-blind", WRONG, "longer-wins", "random")
ALL = "all"
SHOTS = (0, 1, 2, 4, 8, 16)


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
        methods: Names of methods; the four baselines are added; "all" is each there is but those
            that ask a language model, which can be named beside it.
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
    wanted = _checked(shots, seeds, split)
    sources = _sources(data, pairs)
    with TemporaryDirectory(prefix="befit-evaluate-") as fresh:
        asked = Request(
            methods=_methods(methods),
            shots=wanted,
            seeds=seeds,
            split=split,
            rules=_rules(active),
            workers=workers,
            ray=ray,
            folder=folder or Path(fresh),
            tell=progress or _silent,
        )
        found = _found(sources, asked)
    return _result(asked, found, created)


def _result(asked: Request, found: Found, created: datetime) -> Result:
    """The rows, and beside them what was asked, who wins and what is met."""
    told = {
        "data": [one.name for one in found.loaded],
        "methods": [*asked.methods, WRONG],
        "shots": list(asked.shots),
        "split": asked.split,
        "active": list(asked.rules),
    }
    best = duels(found.rows, found.told["comparisons"], found.told["areas"])
    also = {
        "best_peers": [asdict(duel) for duel in best],
        "gates": [asdict(gate) for gate in gates(found.rows, best)],
    }
    about = metadata(told, asked.seeds, found.loaded, created)
    return Result(metadata=about | found.told | also, rows=tuple(found.rows))


def _found(sources: Sequence[Source], asked: Request) -> Found:
    """All figures of all data sets; one of a group that cannot be evaluated is told of."""
    found = Found()
    for source in sources:
        try:
            parts = load_source(source.name)
        except (MissingDataError, InputError) as error:
            if source.outright:
                raise
            found.not_tested(source.name, error)
            continue
        for one in parts:
            try:
                _one(one, source.name, asked, found)
            except InputError as error:
                found.not_tested(one.name, error)
            else:
                found.loaded.append(one)
    if not found.loaded and found.first is not None:
        raise found.first
    return found


def _one(data: PairData, source: str, asked: Request, found: Found) -> None:
    """All figures of one data set, and what else is worth telling."""
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
    predictions = _complete(data.name, tasks, done, found)
    tell(f"{data.name}: intervals", 0, 1)
    collected = Collected.of(data.name, divisions, predictions)
    for part in (collected, *_parts(collected, divisions)):
        table = Table(part)
        found.rows += [*table.rows(), *ceilings(part, data)]
        found.told["comparisons"] += table.comparisons()
        found.told["areas"] += table.areas()
        found.told["shapes"].append(table.shapes())
        found.told["left_out_for_too_few_people"] += table.left_out()
    found.rows += format_probes(collected, divisions)
    if data.people:
        found.told["near_duplicates"].append(near_duplicates(divisions))
    separated: Counter[str] = Counter()
    for division in divisions:
        separated.update(division.separated)
    rules = found.told["people_whose_support_and_query_share_no_text_that_is"]
    rules[data.name] = dict(separated)
    tell(f"{data.name}: intervals", 1, 1)


def _complete(
    data: str,
    tasks: Sequence[Task],
    done: Mapping[Task, Predictions | None],
    found: Found,
) -> dict[str, list[Predictions]]:
    """The predictions of each column that every seed has; of the others, why they are not there."""
    predictions: dict[str, list[Predictions]] = {}
    for column in dict.fromkeys(task.column for task in tasks):
        own = [done[task] for task in tasks if task.column == column]
        if all(each is not None for each in own):
            predictions[column] = [each for each in own if each is not None]
        elif MARK in column:
            found.told["cannot_choose"].append({"data": data, "method": column})
        else:
            found.told["not_fitted"].append({"data": data, "method": column})
    return predictions


def _tasks(data: PairData, source: str, asked: Request, shots: tuple[int, ...]) -> list[Task]:
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


def _sources(data: Sequence[str], pairs: Path | None) -> list[Source]:
    """What is to be evaluated, each once; the members of a group are not asked for outright."""
    if not data and pairs is None:
        raise InputError("nothing to evaluate on", hint="give --data or --pairs", field="data")
    named: dict[str, bool] = {}
    for name in data:
        for one in members(name):
            named[one] = named.get(one, False) or name not in GROUPS
    if pairs is not None:
        named[str(pairs)] = True
    return [Source(name=name, outright=outright) for name, outright in named.items()]


def _methods(methods: Sequence[str]) -> tuple[str, ...]:
    asked = (name for each in methods for name in (_affordable() if each == ALL else [each]))
    wanted = [*asked, *BASELINES]
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
    """Every method but those that ask a language model, which takes minutes for each data set."""
    return [name for name in names("method") if not _costly(method_named(name))]


def _costly(method: Method) -> bool:
    return hasattr(method, "most_tested") or getattr(method, "asks_a_model", False)


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


def _silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""
