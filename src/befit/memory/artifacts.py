"""The shelf of learned files: folders, and in the database which of them is active.

The files of an artifact are copied once, to the disk before they are listed, and never changed.
Promotions are a history for each owner and kind, so that the one before can be made active again.
It never reads what is in the files.
"""

import json
import os
import re
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from befit.core.artifact import Artifact
from befit.core.errors import FullStoreError, InputError, ReadOnlyStoreError, StoreError
from befit.core.people import UserId
from befit.memory.blocks import microseconds, moment
from befit.memory.codec import dump
from befit.memory.erasure import owe
from befit.memory.rows import Pointers
from befit.memory.store import Store, open_store

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
#: What of a row `artifact_of` reads, in order.
COLUMNS = "id, kind, owner, base, at, metrics"
_LAST = "SELECT max(number) FROM promotions WHERE owner IS ? AND kind = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowArtifacts(ABC):
    """What every shelf with folders has; a database adds where the pointers are."""

    _pointers: Pointers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pointers", self._open())

    @property
    def pointers(self) -> Pointers:
        """Where the pointers are: for copying, not for use."""
        return self._pointers

    @abstractmethod
    def _open(self) -> Pointers:
        """The pointers; nothing is read or made before they are used."""

    @property
    @abstractmethod
    def shelf(self) -> Path:
        """The folder in which each artifact has one, named by its id."""

    def put(self, artifact: Artifact, folder: Path) -> None:
        """Copy the files of an artifact onto the shelf; what is there already stays.

        Raises:
            InputError: The id cannot name a folder, or there are no files.
            StoreError: The files could not be written.
        """
        place = self._place(artifact.id)
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder", hint="learn into a folder", field="folder")
        if not place.exists():
            _copy(folder, place)
        self._pointers.add(artifact)

    def active(self, owner: UserId | None, kind: str) -> Artifact | None:
        """The artifact promoted last; None where there is none."""
        return self._pointers.active(owner, kind)

    def folder(self, artifact_id: str) -> Path:
        """Where the files of an artifact are.

        Raises:
            InputError: There is no such artifact.
        """
        place = self._place(artifact_id)
        if not place.is_dir():
            raise _unknown(artifact_id)
        return place

    def promote(self, artifact_id: str) -> None:
        """Make an artifact the active one of its owner and kind.

        Raises:
            InputError: There is no such artifact.
        """
        if not self._pointers.promote(artifact_id):
            raise _unknown(artifact_id)

    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None:
        """Take the last promotion back; returns what is active now."""
        return self._pointers.rollback(owner, kind)

    def erase(self, owner: UserId) -> int:
        """Erase a person's artifacts, files included; returns how many."""
        owned = self._pointers.artifacts(owner)
        for each in owned:  # the files first: cut short, it can be done again
            place = self._place(each.id)
            shutil.rmtree(place, ignore_errors=True)
            if place.exists():
                raise ReadOnlyStoreError(
                    f"{place} cannot be erased", hint="make the folder writable"
                )
        if owned:
            self._pointers.erase(owner)
        return len(owned)

    def _place(self, artifact_id: str) -> Path:
        if not _ID.fullmatch(artifact_id):
            raise InputError(
                f"{artifact_id!r} cannot name an artifact",
                hint="use letters, digits, dot, dash and underscore",
                field="artifact_id",
            )
        return self.shelf / artifact_id


@dataclass(frozen=True, slots=True)
class SqliteArtifacts(RowArtifacts):
    """The default shelf.

    Attributes:
        path: The file; the folders lie in ``<path>.artifacts``.
    """

    path: str | Path = "befit.db"

    def _open(self) -> Pointers:
        return SqlitePointers(open_store(self.path))

    @property
    def shelf(self) -> Path:
        """The folder in which each artifact has one, named by its id."""
        path = Path(self.path).resolve()
        return path.with_name(f"{path.name}.artifacts")


