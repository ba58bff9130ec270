"""Wrapped data keys as files in a folder, one a person, apart from the data that they open.

A key is there whole or not at all, for its owner alone to read. Dropping one overwrites the file
before its name goes; on a disk that writes elsewhere than where it is told (flash, copy on write)
the old blocks may outlive that, but they hold a wrapped key, and are noise once the master key has
been rotated.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from befit.core.errors import StoreError
from befit.memory.keyring import alone, flush_folder, replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderShelf:
    """The default shelf.

    Attributes:
        path: The folder; made with the first key.
    """

    path: str | Path = "befit.keys.d"

    def stamp(self, name: str) -> object | None:
        """Inode and time of the file: a new key is a new file."""
        try:
            found = self._file(name).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreachable(self._file(name), error) from error
        return (found.st_ino, found.st_mtime_ns)

    def get(self, name: str) -> bytes | None:
        """What the file holds."""
        try:
            return self._file(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreachable(self._file(name), error) from error

    def add(self, name: str, wrapped: bytes) -> bytes:
        """Keep a key, unless there is one."""
        with self._alone():
            kept = self.get(name)
            if kept is not None:
                return kept
            file = self._file(name)
            if not file.parent.exists():
                file.parent.mkdir(mode=0o700)
                flush_folder(file.parent.parent)
            replace_file(file, wrapped)
            return wrapped

    def replace(self, name: str, old: bytes, new: bytes) -> bool:
        """Put the new key in place of the old one, unless that was dropped or changed meanwhile."""
        with self._alone():
            if self.get(name) != old:
                return False
            replace_file(self._file(name), new)
            return True

    def drop(self, name: str) -> bool:
        """Overwrite the key and take the file away."""
        file = self._file(name)
        with self._alone():
            try:
                with file.open("r+b") as content:
                    content.write(bytes(file.stat().st_size))
                    content.flush()
                    os.fsync(content.fileno())
                file.unlink()
                flush_folder(file.parent)
            except FileNotFoundError:
                return False
            except OSError as error:
                raise _unreachable(file, error) from error
        return True

    def names(self) -> Iterator[str]:
        """Of every key, in order."""
        folder = Path(self.path)
        return iter(sorted(f.name for f in folder.glob("??/*") if not f.name.startswith(".")))

    def _alone(self) -> AbstractContextManager[None]:
        return alone(Path(self.path) / "all")

    def _file(self, name: str) -> Path:
        return Path(self.path) / name[:2] / name


def _unreachable(file: Path, error: OSError) -> StoreError:
    return StoreError(f"{file}: {error.strerror}", hint="make the folder of keys writable")
