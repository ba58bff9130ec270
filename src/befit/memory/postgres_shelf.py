"""The shelf beside a `PostgresMemory`: pointers in the database, files in a folder.

Pointers are apart by tenant, not by person: they name an owner and hold no words of theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from befit.core.artifact import Artifact
from befit.core.people import UserId
from befit.memory.artifacts import COLUMNS, RowArtifacts, artifact_of, row_of
from befit.memory.postgres_server import Connection, Place, hold, place_of, shield, unshield
from befit.memory.rows import Pointers

T = TypeVar("T")

_WHOSE = "tenant = %s AND owner IS NOT DISTINCT FROM %s"
_LAST = f"SELECT max(number) FROM befit.promotions WHERE {_WHOSE} AND kind = %s"  # noqa: S608
_ACTIVE = (
    f"SELECT {COLUMNS} FROM befit.artifacts WHERE tenant = %s AND id ="  # noqa: S608 - ours
    f" (SELECT artifact FROM befit.promotions WHERE tenant = %s AND number = ({_LAST}))"
)
_LISTED = f"SELECT {COLUMNS} FROM befit.artifacts WHERE tenant = %s"  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class PostgresArtifacts(RowArtifacts):
    """The shelf of many gateways.

    Attributes:
        dsn: As in `PostgresMemory`.
        tenant: As there.
        connections: As there.
        files: The folder of the files; gateways on several machines need a shared one.
    """

    dsn: str = field(default="postgresql:///befit", repr=False)  # it may hold a password
    tenant: str = "default"
    connections: int = 8
    files: str | Path = "befit.artifacts"

    def _open(self) -> Pointers:
        return PostgresPointers(place_of(self.dsn, self.tenant, self.connections))

    @property
    def shelf(self) -> Path:
        """The folder in which each artifact has one, named by its id."""
        return Path(self.files).resolve()


class PostgresPointers:
    """Pointers in PostgreSQL.

    Args:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        self._server, self._tenant = place.server, place.tenant

    def add(self, artifact: Artifact) -> None:
        """Keep an artifact; one that is there stays as it is."""
        given = [shield(each) if isinstance(each, str) else each for each in row_of(artifact)]
        query = (
            f"INSERT INTO befit.artifacts (tenant, {COLUMNS})"  # noqa: S608 - ours
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
        )
        self._write(lambda c: c.execute(query, (self._tenant, *given)).rownumber)

    def active(self, owner: UserId | None, kind: str) -> Artifact | None:
        """The one promoted last."""
        return self._server.read(lambda c: self._active(c, owner, kind), self._tenant, "")

    def promote(self, artifact_id: str) -> bool:
        """Make one active; False where there is none of that id."""
        query = (
            "INSERT INTO befit.promotions (tenant, owner, kind, artifact)"
            " SELECT tenant, owner, kind, id FROM befit.artifacts WHERE tenant = %s AND id = %s"
            " RETURNING 1"
        )
        given = (self._tenant, shield(artifact_id))
        return bool(self._write(lambda c: c.execute(query, given).fetchall()))

    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None:
        """Take the last promotion back; returns what is active now."""
        query = f"DELETE FROM befit.promotions WHERE tenant = %s AND number = ({_LAST})"  # noqa: S608
        tenant = self._tenant

        def work(connection: Connection) -> Artifact | None:
            connection.execute(query, (tenant, tenant, _shielded(owner), shield(kind)))
            return self._active(connection, owner, kind)

        return self._write(work)

    def artifacts(self, owner: UserId | None) -> Sequence[Artifact]:
        """Someone's artifacts, oldest first."""
        query = f"{_LISTED} AND owner IS NOT DISTINCT FROM %s ORDER BY at, id"
        return self._listed(query, (self._tenant, _shielded(owner)))

    def all(self) -> Sequence[Artifact]:
        """Everyone's artifacts, oldest first."""
        return self._listed(f"{_LISTED} ORDER BY at, id", (self._tenant,))

    def promotions(self) -> Sequence[str]:
        """Ids, in the order in which they were promoted and not taken back."""
        query = "SELECT artifact FROM befit.promotions WHERE tenant = %s ORDER BY number"
        rows = self._server.read(
            lambda c: c.execute(query, (self._tenant,)).fetchall(), self._tenant, ""
        )
        return [unshield(name) for (name,) in rows]

    def erase(self, owner: UserId) -> None:
        """Forget someone's artifacts and promotions."""
        whose = (self._tenant, shield(owner))

        def work(connection: Connection) -> None:
            for table in ("promotions", "artifacts"):
                query = f"DELETE FROM befit.{table} WHERE tenant = %s AND owner = %s"  # noqa: S608
                connection.execute(query, whose)

        self._write(work)

    def _active(self, connection: Connection, owner: UserId | None, kind: str) -> Artifact | None:
        given = (self._tenant, self._tenant, self._tenant, _shielded(owner), shield(kind))
        row = connection.execute(_ACTIVE, given).fetchone()
        return None if row is None else _restored(row)

    def _listed(self, query: str, given: tuple[object, ...]) -> Sequence[Artifact]:
        rows = self._server.read(lambda c: c.execute(query, given).fetchall(), self._tenant, "")
        return [_restored(row) for row in rows]

    def _write(self, work: Callable[[Connection], T]) -> T:
        def holding(connection: Connection) -> T:
            hold(connection, self._tenant, "")
            return work(connection)

        return self._server.submit(holding, order="").result()


def _shielded(owner: UserId | None) -> str | None:
    return None if owner is None else shield(owner)


def _restored(row: Sequence[Any]) -> Artifact:
    return artifact_of([unshield(each) if isinstance(each, str) else each for each in row])
