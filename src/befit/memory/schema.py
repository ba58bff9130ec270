"""The tables of the file, how a connection to it is opened, and what its errors mean.

Rows of one person stand together: keys are ``number * SPAN + n``. Each begins with a ``mark`` that
no other row has: SQLite fills a page from its end, so of a deleted row the beginning is overwritten
last, and where the mark is gone the row is. It runs no transaction of its own
but the one that makes the tables.
"""

import sqlite3
import time
from pathlib import Path

from befit.core.errors import (
    CorruptStoreError,
    FullStoreError,
    ReadOnlyStoreError,
    StoreError,
)

VERSION = 2  # of the tables below
SPAN = 1 << 34  # keys of one person: [number * SPAN, (number + 1) * SPAN)

_APPLICATION = 0x62656669  # "befi", in the file's header
_BUSY = 10_000  # milliseconds to wait for another process
_WRITABLE = "make the file and its folder writable, or set another memory.path"
#: The way out of a damaged file.
MEND = "restore a backup, or move the file away and import an export"
_SPACE = "free space on the disk; what was acknowledged is safe"

_TABLES = """
CREATE TABLE users (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL UNIQUE,
    tag BLOB NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    erased INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE evidence (
    key INTEGER PRIMARY KEY,
    mark BLOB NOT NULL,
    owner INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    vals TEXT NOT NULL,
    noise REAL NOT NULL,
    pair TEXT NOT NULL,
    scope TEXT NOT NULL,
    source TEXT NOT NULL,
    reacted TEXT NOT NULL,
    vector BLOB,
    encoder TEXT NOT NULL DEFAULT '',
    latent BLOB,
    taste TEXT NOT NULL DEFAULT '',
    learned INTEGER,
    graded TEXT NOT NULL DEFAULT '',
    origin TEXT NOT NULL DEFAULT 'person',
    UNIQUE (owner, id)
);
CREATE TABLE turns (
    key INTEGER PRIMARY KEY,
    mark BLOB NOT NULL,
    owner INTEGER NOT NULL,
    response TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (owner, response)
);
CREATE TABLE reactions (
    key INTEGER PRIMARY KEY,
    mark BLOB NOT NULL,
    turn INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX reactions_to ON reactions (turn);
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    owner TEXT,
    base TEXT NOT NULL,
    at INTEGER NOT NULL,
    metrics TEXT NOT NULL
);
CREATE TABLE promotions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT,
    kind TEXT NOT NULL,
    artifact TEXT NOT NULL
);
CREATE TABLE owed (
    number INTEGER PRIMARY KEY,
    mark BLOB NOT NULL
);
"""

#: From version n to n + 1; a column comes last in a table, so that old and new files are the same.
_MIGRATIONS = {
    1: (
        "ALTER TABLE evidence ADD COLUMN learned INTEGER",
        "ALTER TABLE evidence ADD COLUMN graded TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE evidence ADD COLUMN origin TEXT NOT NULL DEFAULT 'person'",
        "CREATE TABLE owed (number INTEGER PRIMARY KEY, mark BLOB NOT NULL)",
    ),
}


def connect(path: Path) -> sqlite3.Connection:
    """Open the file; the folder and the tables are made where there are none.

    Raises:
        StoreError: It cannot be opened, or is not ours.
        sqlite3.Error: Any other fault; see `translate`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnlyStoreError(f"{path.parent}: {error.strerror}", hint=_WRITABLE) from error
    connection = sqlite3.connect(
        path, timeout=_BUSY / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the connection up, and the tables where the file is new."""
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        _create(connection, path)


def _create(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, or bring an older one up to date; a newer one is refused."""
    connection.execute("PRAGMA page_size=8192")
    _use_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute(f"PRAGMA application_id={_APPLICATION}")
    elif connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION:
        found = _migrate(connection, found)
    connection.execute("COMMIT")
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise CorruptStoreError(f"{path} is no befit store", hint="set another memory.path")
    if found not in (0, VERSION):
        raise StoreError(f"{path} has version {found}", hint="install the befit that wrote it")


def _migrate(connection: sqlite3.Connection, found: int) -> int:
    """Step by step to this version, in the transaction under way; returns where it got."""
    while found in _MIGRATIONS:
        for statement in _MIGRATIONS[found]:
            connection.execute(statement)
        found += 1
        connection.execute(f"PRAGMA user_version={found}")
    return found


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; another process that does the same makes SQLite say busy."""
    until = time.monotonic() + _BUSY / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def translate(error: sqlite3.Error, path: Path) -> StoreError:
    """The typed error for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0)
    full = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE)
    if code & 0xFF == sqlite3.SQLITE_FULL or code in full:
        return FullStoreError(f"{path}: nothing more can be written ({error})", hint=_SPACE)
    if code & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return ReadOnlyStoreError(f"{path}: {error}", hint=_WRITABLE)
    if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptStoreError(f"{path}: {error}", hint=MEND)
    if code & 0xFF == sqlite3.SQLITE_BUSY:
        return StoreError(f"{path} is locked by another process", hint="try again")
    return StoreError(f"{path}: {error}", hint="see whether the disk is healthy")
