"""A memory that knows only a part of what another keeps: what may be used, and as it may be.

Everything that it recalls (beliefs, latent posterior, excerpts) is folded from that part alone, so
that it equals, bit for bit, the memory of someone of whom nothing else was ever known. It writes
through to the other.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.memory.blocks import Block
from befit.memory.profiles import RowMemory
from befit.memory.recall import Entry
from befit.memory.rows import EvidenceRows, Row

#: What is known of a piece of evidence here; None where it is not known at all.
Known = Callable[[Evidence], Evidence | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowedMemory(RowMemory):
    """The part of a memory over rows.

    Attributes:
        rows: The rows of that part.
    """

    rows: EvidenceRows

    def _open(self) -> EvidenceRows:
        return self.rows


def narrowed(whole: RowMemory, known: Known) -> NarrowedMemory:
    """The part of ``whole`` that is ``known``."""
    return NarrowedMemory(
        space=whole.space,
        encoder=whole.encoder,
        taste=whole.taste,
        inferer=whole.inferer,
        budget=whole.budget,
        cache_bytes=whole.cache_bytes,
        rows=_Part(whole, known),
    )


class _Part:
    """The rows of a part; what is derived is the whole's."""

    def __init__(self, whole: RowMemory, known: Known) -> None:
        self._whole = whole
        self._known = known

    def load(self, user: UserId, cached: Block | None) -> Block:
        whole = self._whole._block(user)  # noqa: SLF001 - a part of it
        at = (whole.number, whole.revision, whole.erased)
        wanted = (*at, whole.derived)
        if cached and (cached.number, cached.revision, cached.erased, cached.derived) == wanted:
            return cached
        made = Block.of(*at, [e for each in whole.entries if (e := self._of(each)) is not None])
        made.derived = whole.derived
        return made

    def _of(self, entry: Entry) -> Entry | None:
        known = self._known(entry.evidence)
        if known is None or known is entry.evidence:
            return None if known is None else entry
        return replace(entry, evidence=known)

    def add(self, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        return self._whole._rows.add(rows)  # noqa: SLF001

    def delete(self, user: UserId, ids: Sequence[str] | None) -> int:
        return self._whole.forget(user, ids)

    def derive(self, user: UserId, updates: Sequence[Row]) -> None:
        self._whole._rows.derive(user, updates)  # noqa: SLF001

    def people(self) -> Sequence[UserId]:
        return self._whole.people()

    def close(self) -> None:
        self._whole.close()
