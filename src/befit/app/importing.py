"""Takes a person over from a file, whoever wrote it: the one place where the edges do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from befit.core.dialogue import Context
from befit.core.errors import InputError, InvalidImportError, UnknownUserError
from befit.core.people import UserId
from befit.features.statements import read_statement
from befit.memory.consented import ConsentedMemory
from befit.memory.imports import Imported, Read, read_chatgpt, read_mem0
from befit.memory.portability import read_person
from befit.memory.portable_rights import NAMES, import_rights


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What became of a file.

    Attributes:
        user: Whose it is.
        imported: Pieces of evidence that are remembered.
        held: Those that wait for the person's word.
        refused: Those that there is no consent for.
        decided: Decisions and waiting pieces that came with an export of befit.
        undated: Pieces without a time, which got that of the import.
        shortened: Texts that were too long and were cut.
    """

    user: UserId
    imported: int = 0
    held: int = 0
    refused: int = 0
    decided: int = 0
    undated: int = 0
    shortened: int = 0


BEFIT = "befit"
_READERS: dict[str, Callable[[object, UserId, datetime, Read], Imported]] = {
    "mem0": read_mem0,
    "chatgpt": read_chatgpt,
}


def take_over(
    memory: ConsentedMemory, data: Any, written_by: str, user: UserId | None, at: datetime
) -> TakenOver:
    """Remember what a file holds, as far as the person allows it.

    Args:
        memory: Where to.
        data: The file's JSON values.
        written_by: Who wrote it: "befit", "mem0", "chatgpt".
        user: Whose it shall be; None is the person named in an export of befit.
        at: When, UTC.

    Raises:
        InvalidImportError: It is no such file; ``field`` names the place, and nothing is kept.
        InputError: Nobody of that name writes files that are read here.
        UnknownUserError: The file does not say whose it is, and nobody is named.
    """
    if written_by == BEFIT:
        return _own(memory, data, user)
    if written_by not in _READERS:
        raise InputError(
            f"nothing reads files of {written_by!r}",
            hint=f"one of {', '.join((BEFIT, *_READERS))}",
            field="format",
        )
    if not user:
        raise UnknownUserError(
            "the file does not say whose it is in befit", hint="add --user ID", field="user"
        )
    space = memory.recall(Context(user=user, messages=(), at=at)).space
    found = _READERS[written_by](data, user, at, lambda text: read_statement(space, text))
    sifted = memory.take(found.evidence)
    return TakenOver(
        user=user,
        imported=len(sifted.kept),
        held=len(sifted.held),
        refused=len(sifted.refused),
        undated=found.undated,
        shortened=found.shortened,
    )


def _own(memory: ConsentedMemory, data: Any, user: UserId | None) -> TakenOver:
    """A file of `befit export`: decisions first, for they say what may be kept."""
    if not isinstance(data, Mapping):
        raise InvalidImportError("import is no object", hint="write {...}", field="import")
    owner, evidence = read_person({k: v for k, v in data.items() if k not in NAMES}, user)
    decided = import_rights(memory.ledger, data, owner)
    sifted = memory.restore(evidence)
    return TakenOver(
        user=owner,
        imported=len(sifted.kept),
        held=len(sifted.held),
        refused=len(sifted.refused),
        decided=decided,
    )
