"""What was learned from everybody and is in use: priors and half-lives, following the pointer.

It is one small JSON file in an artifact of the kind "beliefs". Learns nothing and promotes nothing.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from befit.belief.prior import Prior
from befit.core.errors import InputError, StoreError
from befit.core.protocols import ArtifactStore

KIND = "beliefs"
_FILE = "beliefs.json"
_SCHEMA = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What to believe of strangers, and how fast it goes stale.

    Attributes:
        version: Id of the artifact; "" where nothing was learned.
        prior: The belief before any evidence; None is N(0, 1).
        half_life_days: Dimension or topic -> the age at which evidence counts half, > 0.
    """

    version: str = ""
    prior: Prior | None = None
    half_life_days: Mapping[str, float] = field(default_factory=dict)

    def save(self, folder: Path) -> str:
        """Write it into a folder; returns the hash of what was written."""
        prior = asdict(self.prior) if self.prior is not None else None
        table = {"schema": _SCHEMA, "prior": prior, "half_life_days": dict(self.half_life_days)}
        text = json.dumps(table, sort_keys=True, allow_nan=False)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_text(text, "utf-8")
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @staticmethod
    def load(folder: Path, version: str) -> "Learned":
        """Read what `save` wrote.

        Raises:
            StoreError: It does not read.
        """
        try:
            return _read(json.loads((folder / _FILE).read_text("utf-8")), version)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
            raise StoreError(
                f"what was learned of beliefs does not read: {error}",
                hint="learn it again with `befit prior`, or go back with --rollback",
            ) from error


_NOTHING = Learned()


@dataclass(slots=True)
class Live:
    """What is loaded now; replaced under the lock, read without it.

    Attributes:
        seconds: How long a look at the store holds, >= 0.
        clock: Seconds that only grow.
    """

    seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)
    _until: float = float("-inf")
    _current: Learned = _NOTHING

    def follow(self, artifacts: ArtifactStore) -> Learned:
        """What is promoted; the store is asked at most once every ``seconds``.

        Raises:
            StoreError: It does not read.
        """
        if self.clock() < self._until:
            return self._current
        with self._lock:
            now = self.clock()
            if now < self._until:
                return self._current
            artifact = artifacts.active(None, KIND)
            promoted = "" if artifact is None else artifact.id
            if promoted != self._current.version:
                self._current = (
                    Learned.load(artifacts.folder(promoted), promoted) if promoted else _NOTHING
                )
            self._until = now + self.seconds
            return self._current


def _read(table: Mapping[str, Any], version: str) -> Learned:
    if table["schema"] != _SCHEMA:
        raise ValueError(f"schema {table['schema']}")
    days = {str(name): float(each) for name, each in table["half_life_days"].items()}
    if not all(each > 0.0 for each in days.values()):
        raise ValueError("a half-life is not positive")
    prior = _prior(table["prior"]) if table["prior"] is not None else None
    return Learned(version=version, prior=prior, half_life_days=days)


def _prior(table: Mapping[str, Any]) -> Prior:
    return Prior(
        population={name: (float(m), float(s)) for name, (m, s) in table["population"].items()},
        effects=_numbers(table["effects"]),
        correlations=_numbers(table["correlations"]),
    )


def _numbers(table: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {one: {name: float(x) for name, x in row.items()} for one, row in table.items()}
