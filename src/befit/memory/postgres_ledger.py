"""The ledger beside a `PostgresMemory`: what people decided, and what waits for their word.

It lies in the same database, apart by tenant and person under the same forced row-level security.
Each look is one round trip: several gateways decide at once, so that nothing is kept ready here.
What the rows mean is in `memory.ledger`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from befit.core.people import UserId
from befit.memory.codec import is_text
from befit.memory.ledger import (
    Decision,
    Held,
    decision_of,
    decision_row,
    held_of,
    held_row,
    subject_of,
)
from befit.memory.postgres_server import Connection, Place, hold, place_of, shield, unshield
from befit.memory.vault import Vault

T = TypeVar("T")

_WHOSE = " WHERE tenant = %s AND person = %s"
_DECIDE = (
    "INSERT INTO befit.decisions (tenant, person, at, verb, subject, scope, value)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_DECISIONS = f"SELECT at, verb, subject, scope, value FROM befit.decisions{_WHOSE} ORDER BY number"  # noqa: S608 - ours
_HOLD = (
    "INSERT INTO befit.held (tenant, person, id, reason, body) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT DO NOTHING"
)
_HELD = f"SELECT id, reason, body FROM befit.held{_WHOSE} ORDER BY number"  # noqa: S608 - ours


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresLedger:
    """The ledger of many gateways.

    Attributes:
        dsn: As in `PostgresMemory`.
        tenant: As there.
        connections: As there.
        vault: Seals what was decided and what waits; None keeps it readable.
    """

    dsn: str = field(default="postgresql:///befit", repr=False)  # it may hold a password
    tenant: str = "default"
    connections: int = 8
    vault: Vault | None = None
    _place: Place = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        place = place_of(self.dsn, self.tenant, self.connections)
        object.__setattr__(self, "_place", place)

    def decide(self, decision: Decision) -> None:
        """Keep a decision.

        Raises:
            InputError: It makes no sense; ``field`` names what.
            StoreError: It could not be written.
        """
        row = _shielded(decision_row(decision, self.vault))
        self._write(decision.user, lambda c, whose: c.execute(_DECIDE, (*whose, *row)))

    def decisions(self, user: UserId) -> tuple[Decision, ...]:
        """What the person decided, in the order in which they did."""
        return tuple(decision_of(user, row, self.vault) for row in self._rows(user, _DECISIONS))

    def hold(self, items: Sequence[Held]) -> None:
        """Keep evidence apart, a person's all or none; what waits already stays as it is."""
        rows: dict[UserId, list[list[Any]]] = {}
        for item in items:
            row = _shielded(held_row(item, self.vault))
            rows.setdefault(item.evidence.user, []).append(row)
        for user, own in rows.items():
            self._hold(user, own)

    def held(self, user: UserId) -> tuple[Held, ...]:
        """What waits for the person's word, oldest first."""
        return tuple(held_of(user, row, self.vault) for row in self._rows(user, _HELD))

    def drop_held(self, user: UserId, ids: Sequence[str]) -> int:
        """Let go of what waited; returns how many pieces."""
        named = [shield(each) for each in ids]
        query = f"DELETE FROM befit.held{_WHOSE} AND id = ANY(%s) RETURNING 1"  # noqa: S608 - ours
        return self._delete(
            user, lambda c, whose: len(c.execute(query, (*whose, named)).fetchall())
        )

    def drop_decisions(self, user: UserId, subjects: Sequence[str]) -> int:
        """Erase what was decided on some subjects; returns how many decisions."""
        listed = f"SELECT number, subject FROM befit.decisions{_WHOSE}"  # noqa: S608 - ours
        drop = f"DELETE FROM befit.decisions{_WHOSE} AND number = ANY(%s)"  # noqa: S608 - ours

        def work(connection: Connection, whose: tuple[str, str]) -> int:
            rows = connection.execute(listed, whose).fetchall()
            gone = [n for n, told in rows if self._subject(user, told) in subjects]
            connection.execute(drop, (*whose, gone))
            return len(gone)

        return self._delete(user, work)

    def erase(self, user: UserId) -> int:
        """Erase all that was decided and all that waits; returns how many records."""
        tables = ("decisions", "held")
        queries = [f"DELETE FROM befit.{each}{_WHOSE} RETURNING 1" for each in tables]  # noqa: S608

        def work(connection: Connection, whose: tuple[str, str]) -> int:
            return sum(len(connection.execute(query, whose).fetchall()) for query in queries)

        count = self._delete(user, work)
        if self.vault is not None:
            self.vault.forget(user)
        return count

    def people(self) -> Sequence[UserId]:
        """Everyone who decided anything, or of whom anything waits."""
        query = (
            "SELECT person FROM befit.decisions WHERE tenant = %s"
            " UNION SELECT person FROM befit.held WHERE tenant = %s"
        )
        tenant = self._place.tenant
        found = self._place.server.read_all(
            lambda c: c.execute(query, (tenant, tenant)).fetchall(), tenant
        )
        return sorted(UserId(unshield(who)) for (who,) in found)

    def close(self) -> None:
        """Let go of the connections, which the memory beside shares."""
        self._place.server.close()

    def _hold(self, user: UserId, rows: Sequence[Sequence[Any]]) -> None:
        def work(connection: Connection, whose: tuple[str, str]) -> None:
            for row in rows:
                connection.execute(_HOLD, (*whose, *row), prepare=True)

        self._write(user, work)

    def _subject(self, user: UserId, told: str) -> str:
        return subject_of(user, unshield(told), self.vault)

    def _rows(self, user: UserId, query: str) -> list[list[Any]]:
        if not user or not is_text(user):
            return []
        place = self._place
        whose = (place.tenant, shield(user))
        rows = place.server.read(lambda c: c.execute(query, whose, prepare=True).fetchall(), *whose)
        return [[unshield(each) if isinstance(each, str) else each for each in r] for r in rows]

    def _delete(self, user: UserId, work: Callable[[Connection, tuple[str, str]], int]) -> int:
        return self._write(user, work) if user and is_text(user) else 0

    def _write(self, user: UserId, work: Callable[[Connection, tuple[str, str]], T]) -> T:
        place = self._place
        whose = (place.tenant, shield(user))

        def holding(connection: Connection) -> T:
            hold(connection, *whose)
            return work(connection, whose)

        return place.server.submit(holding, order=whose[1]).result()


def _shielded(row: Sequence[Any]) -> list[Any]:
    return [shield(each) if isinstance(each, str) else each for each in row]
