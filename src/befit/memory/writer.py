"""Group commit: one thread that writes what many hand in, a transaction at a time.

Each is answered only when the transaction that holds it is durable, so that 32 writers share one
flush. Where one of them fails, each is tried for itself. It knows no database but by its `Link`.

Source: group commit, DeWitt et al. 1984, "Implementation techniques for main memory database
systems", section 5.2.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar

from befit.core.errors import StoreError

T = TypeVar("T")
C = TypeVar("C")

_BATCH = 256  # most writes in one transaction
_LINGER = 0.003  # seconds to wait for the writers that shared the last transaction


class Link(Protocol[C]):
    """How to reach one database; ``C`` is its kind of connection."""

    @property
    def name(self) -> str:
        """What it is called in an error."""

    def open(self) -> C:
        """A connection for the writer."""

    def close(self, connection: C) -> None:
        """Close it, whatever state it is in."""

    def transaction(self, connection: C) -> AbstractContextManager[None]:
        """Durable at the end of the block; nothing of it happened where the block raised."""

    def is_usable(self, connection: C) -> bool:
        """Whether it may be used again after an error."""

    def typed(self, error: Exception) -> Exception:
        """The error of befit for one of the database's; any other as it is."""

    def is_doubtful(self, error: BaseException) -> bool:
        """Whether the transaction may have been kept although it raised."""


class _Task(Generic[C, T]):
    """One write and its answer."""

    def __init__(self, work: Callable[[C], T], *, bare: bool, order: str) -> None:
        self.work, self.bare, self.order = work, bare, order
        self.future: Future[T] = Future()


class GroupWriter(Generic[C]):
    """The thread that writes. Holds no reference to who uses it, so that they may be collected.

    Args:
        link: The database.
    """

    def __init__(self, link: Link[C]) -> None:
        self._link = link
        self._wake = threading.Condition()
        self._waiting: deque[_Task[C, Any]] = deque()
        self._together = 1  # how many shared the last transaction
        self._closing = False
        self._thread: threading.Thread | None = None
        self._serving = threading.Lock()
        self._connection: C | None = None

    def submit(self, work: Callable[[C], T], *, bare: bool = False, order: str = "") -> "Future[T]":
        """Hand in a write.

        Args:
            work: Runs in the writer's thread, together with others, and again where one of them
                fails: it must do nothing but use the connection it is given.
            bare: Outside any transaction.
            order: Writes of one transaction run in this order, then as they came; for a database
                in which two of them could wait for each other's locks.

        Raises:
            StoreError: It is closed.
        """
        task = _Task(work, bare=bare, order=order)
        with self._wake:
            if self._closing:
                raise StoreError(f"{self._link.name} is closed", hint="open the store again")
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
        self._drop()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._serving.release()

    def _run(self) -> None:
        while batch := self._collect():
            with self._serving:
                self._serve(batch)
        with self._serving:
            self._drop()

    def _collect(self) -> list[_Task[C, Any]]:
        """The next batch; empty where it closes. Waits only if others wrote just before."""
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

    def _serve(self, batch: list[_Task[C, Any]]) -> None:
        grouped = sorted((task for task in batch if not task.bare), key=lambda task: task.order)
        if grouped and not self._commit(grouped):
            for task in grouped:  # each for itself, so that one that fails harms no other
                self._commit([task])
        for task in batch:
            if task.bare:
                self._answer(task)

    def _commit(self, batch: list[_Task[C, Any]]) -> bool:
        """Run a batch as one transaction; False where it failed and none of them was answered."""
        try:
            connection = self._open()
            with self._link.transaction(connection):
                results = [task.work(connection) for task in batch]
        except BaseException as error:  # noqa: BLE001 - whoever asked must hear of it
            self._replace()
            if len(batch) > 1 and not self._link.is_doubtful(error):
                return False
            for task in batch:
                task.future.set_exception(self._typed(error))
            return True
        for task, result in zip(batch, results, strict=True):
            task.future.set_result(result)
        return True

    def _answer(self, task: _Task[C, Any]) -> None:
        try:
            task.future.set_result(task.work(self._open()))
        except BaseException as error:  # noqa: BLE001 - whoever asked must hear of it
            self._replace()
            task.future.set_exception(self._typed(error))

    def _open(self) -> C:
        if self._connection is None:
            self._connection = self._link.open()
        return self._connection

    def _replace(self) -> None:
        """Let go of a connection that an error has broken."""
        if self._connection is not None and not self._link.is_usable(self._connection):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._link.close(self._connection)
            self._connection = None

    def _typed(self, error: BaseException) -> BaseException:
        return self._link.typed(error) if isinstance(error, Exception) else error
