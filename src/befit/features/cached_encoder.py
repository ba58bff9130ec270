"""A cache in front of any encoder, keyed by the checksum of the text.

On disk it holds no text, yet a vector says much about its text: give it a path for public data,
none for a person's words.
"""

import hashlib
import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from befit.core.protocols import Encoder
from befit.features.encoder import MiniLM

Floats = NDArray[np.float32]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CachedEncoder:
    """An encoder that computes each text once: in memory, and on disk where a path is given.

    Safe with several threads and processes. A cache file that cannot be read or written costs
    time, never an answer.

    Attributes:
        encoder: Who computes.
        path: The cache file; "" keeps vectors in memory alone.
        megabytes: The most that memory holds; what was used longest ago goes first.
    """

    encoder: Encoder | MiniLM
    path: str = ""
    megabytes: float = 64.0
    _memory: "OrderedDict[bytes, Floats]" = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The encoder's name."""
        return self.encoder.name

    @property
    def width(self) -> int:
        """Numbers per text."""
        return self.encoder.width

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape (len(texts), width); as the encoder's own."""
        keys = [self._key(text) for text in texts]
        found = self._from_memory(keys)
        if lacking := [key for key in dict.fromkeys(keys) if key not in found]:
            stored = self._from_disk(lacking)
            wanted = {
                key: text
                for key, text in zip(keys, texts, strict=True)
                if key not in found and key not in stored
            }
            fresh = self._computed(wanted) if wanted else {}
            self._to_disk(fresh)
            self._to_memory(stored | fresh)
            found |= stored | fresh
        vectors = np.empty((len(texts), self.width), dtype=np.float32)
        for row, key in enumerate(keys):
            vectors[row] = found[key]
        return vectors

    def __reduce__(self) -> tuple[Any, ...]:
        # another process starts with an empty memory of its own
        return type(self), (self.encoder, self.path, self.megabytes)

    def _computed(self, wanted: Mapping[bytes, str]) -> dict[bytes, Floats]:
        vectors = np.asarray(self.encoder.encode([*wanted.values()]), dtype=np.float32)
        return dict(zip(wanted, vectors, strict=True))

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.encoder.name}\0{text}".encode()).digest()

    def _from_memory(self, keys: Sequence[bytes]) -> dict[bytes, Floats]:
        found = {}
        with self._lock:
            for key in keys:
                if (vector := self._memory.get(key)) is not None:
                    self._memory.move_to_end(key)
                    found[key] = vector
        return found

    def _to_memory(self, vectors: Mapping[bytes, Floats]) -> None:
        room = max(1, int(self.megabytes * 1e6 / (4 * self.width + 200)))  # 200: the entry itself
        with self._lock:
            for key, vector in vectors.items():
                self._memory[key] = vector.copy()  # a row, not the whole matrix it is a view of
            while len(self._memory) > room:
                self._memory.popitem(last=False)

    def _from_disk(self, keys: Sequence[bytes]) -> dict[bytes, Floats]:
        if not self.path or not Path(self.path).is_file():
            return {}
        found: dict[bytes, Floats] = {}
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection:
                for start in range(0, len(keys), 500):
                    chunk = keys[start : start + 500]
                    marks = ",".join("?" * len(chunk))
                    query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
                    for key, vector in connection.execute(query, chunk):
                        if len(vector) == 4 * self.width:
                            found[key] = np.frombuffer(vector, dtype="<f4")
        except sqlite3.Error as error:
            _log.warning("the encoder's cache file cannot be read: %s", error)
        return found

    def _to_disk(self, vectors: Mapping[bytes, Floats]) -> None:
        if not self.path or not vectors:
            return
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")  # the last rows may be lost
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)"
                    " WITHOUT ROWID"
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                    [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()],
                )
        except (sqlite3.Error, OSError) as error:
            _log.warning("the encoder's cache file cannot be written: %s", error)
