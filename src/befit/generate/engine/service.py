"""One engine for all who ask at once: a thread decodes, whoever asked reads from a queue.

People join the batch between two tokens and leave it when their answer ends or they go. Where
there are more than the batch holds they wait in order, and beyond that they are turned away.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

from befit.core.errors import BefitError, ModelBusyError, ModelError
from befit.generate.engine.decoding import Decoding, Request
from befit.generate.engine.engine import Engine

MOST_ROWS = 32  # in one batch
MOST_WAITING = 256  # requests
_FAILURES = (BefitError, RuntimeError, ValueError, MemoryError)


class Answer:
    """The tokens of one request, as they come; to be read by one thread.

    Args:
        request: What is asked.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.number = -1
        self.left = threading.Event()
        self.tokens: SimpleQueue[int | BaseException | None] = SimpleQueue()

    def __iter__(self) -> Iterator[int]:
        """Token by token, end tokens not given.

        Raises:
            ModelError: Decoding it failed.
        """
        while True:
            found = self.tokens.get()
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def leave(self) -> None:
        """Nobody reads on: the row is given to others."""
        self.left.set()


class Service:
    """Decodes for many threads; makes its own on the first request, which ends with the program.

    Args:
        engine: Used by nobody else.
        ends: Tokens that end an answer.
        most_rows: Of one batch.
        most_waiting: Requests that may wait for room.
    """

    def __init__(
        self,
        engine: Engine,
        ends: frozenset[int],
        *,
        most_rows: int = MOST_ROWS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._decoding = Decoding(engine, ends)
        self._engine = engine
        self._most_rows, self._most_waiting = most_rows, most_waiting
        self._changed = threading.Condition()
        self._waiting: deque[Answer] = deque()
        self._thread: threading.Thread | None = None

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers to some requests, which are decoded from now on.

        Raises:
            ModelBusyError: Too many are waiting.
        """
        answers = [Answer(request) for request in requests]
        with self._changed:
            if self._waiting and len(self._waiting) + len(answers) > self._most_waiting:
                raise ModelBusyError(
                    f"{len(self._waiting)} requests wait for the model",
                    hint="try again in some seconds",
                )
            self._waiting.extend(answers)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="decode", daemon=True)
                self._thread.start()
            self._changed.notify()
        return answers

    def _work(self) -> None:
        speaking: dict[int, Answer] = {}
        while True:
            with self._changed:
                while not self._waiting and not speaking:
                    self._changed.wait()
                joining = self._room(sum(len(a.request.prompts) for a in speaking.values()))
            self._join(joining, speaking)
            gone = [number for number, answer in speaking.items() if answer.left.is_set()]
            self._decoding.leave(gone)
            for number in gone:
                speaking.pop(number).tokens.put(None)
            self._step(speaking)

    def _room(self, rows: int) -> list[Answer]:
        """Those who fit beside so many rows, in order; one alone always fits."""
        found: list[Answer] = []
        while self._waiting:
            wanted = len(self._waiting[0].request.prompts)
            if rows and rows + wanted > self._most_rows:
                break
            answer = self._waiting.popleft()
            if answer.left.is_set():
                answer.tokens.put(None)
                continue
            found.append(answer)
            rows += wanted
        return found

    def _join(self, joining: Sequence[Answer], speaking: dict[int, Answer]) -> None:
        if not joining:
            return
        try:
            numbers = self._decoding.join([answer.request for answer in joining])
        except _FAILURES as error:
            if len(joining) == 1:
                joining[0].tokens.put(_failure(error))
            else:  # whose fault it was, only that one hears
                for answer in joining:
                    self._join([answer], speaking)
            return
        speaking.update(zip(numbers, joining, strict=True))

    def _step(self, speaking: dict[int, Answer]) -> None:
        if not speaking:
            return
        try:
            step = self._decoding.step()
        except _FAILURES as error:  # the thread lives on: others will ask
            self._decoding.clear()
            for answer in speaking.values():
                answer.tokens.put(_failure(error))
            speaking.clear()
            return
        for said in step:
            answer = speaking[said.request]
            if said.failure is not None:
                answer.tokens.put(said.failure)
            elif said.token is not None:
                answer.tokens.put(said.token)
            if said.ended:
                speaking.pop(said.request).tokens.put(None)


def _failure(error: Any) -> BefitError:
    if isinstance(error, BefitError):
        return error
    return ModelError(f"decoding failed: {error}", hint="ask for less at once, or shorter prompts")
