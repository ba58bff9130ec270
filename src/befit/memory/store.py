"""One SQLite file, written by group commit and read from a pool of connections.

A writer thread collects what many threads hand in, runs it as one transaction and answers each only
when that transaction is on the disk (WAL, ``synchronous=FULL``): nothing acknowledged is lost, and
32 writers share one flush. Several processes may use the file at once. Deleted content is
overwritten (``secure_delete``), and `scrub` sees to it that no copy is left. It knows nothing of
what is in the file (`memory.schema`) nor of what it means.

Source: group commit, DeWitt et al. 1984, "Implementation techniques for main memory database
systems", section 5.2.
"""

import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

from befit.core.errors import CorruptStoreError, StoreError
from befit.memory.erasure import search_bytes
from befit.memory.schema import MEND, connect, translate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_BATCH = 256  # most writes in one transaction
_LINGER = 0.003  # seconds to wait for the writers that shared the last transaction
_POOL = 16  # idle read connections kept


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
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer = _Writer(self.path)
        self._finalizer = weakref.finalize(self, self._writer.close)

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
        return self._writer.submit(work)

    def scrub(self, marks: Sequence[bytes] = ()) -> None:
        """Leave nothing of deleted rows in any file: empty the log, rewrite the file if need be.

        Args:
            marks: How the deleted rows began.

        Raises:
            StoreError: Another process holds an old snapshot open.
        """
        self._empty_log()
        if marks and search_bytes([self.path], marks):
            self._writer.submit(lambda c: c.execute("VACUUM").rowcount, bare=True).result()
            self._empty_log()

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
        self._writer.pause()
        self._close_idle()

    def _in_parent(self) -> None:
        self._writer.resume()

    def _in_child(self) -> None:
        self._finalizer.detach()
        self._reset()


_STORES: "weakref.WeakSet[Store]" = weakref.WeakSet()
_OPEN: "weakref.WeakValueDictionary[Path, Store]" = weakref.WeakValueDictionary()
_OPENING = threading.RLock()


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


class _Task(Generic[T]):
    """One write and its answer."""

    def __init__(self, work: Work[T], *, bare: bool) -> None:
        self.work, self.bare = work, bare
        self.future: Future[T] = Future()


class _Writer:
    """The thread that writes; holds no reference to the store, so that it may be collected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wake = threading.Condition()
        self._waiting: deque[_Task[Any]] = deque()
        self._together = 1  # how many shared the last transaction
        self._closing = False
        self._thread: threading.Thread | None = None
        self._serving = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def submit(self, work: Work[T], *, bare: bool = False) -> "Future[T]":
        """Hand in a write; ``bare`` runs it outside any transaction."""
        task = _Task(work, bare=bare)
        with self._wake:
            if self._closing:
                raise StoreError(f"{self._path} is closed", hint="open the store again")
            self._waiting.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="befit-store", daemon=True)
                self._thread.start()
            elif len(self._waiting) == 1 or len(self._waiting) >= self._together:
                self._wake.notify()
        return task.future

    def close(self) -> None:
        """Write what was handed in, then end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def pause(self) -> None:
        """Wait for the transaction under way, close the connection and start no other."""
        self._serving.acquire()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def resume(self) -> None:
        """Go on after `pause`."""
        self._serving.release()

    def _run(self) -> None:
        while batch := self._collect():
            with self._serving:
                self._serve(batch)
        with self._serving:
            if self._connection is not None:
                self._connection.close()

    def _collect(self) -> list[_Task[Any]]:
        """The next batch; empty where the store closes. Waits only if others wrote just before."""
        with self._wake:
            while True:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                self._linger()
                waiting = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                self._together = max(1, len(waiting))
                batch = [task for task in waiting if task.future.set_running_or_notify_cancel()]
                if batch or (self._closing and not self._waiting):
                    return batch

    def _linger(self) -> None:
        until = time.monotonic() + _LINGER
        while len(self._waiting) < self._together and not self._closing:
            left = until - time.monotonic()
            if left <= 0 or not self._wake.wait(left):
                return

    def _serve(self, batch: list[_Task[Any]]) -> None:
        grouped = [task for task in batch if not task.bare]
        if grouped and not self._commit(grouped):
            for task in grouped:  # each for itself, so that one that fails harms no other
                self._commit([task])
        for task in batch:
            if task.bare:
                self._answer(task)

    def _commit(self, batch: list[_Task[Any]]) -> bool:
        """Run a batch as one transaction; False where it failed and none of them was answered."""
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            results = [task.work(connection) for task in batch]
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - whoever asked must hear of it
            self._undo()
            if len(batch) == 1:
                batch[0].future.set_exception(self._typed(error))
            return len(batch) == 1
        for task, result in zip(batch, results, strict=True):
            task.future.set_result(result)
        return True

    def _answer(self, task: _Task[Any]) -> None:
        try:
            task.future.set_result(task.work(self._open()))
        except BaseException as error:  # noqa: BLE001 - whoever asked must hear of it
            task.future.set_exception(self._typed(error))

    def _undo(self) -> None:
        """Roll back; a connection that cannot even do that is replaced."""
        if self._connection is None or not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def _typed(self, error: BaseException) -> BaseException:
        return translate(error, self._path) if isinstance(error, sqlite3.Error) else error
