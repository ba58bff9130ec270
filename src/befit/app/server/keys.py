"""Bearer keys, hashed at rest: personal keys are bound to a person, service keys act for others.

A key is ``sk-befit-``, 256 random bits and a checksum; it is shown once. What is kept is its
HMAC-SHA-256 under a pepper that lies in a file of its own beside the store, so that neither file
alone tells whether a guessed key is right.
"""

import hmac
import math
import os
import secrets
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from zlib import crc32

from befit.core.errors import (
    CorruptStoreError,
    FullStoreError,
    InputError,
    ReadOnlyStoreError,
    StoreError,
)
from befit.core.people import UserId

PREFIX = "sk-befit-"
FRESH_S = 1.0  # how long what was read of the file is believed, seconds
LONGEST_ID = 256  # characters of a person's id

_TABLE = """CREATE TABLE IF NOT EXISTS keys (
    digest BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, person TEXT, created TEXT NOT NULL
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key.

    Attributes:
        id: Names it in lists and to revoke it; says nothing about the secret.
        person: Whose it is; None for a service key, which acts for the people it names.
        created: When, UTC.
    """

    id: str
    person: UserId | None
    created: datetime


@dataclass(slots=True)
class KeyStore:
    """The keys of one server, in one file that several processes may use at once.

    Attributes:
        path: The file; made on first use, readable by its owner alone. The pepper lies beside it.
    """

    path: Path
    _lock: Lock = field(init=False, repr=False, compare=False, default_factory=Lock)
    _store: sqlite3.Connection | None = field(init=False, repr=False, compare=False, default=None)
    _known: dict[bytes, Key] = field(init=False, repr=False, compare=False, default_factory=dict)
    _checked: float = field(init=False, repr=False, compare=False, default=-math.inf)
    _version: int = field(init=False, repr=False, compare=False, default=-1)
    _pepper: bytes = field(init=False, repr=False, compare=False, default=b"")

    def create(self, person: UserId | None, at: datetime) -> str:
        """Make a key, for a person or (None) a service. This is the only time it is seen.

        Raises:
            InputError: The person's id is blank, too long or not printable.
            StoreError: The file cannot be written.
        """
        if person is not None:
            person = check_id(person)
        body = secrets.token_urlsafe(32)
        plaintext = PREFIX + body + _checksum(body)
        with self._open() as store:
            self._pepper = self._pepper or self._read_pepper(store)
            digest = self._digest(plaintext)
            store.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?)",
                (digest, secrets.token_hex(4), person, at.isoformat()),
            )
            self._version, self._checked = -1, -math.inf
        return plaintext

    def revoke(self, key_id: str) -> bool:
        """End a key by its id; whether there was one."""
        return self._delete("id", key_id) > 0

    def revoke_person(self, person: UserId) -> int:
        """End every key of a person; how many there were."""
        return self._delete("person", person)

    def keys(self) -> tuple[Key, ...]:
        """Every key, oldest first."""
        with self._open() as store:
            self._refresh(store)
        return tuple(sorted(self._known.values(), key=lambda key: (key.created, key.id)))

    def find(self, plaintext: str) -> Key | None:
        """The key that ``plaintext`` is, or None.

        A key that another process made counts at once; one that it revoked ends within `FRESH_S`.

        The time it takes does not depend on how much of a wrong key is right: what is looked up is
        a keyed hash of it, which whoever guesses cannot steer.
        """
        body = plaintext.removeprefix(PREFIX)[:-6]
        if not hmac.compare_digest(plaintext.encode(), (PREFIX + body + _checksum(body)).encode()):
            return None
        if self._pepper and monotonic() - self._checked < FRESH_S:
            found = self._known.get(self._digest(plaintext))
            if found is not None:
                return found
        with self._open() as store:
            self._refresh(store)
            if not self._known:
                return None
            self._pepper = self._pepper or self._read_pepper(store)
            return self._known.get(self._digest(plaintext))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None

    def _delete(self, column: str, value: str) -> int:
        with self._open() as store:
            self._version, self._checked = -1, -math.inf
            where = "id = ?" if column == "id" else "person = ?"
            return store.execute(f"DELETE FROM keys WHERE {where}", (value,)).rowcount  # noqa: S608

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._store is None:
                    self._store = _connect(self.path)
                yield self._store
            except sqlite3.Error as error:
                raise _store_error(self.path, error) from error

    def _refresh(self, store: sqlite3.Connection) -> None:
        self._checked = monotonic()
        version = store.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        self._known = {
            digest: Key(
                id=key_id,
                person=None if person is None else UserId(person),
                created=datetime.fromisoformat(created),
            )
            for digest, key_id, person, created in store.execute(
                "SELECT digest, id, person, created FROM keys"
            )
        }
        self._version = version

    def _digest(self, plaintext: str) -> bytes:
        return hmac.digest(self._pepper, plaintext.encode(), "sha256")

    def _read_pepper(self, store: sqlite3.Connection) -> bytes:
        path = self.path.with_name(self.path.name + ".pepper")
        try:
            if not path.exists():
                if store.execute("SELECT 1 FROM keys LIMIT 1").fetchone():
                    raise CorruptStoreError(
                        f"{path} is missing, so no key can be checked",
                        hint="put it back, or remove the key file and make new keys",
                    )
                _write_once(path, secrets.token_bytes(32))
            return path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}", hint="check its permissions") from error


def check_id(person: str) -> UserId:
    """A person's id, trimmed.

    Raises:
        InputError: It is blank, too long or not printable.
    """
    person = person.strip()
    if not person or len(person) > LONGEST_ID or not person.isprintable():
        raise InputError(
            f"a person's id has 1 to {LONGEST_ID} printable characters",
            hint="name the person by an opaque id",
            field="user",
        )
    return UserId(person)


def _checksum(body: str) -> str:
    return urlsafe_b64encode(crc32(body.encode()).to_bytes(4)).decode().rstrip("=")


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise ReadOnlyStoreError(
            f"{path} cannot be written: {error.strerror}", hint="choose another server.keys"
        ) from error
    store = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
    store.execute("PRAGMA synchronous = FULL")
    store.execute("PRAGMA secure_delete = ON")
    store.execute(_TABLE)
    return store


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    kinds = {
        "SQLITE_READONLY": ReadOnlyStoreError,
        "SQLITE_FULL": FullStoreError,
        "SQLITE_NOTADB": CorruptStoreError,
        "SQLITE_CORRUPT": CorruptStoreError,
    }
    name = getattr(error, "sqlite_errorname", "")
    kind = next((kinds[known] for known in kinds if name.startswith(known)), StoreError)
    return kind(f"the keys in {path} cannot be used: {error}", hint="check the file and its folder")


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; the first of several writers wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
