"""What is kept ready of a person between two readings: in this process, and never written."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TypeVar

from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.memory.narrowed import NarrowedMemory

V = TypeVar("V")

PEOPLE = 256  # of whom it is kept ready what was shown, and what may be used


@dataclass(slots=True)
class Ready:
    """By person: each may be lost at any time, and is made anew.

    Attributes:
        lock: Held while anything here is read or changed.
        shown: Excerpts that were put before a model last.
        usable: Whether nothing has to be left out, and for which state that was found.
        masked: Excerpts as they came, and as they may be shown.
        parts: The part of the memory that may be used, and for which decisions.
        refused: Why things were not kept, and how often.
        pending: What is on its way to the disk.
    """

    lock: Lock = field(default_factory=Lock)
    shown: OrderedDict[UserId, deque[str]] = field(default_factory=OrderedDict)
    usable: OrderedDict[UserId, tuple[object, bool]] = field(default_factory=OrderedDict)
    masked: OrderedDict[UserId, tuple[tuple[Evidence, ...], tuple[Evidence, ...]]] = field(
        default_factory=OrderedDict
    )
    parts: OrderedDict[UserId, tuple[object, NarrowedMemory]] = field(default_factory=OrderedDict)
    refused: OrderedDict[UserId, dict[str, int]] = field(default_factory=OrderedDict)
    pending: dict[UserId, set["Future[None]"]] = field(default_factory=dict)

    def awaited(self, users: Iterable[UserId], written: "Future[None]") -> "Future[None]":
        """Note that something of these people is on its way to the disk; returns it as it is."""
        for user in users:
            with self.lock:
                self.pending.setdefault(user, set()).add(written)
            written.add_done_callback(partial(self._landed, user))
        return written

    def _landed(self, user: UserId, written: "Future[None]") -> None:
        with self.lock:
            left = self.pending.get(user, set())
            left.discard(written)
            if not left:
                self.pending.pop(user, None)

    def settle(self, user: UserId) -> None:
        """Wait until nothing of a person is on its way, so that nothing lands after they forgot."""
        with self.lock:
            under_way = set(self.pending.get(user, ()))
        wait(under_way)

    def drop(self, user: UserId) -> None:
        """Keep nothing ready of a person."""
        with self.lock:
            for each in (self.shown, self.usable, self.masked, self.parts, self.refused):
                each.pop(user, None)

    def keep(self, ready: "OrderedDict[UserId, V]", user: UserId, value: V) -> None:
        """Keep something of a person, and let go of whoever was not read for longest."""
        with self.lock:
            ready[user] = value
            ready.move_to_end(user)
            while len(ready) > PEOPLE:
                ready.popitem(last=False)
