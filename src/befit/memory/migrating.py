"""Carries a store over to a newer version of its space: into another store, never in place.

What people said and did is copied as it is; only the positions on dimensions are read anew, as the
space's own migrations say, in evidence, in what waits, and in pins and rejections. The old store
stays as it was, so that a run that was cut short is started again, and one that was wrong is thrown
away. Rewards and priors that were learned are copied as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.memory.copy import Copied, Place, copy_store
from befit.memory.ledger import Decision, Held, ListedLedger
from befit.memory.narrowed import narrowed
from befit.memory.spaces import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """How much was carried over.

    Attributes:
        copied: What the new store has.
        moved: Pieces of evidence that stand elsewhere, or under another name, than before; what
            waits for the person's word is counted too.
    """

    copied: Copied
    moved: int


def migrate_store(
    source: Place, target: Place, space: str, since: str, progress: Callable[[str, int, int], None]
) -> Migrated:
    """Copy a store whose evidence was observed under version ``since`` of a space.

    Args:
        source: The old store; nobody should write to it meanwhile.
        target: The new one.
        space: Name or path of the space as it now is.
        since: The version under which the old store was written.
        progress: Called with what is done, how far, and of how much.

    Raises:
        ConfigError: Nothing leads from that version to the present one.
        StoreError: The target cannot be written, or has something else under the same id.
    """
    migrate(space, {}, since=since)  # refuses before anything is written
    moved: set[tuple[UserId, str]] = set()

    def change(e: Evidence) -> Evidence:
        values = _within(migrate(space, e.values, since=since))
        if values == dict(e.values):
            return e
        moved.add((e.user, e.id))
        return replace(e, values=values)

    rights = _Rights(ledger=source.ledger, space=space, since=since, change=change)
    view = replace(
        source,
        memory=narrowed(source.memory, change),
        ledger=cast("ListedLedger", rights),  # a source is only read
    )
    copied = copy_store(view, target, progress)
    return Migrated(copied=copied, moved=len(moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rights:
    """The decisions of a store, and what waits, as they now read."""

    ledger: ListedLedger
    space: str
    since: str
    change: Callable[[Evidence], Evidence]

    def people(self) -> Sequence[UserId]:
        return self.ledger.people()

    def decisions(self, user: UserId) -> tuple[Decision, ...]:
        found = (self._moved(each) for each in self.ledger.decisions(user))
        return tuple(each for each in found if each is not None)

    def held(self, user: UserId) -> tuple[Held, ...]:
        held = self.ledger.held(user)
        return tuple(replace(each, evidence=self.change(each.evidence)) for each in held)

    def _moved(self, decision: Decision) -> Decision | None:
        """The decision on a dimension as it is now called; None where there is none any more."""
        if decision.verb not in ("pin", "reject", "release"):
            return decision
        said = {decision.subject: decision.value}
        moved = migrate(self.space, said, since=self.since)
        return next((replace(decision, subject=n, value=v) for n, v in moved.items()), None)


def _within(values: Mapping[str, float]) -> dict[str, float]:
    return {name: max(-1.0, min(1.0, value)) for name, value in values.items()}
