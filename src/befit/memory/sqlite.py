"""Memory in SQLite: rows of evidence that stand together by person, in one file or in several.

The meaning of the rows is `memory.profiles`; here they are written by group commit, read in one
statement each, and erased with proof that no byte of them is left.
"""

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from befit.core.people import UserId
from befit.memory.blocks import COLUMNS, Block, entry_of
from befit.memory.erasure import owe
from befit.memory.ledger import ListedLedger, SqliteLedger
from befit.memory.people import enrol, everyone, following, leave, person
from befit.memory.profiles import RowMemory
from befit.memory.rows import EvidenceRows, Row
from befit.memory.schema import SPAN
from befit.memory.sharded import Shards
from befit.memory.store import Store

_INSERT = f"INSERT OR IGNORE INTO evidence (mark, owner, {COLUMNS}) VALUES ({'?, ' * 19}?)"  # noqa: S608


@dataclass(frozen=True, slots=True)
class SqliteMemory(RowMemory):
    """The default memory.

    Attributes:
        path: The file; shared with the journal and the artifacts.
        shards: Over how many files beside it people are spread, by a hash of their id; 1 is the
            file itself. Evidence of several people handed in at once is then kept all or none for
            each file, and not for all of them.
    """

    path: str | Path = "befit.db"
    shards: int = 1
    _shards: Shards = field(init=False, repr=False, compare=False)

    def _open(self) -> EvidenceRows:
        object.__setattr__(self, "_shards", Shards(self.path, self.shards))
        return SqliteRows(self._shards)

    def ledger(self) -> ListedLedger:
        """Where decisions on this memory are kept: beside its file."""
        return SqliteLedger(path=f"{self.path}.rights")

    def settle(self) -> None:
        """Wait until no copy of an erased row is left in any file.

        Raises:
            StoreError: Another process holds an old snapshot open.
        """
        for store in self._shards.all():
            store.settle()

    @property
    def _store(self) -> Store:
        return self._shards.first


class SqliteRows:
    """Rows of evidence in SQLite.

    Args:
        shards: The files.
    """

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    def add(self, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        """Keep rows, all or none in each file."""
        if self._shards.count == 1:
            return self._add(self._shards.first, rows)
        places = sorted(rows, key=lambda each: self._shards.place(each[0]))
        futures = [
            self._add(self._shards.store(place), list(group))
            for place, group in groupby(places, key=lambda each: self._shards.place(each[0]))
        ]
        return _joined(futures)

    def _add(self, store: Store, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        def work(connection: sqlite3.Connection) -> None:
            for user in dict.fromkeys(user for user, _ in rows):
                who = enrol(connection, user)
                added = 0
                for owner, row in rows:
                    if owner == user:
                        key = following(connection, "evidence", who)
                        head = (who.mark("evidence", key), who.number, key)
                        added += connection.execute(_INSERT, (*head, *row)).rowcount
                if added:
                    query = "UPDATE users SET revision = revision + 1 WHERE number = ?"
                    connection.execute(query, (who.number,))

        return store.submit(work)

    def load(self, user: UserId, cached: Block | None) -> Block:
        """The person's rows as they are now: ``cached`` itself where it still stands."""

        def read(connection: sqlite3.Connection) -> Block:
            if cached is not None:
                query = "SELECT number, revision FROM users WHERE user = ?"
                found = connection.execute(query, (user,)).fetchone()
                if found == (cached.number, cached.revision):
                    return cached
            return _load(connection, user, cached)

        return self._shards.of(user).read(read)

    def delete(self, user: UserId, ids: Sequence[str] | None) -> int:
        """Erase some of a person's rows, or all, bytes included; returns how many."""

        def work(connection: sqlite3.Connection) -> int:
            who = person(connection, user)
            if who is None:
                return 0
            if ids is None:
                query = "DELETE FROM evidence WHERE key >= ? AND key < ?"
                count, marks = connection.execute(query, who.keys).rowcount, [who.head("evidence")]
            else:
                query = "DELETE FROM evidence WHERE owner = ? AND id = ? RETURNING mark"
                found = (connection.execute(query, (who.number, each)).fetchall() for each in ids)
                marks = [mark for rows in found for (mark,) in rows]
                count = len(marks)
            connection.execute(
                "UPDATE users SET revision = revision + 1, erased = erased + 1 WHERE number = ?",
                (who.number,),
            )
            leave(connection, who)
            if count:
                owe(connection, marks)
            return count

        store = self._shards.of(user)
        count = store.write(work)
        if count:
            store.scrub()
        return count

    def derive(self, user: UserId, updates: Sequence[Row]) -> None:
        """Keep what was derived anew; a row that was deleted meanwhile stays deleted."""
        query = (
            "UPDATE evidence SET vector = ?, encoder = ?, latent = ?, taste = ?"
            " WHERE key = ? AND id = ?"
        )
        store = self._shards.of(user)
        store.submit(lambda connection: connection.executemany(query, updates).rowcount)

    def people(self) -> Sequence[UserId]:
        """Everyone of whom evidence or turns are kept."""
        return sorted(user for store in self._shards.all() for user in store.read(everyone))

    def close(self) -> None:
        """Close every file; a later use opens again."""
        for store in self._shards.all():
            store.close()


def _joined(futures: "Sequence[Future[None]]") -> "Future[None]":
    """Done when all are; raises what the first that failed raised."""
    whole: Future[None] = Future()
    lock = threading.Lock()
    left = len(futures)

    def one_done(_: "Future[None]") -> None:
        nonlocal left
        with lock:
            left -= 1
            if left:
                return
        if not whole.set_running_or_notify_cancel():
            return
        error = next((e for each in futures if (e := each.exception())), None)
        if error is None:
            whole.set_result(None)
        else:
            whole.set_exception(error)

    for each in futures:
        each.add_done_callback(one_done)
    if not futures:
        whole.set_result(None)
    return whole


def _load(connection: sqlite3.Connection, user: UserId, cached: Block | None) -> Block:
    """Read the rows in one statement, so that they fit the revision; only new ones if none left."""
    last = max((each.key for each in cached.entries), default=-1) if cached else -1
    rows = connection.execute(
        f"SELECT u.number, u.revision, u.erased, {COLUMNS} FROM users u"  # noqa: S608 - ours
        f" LEFT JOIN evidence e ON e.key >= u.number * {SPAN} AND e.key < (u.number + 1) * {SPAN}"
        f" AND (u.erased <> ? OR u.number <> ? OR e.key > ?) WHERE u.user = ?",
        (cached.erased if cached else -1, cached.number if cached else -1, last, user),
    ).fetchall()
    if not rows:
        return Block.of(0, 0, 0, ())
    number, revision, erased = rows[0][:3]
    kept = cached.entries if cached and (cached.number, cached.erased) == (number, erased) else ()
    new = [entry_of(user, row[3:]) for row in rows if row[3] is not None]
    return Block.of(number, revision, erased, (*kept, *new))
