"""Memory and journal in PostgreSQL, encrypted person by person before anything leaves the gateway.

As `memory.sealed`, over other rows: the server, its log, its backups and who runs it see when, of
which kind and how much there is, and no words. What a server keeps of deleted rows (dead rows until
it vacuums, its log until that is recycled, backups) is noise as soon as the person's key is
dropped. The keys are files: gateways on several machines need the same folder.
"""

from dataclasses import dataclass
from pathlib import Path

from befit.memory.ledger import ListedLedger
from befit.memory.postgres import PostgresJournal, PostgresMemory
from befit.memory.postgres_ledger import PostgresLedger
from befit.memory.rows import EvidenceRows, TurnRows
from befit.memory.sealed import SealedRows, SealedTurns, vault_at
from befit.memory.vault import Vault


@dataclass(frozen=True, slots=True)
class SealedPostgresMemory(PostgresMemory):
    """Memory in a PostgreSQL database, encrypted.

    Attributes:
        keys: The file of master keys; the wrapped keys of people lie in the folder of that name
            with ``.d``. Keep both apart from backups of the data.
    """

    keys: str | Path = "befit.db.keys"

    def _open(self) -> EvidenceRows:
        rows = PostgresMemory._open(self)  # noqa: SLF001 - super() knows no class with slots
        return SealedRows(rows, _vault(self.keys, "evidence", self.tenant))

    def ledger(self) -> ListedLedger:
        """Where decisions on this memory are kept: in the same database, sealed."""
        return PostgresLedger(
            dsn=self.dsn,
            tenant=self.tenant,
            connections=self.connections,
            vault=_vault(self.keys, "rights", self.tenant),
        )


@dataclass(frozen=True, slots=True)
class SealedPostgresJournal(PostgresJournal):
    """The journal beside a `SealedPostgresMemory`.

    Attributes:
        keys: As there.
    """

    keys: str | Path = "befit.db.keys"

    def _open(self) -> TurnRows:
        rows = PostgresJournal._open(self)  # noqa: SLF001
        return SealedTurns(rows, _vault(self.keys, "turns", self.tenant))


def _vault(keys: str | Path, what: str, tenant: str) -> Vault:
    """The same person of another tenant has another key."""
    return vault_at(keys, f"{what}/{tenant}")