class SqlitePointers:
    """Pointers in SQLite.

    Args:
        store: The file.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, artifact: Artifact) -> None:
        """Keep an artifact; one that is there stays as it is."""
        query = f"INSERT OR IGNORE INTO artifacts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
        row = row_of(artifact)
        self._store.write(lambda connection: connection.execute(query, row).rowcount)

    def active(self, owner: UserId | None, kind: str) -> Artifact | None:
        """The one promoted last."""
        return self._store.read(lambda connection: _active(connection, owner, kind))

    def promote(self, artifact_id: str) -> bool:
        """Make one active; False where there is none of that id."""
        query = (
            "INSERT INTO promotions (owner, kind, artifact)"
            " SELECT owner, kind, id FROM artifacts WHERE id = ?"
        )
        return bool(self._store.write(lambda c: c.execute(query, (artifact_id,)).rowcount))

    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None:
        """Take the last promotion back; returns what is active now."""

        def work(connection: sqlite3.Connection) -> Artifact | None:
            connection.execute(f"DELETE FROM promotions WHERE number = ({_LAST})", (owner, kind))  # noqa: S608
            return _active(connection, owner, kind)

        return self._store.write(work)

    def artifacts(self, owner: UserId | None) -> Sequence[Artifact]:
        """Someone's artifacts, oldest first."""
        query = f"SELECT {COLUMNS} FROM artifacts WHERE owner IS ? ORDER BY at, id"  # noqa: S608
        rows = self._store.read(lambda c: c.execute(query, (owner,)).fetchall())
        return [artifact_of(row) for row in rows]

    def all(self) -> Sequence[Artifact]:
        """Everyone's artifacts, oldest first."""
        query = f"SELECT {COLUMNS} FROM artifacts ORDER BY at, id"  # noqa: S608 - ours
        return [artifact_of(row) for row in self._store.read(lambda c: c.execute(query).fetchall())]

    def promotions(self) -> Sequence[str]:
        """Ids, in the order in which they were promoted and not taken back."""
        query = "SELECT artifact FROM promotions ORDER BY number"
        return [name for (name,) in self._store.read(lambda c: c.execute(query).fetchall())]

    def erase(self, owner: UserId) -> None:
        """Forget someone's artifacts and promotions, bytes included."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM promotions WHERE owner = ?", (owner,))
            connection.execute("DELETE FROM artifacts WHERE owner = ?", (owner,))
            owe(connection, [os.urandom(16)])  # found nowhere: that the log is to be emptied

        self._store.write(work)
        self._store.scrub()


def row_of(artifact: Artifact) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        artifact.id,
        artifact.kind,
        artifact.owner,
        artifact.base,
        microseconds(artifact.at),
        dump(dict(artifact.metrics)),
    )


def artifact_of(row: Sequence[Any]) -> Artifact:
    """The artifact of `row_of`."""
    name, kind, owned, base, at, metrics = row
    return Artifact(
        id=name, kind=kind, owner=owned, base=base, at=moment(at), metrics=json.loads(metrics)
    )


def _active(connection: sqlite3.Connection, owner: UserId | None, kind: str) -> Artifact | None:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifacts WHERE id ="  # noqa: S608 - ours
        f" (SELECT artifact FROM promotions WHERE number = ({_LAST}))",
        (owner, kind),
    ).fetchone()
    return None if row is None else artifact_of(row)


def _copy(folder: Path, place: Path) -> None:
    """Copy a folder so that it is there whole or not at all, and on the disk."""
    part = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(folder, part)
        for path in [*part.rglob("*"), part]:
            _flush(path)
        if not place.exists():
            part.rename(place)
            _flush(place.parent)
    except OSError as error:
        kind: type[StoreError] = FullStoreError if error.errno == 28 else ReadOnlyStoreError
        raise kind(
            f"{place.parent}: {error.strerror}", hint="free space or make the folder writable"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unknown(artifact_id: str) -> InputError:
    return InputError(
        f"there is no artifact {artifact_id!r}", hint="learn one first", field="artifact_id"
    )
