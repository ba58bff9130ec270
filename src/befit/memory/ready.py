"""What is kept ready of a person between two readings: in this process, and never written."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
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
    """

    lock: Lock = field(default_factory=Lock)
    shown: OrderedDict[UserId, deque[str]] = field(default_factory=OrderedDict)
    usable: OrderedDict[UserId, tuple[object, bool]] = field(default_factory=OrderedDict)
    masked: OrderedDict[UserId, tuple[tuple[Evidence, ...], tuple[Evidence, ...]]] = field(
        default_factory=OrderedDict
    )
    parts: OrderedDict[UserId, tuple[object, NarrowedMemory]] = field(default_factory=OrderedDict)
    refused: OrderedDict[UserId, dict[str, int]] = field(default_factory=OrderedDict)

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
