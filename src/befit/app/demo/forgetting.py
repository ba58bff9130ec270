"""Act e: one person is forgotten, and a byte search of every file proves it."""

from dataclasses import dataclass
from pathlib import Path

from befit.app.demo.people import Person
from befit.app.demo.stage import Stage
from befit.core.people import UserId
from befit.memory.erasure import search_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What the search found.

    Attributes:
        person: Who was forgotten.
        records: How many records went.
        bytes_before: Occurrences of the person's words in the files before, which shows that
            the search can find them.
        bytes_found: Occurrences afterwards.
        files: How many files were searched.
    """

    person: str
    records: int
    bytes_before: int
    bytes_found: int
    files: int


def forget(stage: Stage, person: Person, folder: Path, answers: tuple[str, ...]) -> Forgetting:
    """Erase a person and look for their words, and for what was answered to them."""
    needles = [text.encode() for text in (*person.statements, *answers) if text]
    before = search_bytes([folder], needles)
    records = stage.cycle.forget(UserId(person.name))
    return Forgetting(
        person=person.name,
        records=records,
        bytes_before=before,
        bytes_found=search_bytes([folder], needles),
        files=sum(1 for path in folder.rglob("*") if path.is_file()),
    )
