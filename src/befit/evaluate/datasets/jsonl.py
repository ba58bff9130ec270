"""Anyone's own pairs: one JSON object a line.

``user``, ``prompt``, ``chosen`` and ``rejected`` are required strings (the prompt may be empty);
``part`` (train, support or query), ``at`` (ISO 8601), ``attributes`` (an object, of the pair),
``about`` (an object, of the person; later lines add to earlier ones) and ``tie`` (true where
neither was preferred: such a pair is learned from and never asked about) are optional; other keys
are not read.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from befit.core.errors import InvalidImportError
from befit.evaluate.schema import PARTS, PairData, PairRow, Part


def read_pairs(path: Path) -> PairData:
    """Read a file of pairs.

    Raises:
        InvalidImportError: The file or a line does not read; names line and field.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidImportError(
            f"{path} cannot be read: {error.strerror}",
            hint="give a JSONL file with user, prompt, chosen, rejected",
            field="pairs",
        ) from error
    rows: list[PairRow] = []
    ties: list[PairRow] = []
    about: dict[str, dict[str, str]] = {}
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            given = _object(line, number)
            row = _row(given, number)
            (ties if _tie(given, number) else rows).append(row)
            if said := _strings(given, number, "about"):
                about.setdefault(row.user, {}).update(said)
    if not rows:
        raise InvalidImportError(f"{path} has no pairs", hint="one object a line", field="pairs")
    users_of: dict[str, str] = {}
    shared = any(
        users_of.setdefault(text, row.user) != row.user
        for row in (*rows, *ties)
        for text in (row.chosen, row.rejected)
    )
    return PairData(
        name=path.stem,
        rows=tuple(rows),
        ties=tuple(ties),
        about=about,
        licence="as the file's owner says",
        digest=hashlib.sha256(content).hexdigest(),
        rule="pairs as given in the file",
        shared_items=shared,
    )


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError as error:  # also what is not valid UTF-8
        raise _fault(number, "", f"is not JSON in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise _fault(number, "", "is not an object")
    return content


def _row(content: dict[str, Any], number: int) -> PairRow:
    row = PairRow(
        user=_string(content, number, "user"),
        prompt=_string(content, number, "prompt", empty=True),
        chosen=_string(content, number, "chosen"),
        rejected=_string(content, number, "rejected"),
        part=_part(content, number),
        at=_at(content, number),
        attributes=_strings(content, number, "attributes"),
    )
    if row.chosen == row.rejected:
        raise _fault(number, "rejected", "is the same text as chosen")
    return row


def _string(content: dict[str, Any], number: int, name: str, *, empty: bool = False) -> str:
    value = content.get(name)
    if not isinstance(value, str):
        raise _fault(number, name, "is missing" if value is None else "is not a string")
    if not empty and not value.strip():
        raise _fault(number, name, "is empty")
    return value


def _part(content: dict[str, Any], number: int) -> Part:
    value = content.get("part") or ""
    for part in PARTS:
        if value == part:
            return part
    raise _fault(number, "part", "is not one of train, support, query")


def _at(content: dict[str, Any], number: int) -> datetime | None:
    value = content.get("at")
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _fault(number, "at", "is not an ISO 8601 time") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _tie(content: dict[str, Any], number: int) -> bool:
    value = content.get("tie", False)
    if not isinstance(value, bool):
        raise _fault(number, "tie", "is not true or false")
    return value


def _strings(content: dict[str, Any], number: int, name: str) -> dict[str, str]:
    value = content.get(name) or {}
    if not isinstance(value, dict):
        raise _fault(number, name, "is not an object")
    return {str(name): str(held) for name, held in value.items()}


def _fault(number: int, name: str, problem: str) -> InvalidImportError:
    place = f"line {number}, {name}" if name else f"line {number}"
    return InvalidImportError(
        f"{place}: {problem}",
        hint="each line is an object with user, prompt, chosen and rejected",
        field=place,
    )
