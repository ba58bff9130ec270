"""A person's whole memory as one JSON document, out and in again.

::

    {"format": "befit.person", "version": 1, "user": "...",
     "evidence":     [{"id", "user", "kind", "at", "text", "values", "noise", "pair", "scope",
                       "source", "by", "graded", "learned", "origin"}, ...],
     "interactions": [{"context": {...}, "response": {...}, "feedback": [...], "compared": [...]}]}

Fields are those of `befit.core`; what is left out has the default. ``at`` and ``learned`` are
ISO 8601 with their offset, and ``learned`` may be null: known as soon as it was true. ``pair`` is
null or ``{"prompt", "chosen", "rejected", "weight"}``, ``graded`` is null or
``{"prompt", "text", "value", "weight"}``. Evidence goes back in as it came out. Interactions go
out, since they are the person's; they do not come in: only the boundary makes a response.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from befit.core.errors import InvalidImportError
from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.core.protocols import Journal, Memory
from befit.memory.codec import Reader, evidence_from_json, evidence_to_json, interaction_to_json

FORMAT = "befit.person"
VERSION = 1

_FIELDS = ("format", "version", "user", "evidence", "interactions")


def export_person(memory: Memory, journal: Journal, user: UserId) -> dict[str, Any]:
    """Everything that is kept of a person, as JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "user": user,
        "evidence": [evidence_to_json(each) for each in memory.evidence(user)],
        "interactions": [interaction_to_json(each) for each in journal.read(user)],
    }


def import_person(memory: Memory, data: Mapping[str, Any], user: UserId | None = None) -> int:
    """Remember the evidence of an export, all of it or none; what is there already counts once.

    Args:
        memory: Where to.
        data: What `export_person` made.
        user: Whose it shall be; the person named in the export by default.

    Returns:
        How many pieces of evidence it holds.

    Raises:
        InvalidImportError: It is no export, or a field is wrong; ``field`` names it.
    """
    _, found = read_person(data, user)
    memory.remember(found)
    return len(found)


def read_person(
    data: Mapping[str, Any], user: UserId | None = None
) -> tuple[UserId, list[Evidence]]:
    """Whose an export is, and its evidence; nothing is kept.

    Args:
        data: What `export_person` made.
        user: Whose it shall be; the person named in the export by default.

    Raises:
        InvalidImportError: It is no export, or a field is wrong; ``field`` names it.
    """
    read = Reader(data, "import")
    if read.get("format", None) != FORMAT:
        raise read.wrong("format", f"is not {FORMAT!r}")
    if read.get("version", None) != VERSION:
        raise read.wrong("version", f"is not {VERSION}; another befit wrote it")
    read.only(_FIELDS)
    owner = UserId(read.text("user"))
    listed = read.get("evidence")
    if not isinstance(listed, list):
        raise read.wrong("evidence", "is no list")
    found = [evidence_from_json(each, f"evidence[{n}]") for n, each in enumerate(listed)]
    for number, each in enumerate(found):
        if each.user != owner:
            field = f"evidence[{number}].user"
            raise InvalidImportError(
                f"{field}: is another person's", hint=f"keep to {owner!r}", field=field
            )
    return user or owner, [replace(each, user=user) if user else each for each in found]
