"""One person's evidence decoded, and a bounded cache of it.

Rows to evidence and back, vectors as int8 with the scale that makes them unit again. A block is
valid for one revision of its person; whoever reads it checks that. No SQL here.
"""

import json
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from befit.core.errors import CorruptStoreError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, Gaussian, Graded, Pair, Preference
from befit.memory.codec import dump
from befit.memory.recall import Entry, Index, Vector, pack_vector

#: What of a row `entry_of` reads, in order.
COLUMNS = (
    "key, id, kind, at, text, vals, noise, pair, scope, source, reacted,"
    " learned, graded, origin, vector, encoder, latent, taste"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KINDS = {kind.value: kind for kind in EvidenceKind}
_FIRST = itemgetter(slice(3))  # what an entry is sorted by
_OVERHEAD = 2_000  # bytes of one entry's objects, about


def row_of(
    e: Evidence,
    vector: Vector | None,
    encoder: str,
    latent: Sequence[float] | None,
    taste: str,
) -> tuple[Any, ...]:
    """The columns of a row but its key."""
    return (
        *_given(e),
        None if vector is None else pack_vector(vector),
        encoder if vector is not None else "",
        pack_latent(latent),
        taste if latent is not None else "",
    )


def row_again(entry: Entry) -> tuple[Any, ...]:
    """The columns but the key of the row that `entry_of` read."""
    latent = pack_latent(entry.latent)
    return (*_given(entry.evidence), entry.vector, entry.encoder, latent, entry.taste)


def _given(e: Evidence) -> tuple[Any, ...]:
    """The columns that hold what was observed."""
    return (
        e.id,
        e.kind.value,
        microseconds(e.at),
        e.text,
        dump(dict(e.values)) if e.values else "",
        e.noise,
        dump(asdict(e.pair)) if e.pair is not None else "",
        e.scope,
        e.source,
        e.by,
        None if e.learned is None else microseconds(e.learned),
        dump(asdict(e.graded)) if e.graded is not None else "",
        e.origin,
    )


def microseconds(at: datetime) -> int:
    """A time as whole microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The time, UTC, of `microseconds`."""
    return _EPOCH + at * _MICROSECOND


def known_at(evidence: Evidence) -> datetime:
    """From when on it counts: it must have been true by then, and have become known."""
    return evidence.at if evidence.learned is None else max(evidence.at, evidence.learned)


def entry_of(user: UserId, row: Sequence[Any]) -> Entry:
    """A row, with the columns of `COLUMNS`, decoded.

    Raises:
        CorruptStoreError: It is damaged.
    """
    try:
        return _decoded(user, row)
    except (KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise CorruptStoreError(
            f"evidence {row[1]!r} does not read",
            hint="restore a backup, or forget that piece of evidence",
        ) from error


def _decoded(user: UserId, row: Sequence[Any]) -> Entry:
    key, name, kind, at, text, values, noise, pair, scope, source, by = row[:11]
    learned, graded, origin, vector, encoder, latent, taste = row[11:]
    evidence = Evidence(
        id=name,
        user=user,
        kind=_KINDS[kind],
        at=moment(at),
        text=text,
        values=json.loads(values) if values else {},
        noise=noise,
        pair=Pair(**json.loads(pair)) if pair else None,
        scope=scope,
        source=source,
        by=by,
        learned=None if learned is None else moment(learned),
        graded=Graded(**json.loads(graded)) if graded else None,
        origin=origin,
    )
    return Entry(
        key=key,
        evidence=evidence,
        vector=vector,
        encoder=encoder,
        latent=unpack_latent(latent),
        taste=taste,
    )


def pack_latent(latent: Sequence[float] | None) -> bytes | None:
    """Numbers as float64, so that nothing is lost."""
    return None if latent is None else struct.pack(f"<{len(latent)}d", *latent)


def unpack_latent(blob: bytes | None) -> tuple[float, ...] | None:
    """The numbers of `pack_latent`."""
    return None if blob is None else struct.unpack(f"<{len(blob) // 8}d", blob)


@dataclass(frozen=True, slots=True)
class View:
    """What is believed on one day in one scope.

    Attributes:
        preferences: The named beliefs and topics.
        weights: What each entry counts, in the order of the block; 0 for what came later.
        taste: The latent posterior, where a reward was learned.
        useful: What the relevance of each entry is multiplied by; None is 1 for all.
    """

    preferences: tuple[Preference, ...]
    weights: NDArray[np.float64]
    taste: Gaussian | None
    useful: NDArray[np.float64] | None = None


@dataclass(slots=True)
class Block:
    """The evidence of one person at one revision, in the order in which it became known.

    Attributes:
        number: The person's number.
        revision: Moves with every change.
        erased: Moves with every deletion; while it stands, rows were only added.
        entries: Ordered by `known_at`, then time and id.
        derived: Encoder and taste that the entries' vectors and latents fit.
        views: What was believed, by scope, day and taste.
    """

    number: int
    revision: int
    erased: int
    entries: tuple[Entry, ...]
    derived: tuple[str, str] = ("", "")
    views: dict[tuple[str, datetime, int, str], View] = field(default_factory=dict)
    _times: tuple[datetime, ...] | None = None
    _index: Index | None = None

    @classmethod
    def of(cls, number: int, revision: int, erased: int, entries: Iterable[Entry]) -> "Block":
        """A block of entries in any order."""
        keyed = [
            (known_at(each.evidence), each.evidence.at, each.evidence.id, each) for each in entries
        ]
        keyed.sort(key=_FIRST)
        block = cls(number, revision, erased, tuple(each for *_, each in keyed))
        block._times = tuple([known for known, *_ in keyed])
        return block

    def rederived(self, entries: Sequence[Entry], derived: tuple[str, str]) -> "Block":
        """The same evidence, in the same order, with what was derived from it anew."""
        return Block(
            self.number, self.revision, self.erased, tuple(entries), derived, _times=self._times
        )

    @property
    def times(self) -> tuple[datetime, ...]:
        """From when on each entry counts, ascending."""
        if self._times is None:
            self._times = tuple([known_at(each.evidence) for each in self.entries])
        return self._times

    def index(self, count: int) -> Index:
        """The index over the first ``count`` entries."""
        if count < len(self.entries):
            return Index(self.entries[:count], self.derived[0])
        if self._index is None:
            self._index = Index(self.entries, self.derived[0])
        return self._index

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return sum(
            _OVERHEAD
            + 2 * len(each.evidence.text)
            + 5 * len(each.vector or b"")
            + (0 if each.evidence.pair is None else len(each.evidence.pair.chosen) * 2)
            + (0 if each.evidence.pair is None else len(each.evidence.pair.rejected) * 2)
            for each in self.entries
        )


class Blocks:
    """The blocks used last, bounded by bytes; safe to share between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._lock = threading.Lock()
        self._blocks: OrderedDict[UserId, tuple[Block, int]] = OrderedDict()

    def get(self, user: UserId) -> Block | None:
        """The person's block, of whatever revision."""
        with self._lock:
            found = self._blocks.get(user)
            if found is None:
                return None
            self._blocks.move_to_end(user)
            return found[0]

    def put(self, user: UserId, block: Block) -> None:
        """Keep a block, and drop the ones used longest ago."""
        size = block.size
        with self._lock:
            self._used += size - self._blocks.get(user, (block, 0))[1]
            self._blocks[user] = (block, size)
            self._blocks.move_to_end(user)
            while self._used > self._limit and len(self._blocks) > 1:
                _, (_, freed) = self._blocks.popitem(last=False)
                self._used -= freed

    def drop(self, user: UserId) -> None:
        """Keep nothing of a person."""
        with self._lock:
            _, freed = self._blocks.pop(user, (None, 0))
            self._used -= freed
