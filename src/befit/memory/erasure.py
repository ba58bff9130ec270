"""Proof of erasure: searches files for the bytes of what was deleted.

Overwriting deleted rows (SQLite's ``secure_delete``) is not enough: when pages are balanced, a copy
of a row may stay in the unused part of a page. So what was deleted is looked for, in every file. It
searches for bytes as they are, and cannot know of copies that were encrypted or compressed.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


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


def _files(places: Iterable[Path | str]) -> Iterator[Path]:
    found: set[Path] = set()
    for place in map(Path, places):
        paths = sorted(place.rglob("*")) if place.is_dir() else [place]
        found.update(path.resolve() for path in paths if path.is_file())
    return iter(sorted(found))


def _count(path: Path, needles: Sequence[bytes]) -> int:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(_occurrences(content, needle) for needle in needles)


def _occurrences(content: mmap.mmap, needle: bytes) -> int:
    count, start = 0, content.find(needle)
    while start >= 0:
        count, start = count + 1, content.find(needle, start + 1)
    return count
