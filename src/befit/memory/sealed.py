"""Memory and journal in SQLite, encrypted person by person before anything reaches the file.

What was said, what it says of whom, in which scope, and what is derived from it is sealed
(`memory.vault`), each row bound to its person and its id; when, of which kind, by which origin and
how much there is stays readable, and so do ids. Forgetting a person drops their key beside their
rows. Search needs no plain text on disk: it runs in memory over what was opened. A file that was
written without encryption is refused, not mixed.

Evidence and journal have keys of their own, so that either can be forgotten alone.
"""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from befit.core.errors import CorruptStoreError
from befit.core.people import UserId
from befit.memory.blocks import Block, entry_of, row_again, unpack_latent
from befit.memory.journal import SqliteJournal
from befit.memory.keyring import FileKeyRing
from befit.memory.ledger import ListedLedger, SqliteLedger
from befit.memory.recall import Entry
from befit.memory.rows import NOTHING, EvidenceRows, Row, Turn, TurnRows
from befit.memory.sqlite import SqliteMemory
from befit.memory.vault import HEAD, Vault, open_text, place_of, seal_text, unsealed
from befit.memory.vault_shelf import FolderShelf

_TOLD = (3, 4, 6, 7, 8, 11)  # of a row: text, values, pair, scope, source, graded
_TEXT, _VECTOR, _LATENT = 3, 13, 15


@dataclass(frozen=True, slots=True)
class SealedMemory(SqliteMemory):
    """The default memory, encrypted.

    Attributes:
        keys: The file of master keys; ``<path>.keys`` where it is empty. The wrapped keys of people
            lie in the folder of that name with ``.d``. Keep both apart from backups of the data.
    """

    keys: str | Path = ""

    def _open(self) -> EvidenceRows:
        rows = SqliteMemory._open(self)  # noqa: SLF001 - super() knows no class with slots
        return SealedRows(rows, vault_at(self.keys or f"{self.path}.keys", "evidence"))

    def ledger(self) -> ListedLedger:
        """Where decisions on this memory are kept: beside its file, sealed."""
        vault = vault_at(self.keys or f"{self.path}.keys", "rights")
        return SqliteLedger(path=f"{self.path}.rights", vault=vault)


@dataclass(frozen=True, slots=True)
class SealedJournal(SqliteJournal):
    """The default journal, encrypted.

    Attributes:
        keys: The file of master keys; that of `SealedMemory`.
    """

    keys: str | Path = ""

    def _open(self) -> TurnRows:
        rows = SqliteJournal._open(self)  # noqa: SLF001
        return SealedTurns(rows, vault_at(self.keys or f"{self.path}.keys", "turns"))


def vault_at(keys: str | Path, tenant: str) -> Vault:
    """The vault whose master keys are in a local file."""
    shelf = FolderShelf(path=f"{keys}.d")
    return Vault(ring=FileKeyRing(path=keys), shelf=shelf, tenant=tenant)


