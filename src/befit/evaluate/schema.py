"""The words of an evaluation: pairs of real people, data sets of them, and a versioned result.

Reads no data set and computes nothing; see ``datasets`` and ``reward`` for those.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from befit.core.errors import InvalidImportError

SCHEMA_VERSION = "1.0"
Part = Literal["", "train", "support", "query"]
PARTS: tuple[Part, ...] = ("", "train", "support", "query")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """One person preferred one text to another.

    Attributes:
        user: The person's id within the data set.
        prompt: What both texts answer; may be empty.
        chosen: The preferred text.
        rejected: The other text.
        part: Where the file itself put the pair; "" leaves it to the split.
        at: When, UTC, where it is known.
        attributes: What else is known of the pair or the person.
    """

    user: str
    prompt: str
    chosen: str
    rejected: str
    part: Part = ""
    at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairData:
    """A data set of pairs, with what one must know to read a figure made from it.

    Attributes:
        name: Name of the data set.
        rows: All pairs, people in a stable order.
        licence: Under which terms the source may be used.
        digest: SHA-256 of the source's bytes, in hexadecimal.
        rule: How ratings, votes or judgements became pairs.
        shared_items: Whether different people compared the same texts. Where they did, a model
            that knows no person can still learn which texts are popular.
        disjoint: What support and query of one person must not share.
        people: Whether ``user`` is a person; otherwise it is a group of prompts, and nothing
            personal can be learned.
        notes: Counts worth telling: ties dropped, people left out.
        ties: Pairs of which the person preferred neither; ``chosen`` is either. Never asked about.
        about: Person -> what they said of themselves: ``{"age": "30-39"}``; empty where nothing is
            known.
    """

    name: str
    rows: tuple[PairRow, ...]
    licence: str
    digest: str
    rule: str
    shared_items: bool
    disjoint: Literal["texts", "prompts"] = "texts"
    people: bool = True
    notes: Mapping[str, float | str] = field(default_factory=dict)
    ties: tuple[PairRow, ...] = ()
    about: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Dataset(Protocol):
    """A data set that can be found on the search path and loaded."""

    def load(self, seed: int) -> PairData: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure.

    Attributes:
        data: Name of the data set.
        method: Name of the method.
        shots: How many pairs of the person the method had seen; None where it does not apply.
        metric: What was measured.
        value: The figure.
        lo: Lower end of its 95% interval.
        hi: Upper end of its 95% interval.
        people: How many people it was measured on.
    """

    data: str
    method: str
    shots: int | None
    metric: str
    value: float
    lo: float
    hi: float
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An evaluation: metadata, and one flat list of rows.

    Attributes:
        metadata: ``schema_version``, ``run_id``, ``created``, versions, machine, data, seeds.
        rows: The figures.
    """

    metadata: Mapping[str, Any]
    rows: tuple[Row, ...]

    def to_json(self) -> str:
        """The result as JSON: the metadata's keys, then ``rows``."""
        return json.dumps(
            {**self.metadata, "rows": [asdict(row) for row in self.rows]},
            indent=1,
            ensure_ascii=False,
            allow_nan=False,
        )

    def save(self, path: Path) -> None:
        """Write the JSON in one step: a reader sees the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(self.to_json() + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a saved result.

        Raises:
            InvalidImportError: The file is not a result of this schema's major version.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            rows = tuple(Row(**row) for row in content.pop("rows"))
            version = str(content["schema_version"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidImportError(
                f"{path} is not a result of an evaluation: {error}",
                hint="give the file that `befit evaluate --json` wrote",
                field="path",
            ) from error
        if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise InvalidImportError(
                f"{path} has schema {version}; this version reads {SCHEMA_VERSION}",
                hint="evaluate again",
                field="schema_version",
            )
        return cls(metadata=content, rows=rows)

    def find(self, data: str, method: str, shots: int | None, metric: str) -> Row | None:
        """The row of that name; None where there is none."""
        key = (data, method, shots, metric)
        return next((r for r in self.rows if (r.data, r.method, r.shots, r.metric) == key), None)


def people_of(rows: Sequence[PairRow]) -> dict[str, list[PairRow]]:
    """The pairs of each person, people and pairs in the order given."""
    people: dict[str, list[PairRow]] = {}
    for row in rows:
        people.setdefault(row.user, []).append(row)
    return people
