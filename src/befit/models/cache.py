"""Where prepared models live, and how a folder gets there whole or not at all.

A cache folder is written beside its final name, flushed, and renamed: a reader sees all of it or
nothing. One process at a time writes under a file lock. Checksums of big files are remembered by
(path, size, modification time), so that a start does not read them again. It knows nothing about
models, and it needs POSIX file locks.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from befit.core.errors import ModelFileError

MANIFEST = "befit-manifest.json"


def cache_dir() -> Path:
    """The user's cache: ``BEFIT_CACHE``, else ``XDG_CACHE_HOME/befit``, else ``~/.cache/befit``."""
    if own := os.environ.get("BEFIT_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "befit"
    return Path.home() / ".cache" / "befit"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        ModelFileError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(
            f"{path.name} cannot be read: {error.strerror or error}",
            hint="check the path and its permissions",
        ) from error


def remembered_sha256(path: Path) -> str:
    """SHA-256 of a file, read from the file only when its size or modification time changed.

    Raises:
        ModelFileError: The file cannot be read.
    """
    path = path.resolve()
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    note = cache_dir() / "checksums" / f"{name}.json"
    try:
        state = path.stat()
    except OSError as error:
        raise ModelFileError(
            f"{path.name} cannot be read: {error.strerror or error}",
            hint="check the path and its permissions",
        ) from error
    stamp = [state.st_size, state.st_mtime_ns]
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text())
        if known["stamp"] == stamp:
            return str(known["sha256"])
    checksum = sha256_of(path)
    # a cache that cannot be written costs one more read next time, nothing else
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(note, json.dumps({"stamp": stamp, "sha256": checksum}))
    return checksum


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cache's lock of that name against other processes and threads; waits for it.

    Raises:
        ModelFileError: The cache cannot be written.
    """
    with _writable():
        folder = cache_dir() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / f"{name}.lock").open("a")
    with handle:  # closing it gives the lock back, also when this process dies
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def publish(folder: Path, write: Callable[[Path], object], about: Mapping[str, str]) -> None:
    """Let ``write`` fill a folder, then give it its name in one step, replacing what stood there.

    Args:
        folder: The final name.
        write: Writes the files into the folder that it is given.
        about: Kept in the manifest beside each file's size and checksum.

    Raises:
        ModelFileError: The cache cannot be written.
    """
    with _writable():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            write(draft)
            files = {
                path.name: {"size": path.stat().st_size, "sha256": sha256_of(path)}
                for path in sorted(draft.iterdir())
            }
            _write_whole(draft / MANIFEST, json.dumps({**about, "files": files}, indent=1))
            for path in draft.iterdir():
                _flush(path)
            _flush(draft)
            if folder.exists():
                shutil.rmtree(folder)
            draft.rename(folder)
            _flush(folder.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def problem_of(folder: Path, *, full: bool) -> str:
    """What is wrong with a published folder; "" if nothing.

    Args:
        folder: A folder that `publish` wrote.
        full: Also read every file and compare its checksum, not only its size.
    """
    try:
        files = json.loads((folder / MANIFEST).read_text())["files"]
        for name, kept in files.items():
            path = folder / name
            if path.stat().st_size != kept["size"]:
                return f"{name} has the wrong size"
            if full and sha256_of(path) != kept["sha256"]:
                return f"{name} has the wrong checksum"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{MANIFEST} does not read"
    return ""


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelFileError(
            f"the model cache {cache_dir()} cannot be written: {error.strerror or error}",
            hint="free some space, or set BEFIT_CACHE to a folder that can be written",
        ) from error
