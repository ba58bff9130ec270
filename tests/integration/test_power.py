"""Power lost at any moment, the store has lost nothing that it had acknowledged.

Eight threads write and forget on a recorded disk: a virtual file system of SQLite that passes
everything on to the usual one and notes each write, cut and flush in their order. Then the notes
are replayed up to random points: what was flushed is there, and of what was not, any part may be,
whole or up to some sector. ``BEFIT_LOSSES`` sets how many points; 60 by default.
"""

import ctypes
import os
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence
from befit.memory.sqlite import SqliteMemory

LOSSES = int(os.environ.get("BEFIT_LOSSES", "60"))
THREADS = 8
EACH = 60  # pieces that a thread writes
SECTOR = 512

_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_CUT = CFUNCTYPE(c_int, c_void_p, c_int64)
_FLUSH = CFUNCTYPE(c_int, c_void_p, c_int)


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("cut", c_void_p),
        ("flush", c_void_p),
        *((f"other{n}", c_void_p) for n in range(13)),
    ]


class _Disk(Structure):
    _fields_ = [
        ("version", c_int),
        ("size", c_int),
        ("longest", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        *((f"other{n}", c_void_p) for n in range(14)),
    ]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that happened.

    Attributes:
        what: "write", "cut", "flush", "delete", or a word of the test's own.
        file: The name of the file, or what the test says.
        place: Where it was written, to what size it was cut, or from which note on a flush does
            not count.
        data: What was written.
    """

    what: str
    file: str
    place: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Recorder:
    """Notes in the order in which things happened; safe to share between threads."""

    notes: list[Note] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, file: str, place: int = 0, data: bytes = b"") -> int:
        """Note something; returns how many notes there are."""
        with self._lock:
            self.notes.append(Note(what, file, place, data))
            return len(self.notes)


def library() -> Any:
    """The SQLite that Python uses; None where it cannot be reached."""
    try:
        found = ctypes.CDLL("libsqlite3.so.0")
        found.sqlite3_libversion.restype = c_char_p
        found.sqlite3_sourceid.restype = c_char_p
        with sqlite3.connect(":memory:") as connection:
            ours = connection.execute("SELECT sqlite_source_id()").fetchone()[0]
        connection.close()
    except (OSError, AttributeError):
        return None
    return found if found.sqlite3_sourceid().decode() == ours else None


def _patched(address: int, recorder: Recorder, names: dict[int, str], kept: list[Any]) -> _Methods:
    """The methods of an open file, with those that change it replaced by ours."""
    methods = _Methods.from_buffer_copy(_Methods.from_address(address))
    write, cut, flush = _WRITE(methods.write), _CUT(methods.cut), _FLUSH(methods.flush)

    def on_write(file: int, data: int, size: int, place: int) -> int:
        recorder.note("write", names[file], place, ctypes.string_at(data, size))
        return int(write(file, data, size, place))

    def on_cut(file: int, size: int) -> int:
        recorder.note("cut", names[file], size)
        return int(cut(file, size))

    def on_flush(file: int, flags: int) -> int:
        begun = recorder.note("begin", names[file])
        result = int(flush(file, flags))
        if result == 0:
            recorder.note("flush", names[file], begun)
        return result

    for name, kind, call in (
        ("write", _WRITE, on_write),
        ("cut", _CUT, on_cut),
        ("flush", _FLUSH, on_flush),
    ):
        kept.append(kind(call))
        setattr(methods, name, ctypes.cast(kept[-1], c_void_p).value)
    return methods


@contextmanager
def recording(sqlite: Any) -> Iterator[Recorder]:
    """Record every connection that is opened in the block, and closed in it."""
    recorder = Recorder()
    sqlite.sqlite3_vfs_find.restype = POINTER(_Disk)
    usual = sqlite.sqlite3_vfs_find(None)
    names: dict[int, str] = {}
    ours: dict[int, _Methods] = {}
    kept: list[Any] = []

    usual_open = _OPEN(usual.contents.open)

    def on_open(_: int, name: int | None, file: int, flags: int, out: Any) -> int:
        result = int(usual_open(ctypes.addressof(usual.contents), name, file, flags, out))
        if result == 0 and name is not None:
            names[file] = Path(ctypes.string_at(name).decode()).name
            slot = c_void_p.from_address(file)
            address = slot.value or 0
            if address not in ours:
                ours[address] = _patched(address, recorder, names, kept)
            slot.value = ctypes.addressof(ours[address])
        return result

    usual_delete = _DELETE(usual.contents.delete)

    def on_delete(_: int, name: int, flush: int) -> int:
        recorder.note("delete", Path(ctypes.string_at(name).decode()).name)
        return int(usual_delete(ctypes.addressof(usual.contents), name, flush))

    disk = _Disk.from_buffer_copy(usual.contents)
    disk.name = b"recording"
    kept.append(_OPEN(on_open))
    disk.open = ctypes.cast(kept[-1], c_void_p).value
    kept.append(_DELETE(on_delete))
    disk.delete = ctypes.cast(kept[-1], c_void_p).value
    if sqlite.sqlite3_vfs_register(ctypes.byref(disk), 1):
        raise OSError("the file system was not taken")
    try:
        yield recorder
    finally:
        sqlite.sqlite3_vfs_unregister(ctypes.byref(disk))
        sqlite.sqlite3_vfs_register(usual, 1)


class Loss:
    """The files as they may be when the power is cut.

    Args:
        notes: What happened.
        rng: What of the unflushed is there.
    """

    def __init__(self, notes: list[Note], rng: random.Random) -> None:
        self._notes, self._rng = notes, rng
        self._safe: dict[str, bytearray] = {}
        self._open: dict[str, list[tuple[int, Note]]] = {}
        self._at = 0

    def advance(self, to: int) -> None:
        """Go on to the time just before a note; never back."""
        for index in range(self._at, to):
            note = self._notes[index]
            if note.what in ("write", "cut"):
                self._open.setdefault(note.file, []).append((index, note))
            elif note.what == "delete":
                self._safe.pop(note.file, None)
                self._open.pop(note.file, None)
            elif note.what == "flush":
                waiting = self._open.get(note.file, [])
                image = self._safe.setdefault(note.file, bytearray())
                for _, each in (pair for pair in waiting if pair[0] < note.place):
                    _apply(image, each, len(each.data))
                self._open[note.file] = [pair for pair in waiting if pair[0] >= note.place]
        self._at = max(self._at, to)

    def leave(self, folder: Path) -> int:
        """Write the files as the power left them; returns how many writes were unflushed."""
        count = 0
        for name in {*self._safe, *self._open}:
            image = bytearray(self._safe.get(name, b""))
            waiting = self._open.get(name, [])
            count += len(waiting)
            luck = self._rng.choice((0.0, 0.5, 1.0))
            for _, each in waiting:
                if self._rng.random() < luck:
                    _apply(image, each, len(each.data))
                elif luck and each.what == "write":  # torn: only the first sectors got there
                    sectors = self._rng.randrange(len(each.data) // SECTOR + 1)
                    _apply(image, each, sectors * SECTOR)
            (folder / name).write_bytes(image)
        return count


def _apply(image: bytearray, note: Note, size: int) -> None:
    if note.what == "cut":
        del image[note.place :]
    elif size:
        if len(image) < note.place:
            image.extend(bytes(note.place - len(image)))
        image[note.place : note.place + size] = note.data[:size]


def live(memory: SqliteMemory, recorder: Recorder) -> None:
    """Eight people at once remember, and forget some of it."""

    def write(thread: int) -> None:
        user = UserId(f"u{thread}")
        for number in range(EACH):
            name = f"{thread}-{number}"
            at = datetime(2026, 3, 1, tzinfo=UTC)
            text = name + " x" * (number * 37 % 400)
            memory.remember(
                [Evidence(id=name, user=user, kind=EvidenceKind.STATED, at=at, text=text)]
            )
            recorder.note("kept", name)
            if number % 20 == 19:
                gone = f"{thread}-{number - 7}"
                recorder.note("forgetting", gone)
                assert memory.forget(user, [gone]) == 1
                recorder.note("forgotten", gone)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    memory.close()


def told(notes: list[Note], what: str) -> set[str]:
    """What the test noted."""
    return {note.file for note in notes if note.what == what}


@pytest.mark.timeout(120 + LOSSES)
def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    sqlite = library()
    if sqlite is None:
        pytest.skip("this Python's SQLite takes no other file system")
    (tmp_path / "disk").mkdir()
    with recording(sqlite) as recorder:
        live(SqliteMemory(tmp_path / "disk" / "befit.db"), recorder)
    notes = recorder.notes
    assert len(told(notes, "kept")) == THREADS * EACH
    rng = random.Random(20260301)
    loss, unflushed = Loss(notes, rng), 0
    first = next(index for index, note in enumerate(notes) if note.what == "kept")
    folder = tmp_path / "after"
    for point in sorted(rng.randrange(first + 1, len(notes) + 1) for _ in range(LOSSES)):
        folder.mkdir()
        loss.advance(point)
        unflushed += loss.leave(folder)
        memory = SqliteMemory(folder / "befit.db")
        memory._store.check()
        found = {e.id for n in range(THREADS) for e in memory.evidence(UserId(f"u{n}"))}
        memory.close()
        shutil.rmtree(folder)
        known = notes[:point]
        assert told(known, "kept") - told(known, "forgetting") <= found
        assert not told(known, "forgotten") & found
    assert unflushed > 0
    print(f"{LOSSES} cuts over {len(notes)} notes, {unflushed} writes in doubt, none lost")  # noqa: T201