class SealedRows:
    """Rows of evidence that are sealed before they go to other rows.

    Args:
        rows: Where they go.
        vault: Seals them.
    """

    def __init__(self, rows: EvidenceRows, vault: Vault) -> None:
        self._rows = rows
        self._vault = vault

    def add(self, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        """Seal rows and keep them."""
        return self._rows.add([(user, self._sealed(user, row)) for user, row in rows])

    def load(self, user: UserId, cached: Block | None) -> Block:
        """Open what is new.

        Raises:
            CorruptStoreError: A row was changed or moved, or the person's key is lost.
        """
        block = self._rows.load(user, cached)
        if block is cached or block.number == 0:
            return block
        known = {each.key: each for each in cached.entries} if cached is not None else {}
        opened = [
            each if known.get(each.key) is each else self._opened(user, each)
            for each in block.entries
        ]
        return Block.of(block.number, block.revision, block.erased, opened)

    def delete(self, user: UserId, ids: Sequence[str] | None) -> int:
        """Erase rows; with all of them the key."""
        count = self._rows.delete(user, ids)
        if ids is None:
            self._vault.forget(user)
        return count

    def derive(self, user: UserId, updates: Sequence[Row]) -> None:
        """Seal what was derived anew."""
        sealed = [
            (self._derived(user, str(name), vector, latent), encoder, None, taste, key, name)
            for vector, encoder, latent, taste, key, name in updates
        ]
        self._rows.derive(user, sealed)

    def people(self) -> Sequence[UserId]:
        """Everyone of whom evidence or turns are kept."""
        return self._rows.people()

    def close(self) -> None:
        """Let go of connections."""
        self._rows.close()

    def _sealed(self, user: UserId, row: Row) -> Row:
        told = json.dumps([row[column] for column in _TOLD], ensure_ascii=False)
        made = ["" if column in _TOLD else value for column, value in enumerate(row)]
        made[_TEXT] = seal_text(self._vault, user, place_of("evidence", row[0]), told)
        made[_VECTOR] = self._derived(user, row[0], row[_VECTOR], row[_LATENT])
        made[_LATENT] = None
        return tuple(made)

    def _opened(self, user: UserId, entry: Entry) -> Entry:
        name = entry.evidence.id
        row = list(row_again(entry))
        told = open_text(self._vault, user, place_of("evidence", name), entry.evidence.text)
        for column, value in zip(_TOLD, json.loads(told), strict=True):
            row[column] = value
        vector, latent = entry.vector, None
        if vector is not None:
            plain = self._vault.open(user, place_of("derived", name), vector)
            (long,) = struct.unpack_from("<I", plain)
            vector, latent = plain[4 : 4 + long] or None, plain[4 + long :] or None
        whole = entry_of(user, (entry.key, *row))
        return replace(
            whole,
            vector=vector,
            encoder=entry.encoder,
            latent=unpack_latent(latent),
            taste=entry.taste,
        )

    def _derived(
        self, user: UserId, name: str, vector: bytes | None, latent: bytes | None
    ) -> bytes | None:
        """Vector and latent difference as one sealed whole."""
        if vector is None and latent is None:
            return None
        plain = struct.pack("<I", len(vector or b"")) + (vector or b"") + (latent or b"")
        return self._vault.seal(user, place_of("derived", name), plain)


class SealedTurns:
    """Turns that are sealed before they go to other rows.

    Args:
        rows: Where they go.
        vault: Seals them.
    """

    def __init__(self, rows: TurnRows, vault: Vault) -> None:
        self._rows = rows
        self._vault = vault

    def add(
        self, user: UserId, response: str, body: str, reactions: Sequence[str]
    ) -> "Future[None]":
        """Seal a turn and its reactions and keep them."""
        sealed = [self._seal("reactions", user, response, each) for each in reactions]
        return self._rows.add(user, response, self._seal("turns", user, response, body), sealed)

    def react(self, user: UserId, wanted: Mapping[str, str], body: str) -> Turn:
        """Seal a reaction and keep it; returns its turn, opened."""
        sealed = self._seal("reactions", user, wanted["response"], body)
        return self._opened(self._rows.react(user, wanted, sealed))

    def turns(self, user: UserId | None) -> Sequence[Turn]:
        """Turns, opened."""
        return [self._opened(each) for each in self._rows.turns(user)]

    def bodies(self, user: UserId, responses: Sequence[str]) -> Mapping[str, str]:
        """Bodies, opened."""
        found = self._rows.bodies(user, responses)
        return {name: self._open("turns", user, body, name) for name, body in found.items()}

    def erase(
        self,
        user: UserId,
        responses: Sequence[str] | None = None,
        reactions: Mapping[str, Sequence[int]] = NOTHING,
    ) -> int:
        """Erase a person's turns, or some; with all of them the key."""
        count = self._rows.erase(user, responses, reactions)
        if responses is None:
            self._vault.forget(user)
        return count

    def _opened(self, turn: Turn) -> Turn:
        """A body or a reaction that was moved to another turn does not open."""
        body = self._open("turns", turn.user, turn.body, turn.response)
        said = [self._open("reactions", turn.user, r, turn.response) for r in turn.reactions]
        return Turn(turn.user, turn.response, body, tuple(said))

    def _seal(self, table: str, user: UserId, response: str, body: str) -> str:
        """A body says of which response it is, and is bound to that."""
        told = base64.b64encode(response.encode()).decode()
        return f"{told}:{seal_text(self._vault, user, place_of(table, response), body)}"

    def _open(self, table: str, user: UserId, sealed: str, response: str) -> str:
        told, _, text = sealed.partition(":")
        if not text.startswith(HEAD):
            raise unsealed()
        found = base64.b64decode(told).decode()
        if response != found:
            raise CorruptStoreError("a turn was moved", hint="restore a backup")
        return open_text(self._vault, user, place_of(table, found), text)
