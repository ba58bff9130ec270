"""One SQLite file, written by group commit and read from a pool of connections.

A writer thread collects what many threads hand in, runs it as one transaction and answers each only
when that transaction is on the disk (WAL, ``synchronous=FULL``): nothing acknowledged is lost, and
32 writers share one flush (`memory.writer`). Several processes may use the file at once. Deleted
content is overwritten (``secure_delete``), and `scrub` sees to it that no copy is left. It knows
nothing of what is in the file (`memory.schema`) nor of what it means.
"""

import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from befit.core.errors import CorruptStoreError, StoreError
from befit.memory.erasure import owed, pay, search_bytes
from befit.memory.schema import MEND, connect, translate
from befit.memory.writer import GroupWriter

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_AT_ONCE = 4_000_000  # bytes of a file that is searched while one waits
_GATHER = 0.2  # seconds after an erasure until copies are sought in the background
_POOL = 16  # idle read connections kept


@dataclass(frozen=True, slots=True)
class _Link:
    """How the writer reaches the file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def open(self) -> sqlite3.Connection:
        return connect(self.path)

    def close(self, connection: sqlite3.Connection) -> None:
        connection.close()

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def is_usable(self, connection: sqlite3.Connection) -> bool:
        """One that could not even roll back is not."""
        return not connection.in_transaction

    def typed(self, error: Exception) -> Exception:
        return translate(error, self.path) if isinstance(error, sqlite3.Error) else error

    def is_doubtful(self, error: BaseException) -> bool:
        """Never: a commit that raised was not kept."""
        return False


@dataclass(slots=True)
class _Later:
    """What is settled in the background; knows nothing of who uses the store."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: bool = False
    thread: threading.Thread | None = None
    hurry: threading.Event = field(default_factory=threading.Event)


def _finish(later: _Later, writer: "GroupWriter[sqlite3.Connection]") -> None:
    """Settle what is under way, write what was handed in."""
    later.hurry.set()
    thread = later.thread
    if thread is not None and thread is not threading.current_thread():
        thread.join()
    writer.close()


class Store:
    """The file. Opens on first use; safe to share between threads and across ``fork``.

    Attributes:
        path: Where the file is; the folder is made when it is first written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._reset()
        _STORES.add(self)

    def _reset(self) -> None:
        self._begun = False
        self._settling = threading.Lock()
        self._later = _Later()
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer = GroupWriter(_Link(self.path))
        self._finalizer = weakref.finalize(self, _finish, self._later, self._writer)

    def read(self, work: Work[T]) -> T:
        """Run ``work`` on a read connection; each statement sees one consistent snapshot.

        Raises:
            StoreError: The file cannot be read.
        """
        connection = None
        try:
            connection = self._borrow()
            return work(connection)
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
        finally:
            if connection is not None:
                self._give_back(connection)

    def write(self, work: Work[T]) -> T:
        """Run ``work`` in a transaction; returns once it is on the disk.

        Raises:
            StoreError: It was not written; the type says why.
        """
        return self.submit(work).result()

    def submit(self, work: Work[T]) -> "Future[T]":
        """As `write`, without waiting: the future is done once it is on the disk.

        ``work`` runs in another thread, together with others, and again where one of them fails: it
        must do nothing but use the connection it is given.
        """
        if not self._begun:
            self._begun = True
            if self.path.exists():  # an erasure may have been cut short
                self._settle_soon()
        return self._writer.submit(work)

    def scrub(self) -> None:
        """Leave nothing of deleted rows in any file; those that `erasure.owe` noted are sought.

        In a file of up to 4 MB they are overwritten, out of the log, and their copies in unused
        parts of pages gone when this returns. In a larger one that is done in the background, so
        that nobody waits but for their deletion: `settle` waits for it, `close` does, and so does
        the end of the process; cut short, it is taken up again with the next write.

        Raises:
            StoreError: Another process holds an old snapshot open.
        """
        if self.path.stat().st_size <= _AT_ONCE:
            self._empty_log()
            self.settle()
        else:
            self._settle_soon()

    def settle(self) -> None:
        """Seek copies of deleted rows now, and rewrite the file where there are any.

        Raises:
            StoreError: Another process holds an old snapshot open; they are sought again later.
        """
        with self._settling:
            found = self.read(owed)
            if not found:
                return
            self.read(_copy_log)  # while others write, so that they wait for little
            self._empty_log()
            if search_bytes([self.path], list(found.values())):
                self._writer.submit(lambda c: c.execute("VACUUM").rowcount, bare=True).result()
                self._empty_log()
            self._writer.submit(lambda c: pay(c, found)).result()

    def _settle_soon(self) -> None:
        later = self._later
        with later.lock:
            later.wanted = True
            if later.thread is None:
                later.thread = threading.Thread(
                    target=self._settle_wanted, args=(later,), name="befit-settle", daemon=True
                )
                later.thread.start()

    def _settle_wanted(self, later: "_Later") -> None:
        while True:
            later.hurry.wait(_GATHER)  # what is erased in one go is sought in one
            with later.lock:
                if not later.wanted:
                    later.thread = None
                    return
                later.wanted = False
            with suppress(StoreError):  # what is owed stays noted, and is sought next time
                self.settle()

    def _empty_log(self) -> None:
        for _ in range(3):
            if not self._writer.submit(_truncate_log, bare=True).result():
                return
        raise StoreError(
            f"{self.path}: the log could not be emptied; another process is reading",
            hint="stop the other process, or wait for it, and use the store again",
        )

    def check(self) -> None:
        """Verify every page of the file.

        Raises:
            CorruptStoreError: Something is damaged.
        """
        found = self.read(lambda c: c.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if found != "ok":
            raise CorruptStoreError(f"{self.path} is damaged: {found}", hint=MEND)

    def close(self) -> None:
        """Write what was handed in and close every connection; a later use opens again."""
        self._finalizer()
        self._close_idle()
        self._reset()

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return connect(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if len(self._idle) < _POOL:
            self._idle.append(connection)
        else:
            connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _before_fork(self) -> None:
        """Close everything: SQLite's locks are the process's, and a child must not inherit them."""
        self._settling.acquire()
        self._writer.pause()
        self._close_idle()

    def _in_parent(self) -> None:
        self._writer.resume()
        self._settling.release()

    def _in_child(self) -> None:
        self._finalizer.detach()
        self._reset()


_STORES: "weakref.WeakSet[Store]" = weakref.WeakSet()
_OPEN: "weakref.WeakValueDictionary[Path, Store]" = weakref.WeakValueDictionary()
_OPENING = threading.RLock()


def _copy_log(connection: sqlite3.Connection) -> None:
    """Copy from the log into the file what no reader is in the way of."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _truncate_log(connection: sqlite3.Connection) -> bool:
    """Whether something was in the way."""
    return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def open_store(path: str | os.PathLike[str]) -> Store:
    """The store of that file: one in a process, so that all its users share commits."""
    resolved = Path(path).resolve()
    with _OPENING:
        store = _OPEN.get(resolved)
        if store is None:
            store = _OPEN[resolved] = Store(resolved)
        return store


def _before_fork() -> None:
    _OPENING.acquire()
    for store in list(_STORES):
        store._before_fork()  # noqa: SLF001 - same module


def _in_parent() -> None:
    for store in list(_STORES):
        store._in_parent()  # noqa: SLF001 - same module
    _OPENING.release()


def _in_child() -> None:
    for store in list(_STORES):
        store._in_child()  # noqa: SLF001 - same module
    _OPENING.release()


os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
