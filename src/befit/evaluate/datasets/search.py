"""Where data sets lie: ``BEFIT_DATA``, then ``../shared/data``, then the user's cache.

Downloads nothing. A data set is a folder of that name holding the files its loader needs.
"""

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from befit.core.errors import ConfigError, InvalidImportError
from befit.models.cache import cache_dir


class MissingDataError(ConfigError):
    """A data set is on none of the folders of the search path."""


def search_path() -> tuple[Path, ...]:
    """The folders that are searched for data sets, first found wins."""
    given = [Path(part) for part in os.environ.get("BEFIT_DATA", "").split(os.pathsep) if part]
    here = Path.cwd()
    roots = [here, *(folder for folder in here.parents if (folder / "pyproject.toml").is_file())]
    beside = [root.parent / "shared" / "data" for root in roots]
    return tuple(dict.fromkeys([*given, *beside, cache_dir() / "data"]))


def find_files(name: str, files: Sequence[str]) -> tuple[Path, ...]:
    """The files of a data set, from the first folder that has all of them.

    Raises:
        MissingDataError: No folder has them; the hint says where it was looked for.
    """
    for folder in search_path():
        paths = tuple(folder / name / file for file in files)
        if all(path.is_file() for path in paths):
            return paths
    looked = ", ".join(str(folder / name) for folder in search_path())
    raise MissingDataError(
        f"data set {name!r} was not found ({', '.join(files)}); looked in {looked}",
        hint="set BEFIT_DATA to the folder that holds it, or give --pairs FILE",
        field="data",
    )


def data_root() -> Path:
    """The first folder of the search path that holds a data set.

    Raises:
        MissingDataError: None does; the hint says where it was looked for.
    """
    for folder in search_path():
        if folder.is_dir() and any(entry.is_dir() for entry in folder.iterdir()):
            return folder
    raise MissingDataError(
        f"no data sets were found in {', '.join(str(folder) for folder in search_path())}",
        hint="set BEFIT_DATA to the folder that holds them",
        field="data",
    )


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 over the bytes of the files, in the order given."""
    running = hashlib.sha256()
    for path in paths:
        running.update(path.read_bytes())
    return running.hexdigest()


def _text(path: Path) -> str:
    """The file's text, unpacked where it is gzip."""
    content = path.read_bytes()
    try:
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InvalidImportError(
            f"{path.name} does not read: {error}", hint="fetch the data set again", field="data"
        ) from error


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header, packed or not."""
    return iter(csv.DictReader(io.StringIO(_text(path), newline="")))


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, packed or not."""
    return (json.loads(line) for line in _text(path).split("\n") if line.strip())
