"""One SQLite file, shared by evidence, journal and artifacts: durable, grouped, many processes.

A write is acknowledged after its transaction is on disk (WAL, ``synchronous=FULL``). While one
transaction is being flushed the next ones gather, so that many writers share a flush and one
writer never waits. Deleted content is overwritten. It knows tables and nothing of what they mean.
"""

import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from befit.core.errors import (
    CorruptStoreError,
    FullStoreError,
    ReadOnlyStoreError,
    StoreError,
)

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

SCHEMA = 1
SHIFT = 34  # a row's key is the person's number << SHIFT | a count, so a person's rows lie together
_MOST = 512  # jobs of one transaction
_WAIT_S = 20.0  # for a lock that another process holds

_TABLES = """
CREATE TABLE IF NOT EXISTS person (
  number INTEGER PRIMARY KEY, user TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS evidence (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL, vector BLOB,
  taste TEXT NOT NULL DEFAULT '', difference BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS evidence_id ON evidence (id);
CREATE TABLE IF NOT EXISTS turn (
  key INTEGER PRIMARY KEY, response TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reaction (
  key INTEGER PRIMARY KEY AUTOINCREMENT, turn INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS reaction_turn ON reaction (turn);
CREATE TABLE IF NOT EXISTS artifact (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS promotion (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, owner TEXT,
  artifact TEXT NOT NULL);
"""


@lru_cache(maxsize=256)
def _open(path: Path, process: int) -> "Store":
    return Store(path)


def store_at(path: Path | str) -> "Store":
    """The store of this file in this process; every component of one file shares it."""
    return _open(Path(path).absolute(), os.getpid())


@dataclass(slots=True)
class Store:
    """One file. Opens on first use; `close` ends its writer.

    Attributes:
        path: The database file; its folder must exist.
    """

    path: Path
    _jobs: "queue.SimpleQueue[tuple[Job[Any] | None, Future[Any]]]" = field(
        default_factory=queue.SimpleQueue, init=False, repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _local: threading.local = field(default_factory=threading.local, init=False, repr=False)
    _writer: threading.Thread | None = field(default=None, init=False, repr=False)
    _readers: list[sqlite3.Connection] = field(default_factory=list, init=False, repr=False)

    def write(self, job: Job[T]) -> T:
        """Run a job in a transaction; returns when it is on disk.

        Raises:
            StoreError: It is not on disk.
        """
        return self.submit(job).result()

    def submit(self, job: Job[T]) -> "Future[T]":
        """`write` without waiting: the future is done when the job is on disk."""
        future: Future[T] = Future()
        with self._lock:
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._work, name="befit-store", daemon=True)
                self._writer.start()
            self._jobs.put((job, future))
        return future

    def read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Rows as they stood at the last commit of any process.

        Raises:
            StoreError: The file does not read.
        """
        try:
            return self._reader().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise typed(error, self.path) from error

    def scrub(self) -> None:
        """Overwrite what deleted rows left in the log and in free pages.

        Raises:
            StoreError: Another process kept the log busy.
        """
        self._close_reader()
        try:
            with closing(self._connect()) as connection:
                busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            raise typed(error, self.path) from error
        if busy:
            raise StoreError(
                "the log is in use, so erased bytes may still be in it",
                hint="forget again when other processes are idle",
            )

    def close(self) -> None:
        """Finish what was submitted, end the writer, close the files."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None and writer.is_alive():
                self._jobs.put((None, Future()))
        if writer is not None:
            writer.join()
        for reader in self._readers:
            reader.close()
        self._readers.clear()
        self._local = threading.local()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            _migrate(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            if not self.path.exists():
                self.write(_nothing)  # the writer makes the file
            reader = sqlite3.connect(
                f"{self.path.as_uri()}?mode=ro",
                uri=True,
                timeout=_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._local.reader = reader
            self._readers.append(reader)
        return reader

    def _close_reader(self) -> None:
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is not None:
            reader.close()
            self._readers.remove(reader)
            self._local.reader = None

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        ended = False
        while not ended:
            jobs = [self._jobs.get()]
            with suppress(queue.Empty):
                while len(jobs) < _MOST:
                    jobs.append(self._jobs.get_nowait())
            ended = any(job is None for job, _ in jobs)
            connection = self._commit(connection, [(j, f) for j, f in jobs if j is not None])
        if connection is not None:
            connection.close()

    def _commit(
        self, connection: sqlite3.Connection | None, jobs: "list[tuple[Job[Any], Future[Any]]]"
    ) -> sqlite3.Connection | None:
        """Run the jobs in one transaction, then answer all; a failure answers all with it."""
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            connection = connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            for job, future in jobs:
                done.append((future, *_attempt(connection, job)))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()  # rolls back
            for _, future in jobs:
                future.set_exception(typed(error, self.path))
            return None
        for future, result, failure in done:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)
        return connection


def _attempt(connection: sqlite3.Connection, job: Job[Any]) -> tuple[Any, BaseException | None]:
    """One job of a shared transaction: its own failure undoes it alone."""
    connection.execute("SAVEPOINT job")
    try:
        result = job(connection)
    except sqlite3.Error:
        raise  # the disk, not the job: nobody is acknowledged
    except Exception as error:  # noqa: BLE001 - handed to the caller that submitted the job
        connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
        return None, error
    connection.execute("RELEASE job")
    return result, None


def person_number(connection: sqlite3.Connection, user: str) -> int:
    """The person's number, new where they are; counts a change of theirs."""
    row = connection.execute(
        "INSERT INTO person (user, revision) VALUES (?, 1)"
        " ON CONFLICT (user) DO UPDATE SET revision = revision + 1 RETURNING number",
        (user,),
    ).fetchone()
    return int(row[0])


def next_key(connection: sqlite3.Connection, table: str, number: int) -> int:
    """The key of the person's next row in a table of this module."""
    first, last = key_range(number)
    sql = f"SELECT max(key) FROM {table} WHERE key BETWEEN ? AND ?"  # noqa: S608 - our own names
    row = connection.execute(sql, (first, last)).fetchone()
    return int(row[0]) + 1 if row[0] is not None else first


def key_range(number: int) -> tuple[int, int]:
    """The first and last key that a person's rows can have."""
    return number << SHIFT, ((number + 1) << SHIFT) - 1


def typed(error: sqlite3.Error, path: Path) -> StoreError:
    """The error of ours for an error of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return ReadOnlyStoreError(
            f"{path} cannot be written: {error}", hint="give a path in a folder that can be written"
        )
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return FullStoreError(
            f"{path} cannot grow: {error}", hint="free some disk; what was acknowledged is safe"
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return CorruptStoreError(
            f"{path} is damaged: {error}", hint="restore it from a backup or an export"
        )
    return StoreError(f"{path} cannot serve: {error}", hint="try again")


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise sqlite3.DatabaseError(f"schema {version} is newer than this befit reads ({SCHEMA})")
    if version < SCHEMA:
        connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version={SCHEMA};COMMIT;")


def _nothing(connection: sqlite3.Connection) -> None:
    """A transaction that changes nothing."""
