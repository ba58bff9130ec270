"""One store as several SQLite files: each person in one of them, by a hash of their id.

A file has one writer at a time; several files have several, and each stays small. How many there
are is in their names, so that a memory opened with another number is refused and finds nobody
missing. It knows nothing of what is in them but whether people are.
"""

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from befit.core.errors import ConfigError
from befit.core.people import UserId
from befit.memory.store import Store, open_store

_MOST = 1024  # files


class Shards:
    """The files; opened when they are used.

    Args:
        path: ``befit.db``; several are ``befit.00-of-08.db`` and so on beside it.
        count: How many.

    Raises:
        ConfigError: The count is out of range.

    Attributes:
        path: The same.
        count: The same.
    """

    def __init__(self, path: str | os.PathLike[str], count: int) -> None:
        if not 1 <= count <= _MOST:
            raise ConfigError(
                f"{count} files cannot be", hint=f"set 1 to {_MOST}", field="memory.shards"
            )
        self.path, self.count = Path(path), count
        names = [self._name(place) for place in range(count)] if count > 1 else [self.path]
        self._stores = [open_store(name) for name in names]
        self._lock = threading.Lock()
        self._checked = False

    @property
    def first(self) -> Store:
        """The file of a store that has one."""
        return self.store(0)

    def of(self, user: UserId) -> Store:
        """The file of a person."""
        return self.store(0 if self.count == 1 else self.place(user))

    def place(self, user: UserId) -> int:
        """The number of a person's file; the same for ever."""
        return int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "big") % self.count

    def store(self, place: int) -> Store:
        """A file by its number.

        Raises:
            ConfigError: People are in files of another number.
        """
        if not self._checked:
            self._check()
        return self._stores[place]

    def all(self) -> Sequence[Store]:
        """Every file."""
        return [self.store(place) for place in range(self.count)]

    def _name(self, place: int) -> Path:
        return self.path.with_name(
            f"{self.path.stem}.{place:02d}-of-{self.count:02d}{self.path.suffix}"
        )

    def _check(self) -> None:
        """Refuse to begin anew beside people who are in files of another number."""
        with self._lock:
            pattern = f"{self.path.stem}.*-of-*{self.path.suffix}"
            ours = {store.path.name for store in self._stores}
            others = {each.name for each in self.path.parent.glob(pattern)} - ours
            if self.count > 1 and _has_people(self.path):
                others.add(self.path.name)
            if others:
                raise ConfigError(
                    f"people are in {min(others)}, which is not one of {self.count}",
                    hint="set memory.shards as it was, or move them with befit store copy",
                    field="memory.shards",
                )
            self._checked = True


def _has_people(path: Path) -> bool:
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None
        except sqlite3.OperationalError:  # no such table: nothing of ours
            return False
