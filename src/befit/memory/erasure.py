"""Proof of erasure: searches files for the bytes of what was deleted.

Overwriting deleted rows (SQLite's ``secure_delete``) is not enough: when pages are balanced, a copy
of a row may stay in the unused part of a page. So what was deleted is looked for, in every file;
what is still to be looked for is noted in the transaction that deletes it (`owe`), so that a crash
does not forget it. It searches for bytes as they are, and cannot know of copies that were encrypted
or compressed.
"""

import mmap
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_PIECE = 1 << 20  # bytes searched without a break


def search_bytes(places: Iterable[Path | str], needles: Sequence[bytes]) -> int:
    """How often the needles occur.

    Args:
        places: Files, and folders, which are searched through and through.
        needles: What to look for, none of them empty.

    Raises:
        ValueError: A needle is empty.
    """
    if not all(needles):
        raise ValueError("an empty needle is everywhere")
    wanted = tuple(dict.fromkeys(needles))
    return sum(_count(path, wanted) for path in _files(places))


def owe(connection: sqlite3.Connection, marks: Sequence[bytes]) -> None:
    """Note that copies of rows that begin so are to be looked for, without being one itself."""
    rows = [(bytes(255 - byte for byte in mark),) for mark in marks]
    connection.executemany("INSERT INTO owed (mark) VALUES (?)", rows)


def owed(connection: sqlite3.Connection) -> dict[int, bytes]:
    """What `owe` noted, by its number."""
    rows = connection.execute("SELECT number, mark FROM owed").fetchall()
    return {number: bytes(255 - byte for byte in mark) for number, mark in rows}


def pay(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Strike out what has been looked for."""
    connection.executemany("DELETE FROM owed WHERE number = ?", [(each,) for each in numbers])


def _files(places: Iterable[Path | str]) -> Iterator[Path]:
    found: set[Path] = set()
    for place in map(Path, places):
        paths = sorted(place.rglob("*")) if place.is_dir() else [place]
        found.update(path.resolve() for path in paths if path.is_file())
    return iter(sorted(found))


def _count(path: Path, needles: Sequence[bytes]) -> int:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # gone since it was listed, and its bytes with it
        return 0
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(_occurrences(content, needle) for needle in needles)


def _occurrences(content: mmap.mmap, needle: bytes) -> int:
    count, over = 0, len(needle) - 1
    for piece in range(0, len(content), _PIECE):  # between two pieces other threads may run
        end = min(piece + _PIECE + over, len(content))
        start = content.find(needle, piece, end)
        while start >= 0:
            count, start = count + 1, content.find(needle, start + 1, end)
    return count
