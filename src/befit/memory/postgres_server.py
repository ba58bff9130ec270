"""A PostgreSQL server: migrations, a pool to read from, group commit to write, typed errors.

Every transaction runs in a role that owns nothing and names the tenant and the person it is for;
row-level security shows it no other row (``postgres_data/0001_tables.sql``). Versions of the tables
are SQL files, applied in order under an advisory lock by whoever comes first and may. Many gateways
may use one server. What rows mean is not known here.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from befit.core.errors import (
    ConfigError,
    CorruptStoreError,
    FullStoreError,
    ReadOnlyStoreError,
    StoreError,
)
from befit.memory.writer import GroupWriter

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

_LOCK = 0x62656669  # "befi": the advisory lock of migrations
_WAIT = 10.0  # seconds for a connection
_ACT = "SELECT set_config('befit.tenant', %s, true), set_config('befit.person', %s, true)"
# waits for whoever writes this person's rows, so that keys are committed in their order
_HOLD = f"{_ACT}, pg_advisory_xact_lock(hashtextextended(%s, 0))"
_TYPES: tuple[tuple[type[psycopg.Error], type[StoreError], str], ...] = (
    (errors.DiskFull, FullStoreError, "free space on the server; what was acknowledged is safe"),
    (errors.InsufficientPrivilege, ReadOnlyStoreError, "grant befit_app and befit_reader to it"),
    (errors.ReadOnlySqlTransaction, ReadOnlyStoreError, "name the primary server"),
    (errors.DataCorrupted, CorruptStoreError, "restore a backup of the server"),
    (errors.IndexCorrupted, CorruptStoreError, "rebuild the index, or restore a backup"),
    (psycopg.OperationalError, StoreError, "see whether the server runs, and try again"),
    (psycopg.Error, StoreError, "see the server's log"),
)


def act(connection: Connection, tenant: str, person: str) -> None:
    """From here to the end of the transaction, see and write this person's rows alone."""
    connection.execute(_ACT, (tenant, person), prepare=True)


def hold(connection: Connection, tenant: str, person: str) -> None:
    """As `act`, and alone in writing: others wait until the transaction ends."""
    lock = f"{tenant}\x1f{person}"
    connection.execute(_HOLD, (tenant, person, lock), prepare=True)


@cache
def migrations() -> tuple[str, ...]:
    """The SQL that leads from each version to the next, beginning with nothing."""
    found = files("befit.memory").joinpath("postgres_data").iterdir()
    scripts = sorted((each.name, each) for each in found if each.name.endswith(".sql"))
    return tuple(each.read_text("utf-8") for _, each in scripts)


@dataclass(frozen=True, slots=True)
class _Link:
    """How the writer reaches the server."""

    dsn: str

    @property
    def name(self) -> str:
        """Without the password."""
        parts = conninfo_to_dict(self.dsn)
        return f"postgresql://{parts.get('host', '')}/{parts.get('dbname', '')}"

    def open(self) -> Connection:
        connection: Connection = psycopg.connect(
            self.dsn, autocommit=True, connect_timeout=int(_WAIT)
        )
        self.configure(connection)
        return connection

    def configure(self, connection: Connection) -> None:
        connection.execute("SET ROLE befit_app")

    def close(self, connection: Connection) -> None:
        connection.close()

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[None]:
        """Sent as one stream: statements do not wait for each other's answers."""
        with connection.pipeline(), connection.transaction():
            yield

    def is_usable(self, connection: Connection) -> bool:
        idle = connection.info.transaction_status is TransactionStatus.IDLE
        return idle and not connection.closed

    def typed(self, error: Exception) -> Exception:
        for kind, wanted, hint in _TYPES:
            if isinstance(error, kind):
                return wanted(f"{self.name}: {str(error).strip()}", hint=hint)
        return error

    def is_doubtful(self, error: BaseException) -> bool:
        """Where the connection was lost the server may have kept what it did not answer."""
        return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


class Server:
    """One database. Opens on first use; safe to share between threads and across ``fork``.

    Args:
        dsn: ``postgresql://...``, or ``key=value`` pairs.
        connections: Most of them that read at once; one more writes.

    Raises:
        ConfigError: The address makes no sense.
    """

    def __init__(self, dsn: str, connections: int) -> None:
        try:
            conninfo_to_dict(dsn)
        except psycopg.Error as error:
            raise ConfigError(
                "memory.dsn is no address of a PostgreSQL database",
                hint="write postgresql://user@host/database",
                field="memory.dsn",
            ) from error
        self._link, self._most = _Link(dsn), connections
        self._reset()
        _SERVERS.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._writer = GroupWriter(self._link)
        self._pool: ConnectionPool[Connection] | None = None
        self._finalizer = weakref.finalize(self, self._writer.close)

    def read(self, work: Callable[[Connection], T], tenant: str, person: str) -> T:
        """Run ``work`` in a transaction that sees one person's rows.

        Raises:
            StoreError: The server does not answer, or refuses.
        """

        def acting(connection: Connection) -> T:
            act(connection, tenant, person)
            return work(connection)

        return self._read(acting)

    def read_all(self, work: Callable[[Connection], T], tenant: str) -> T:
        """Run ``work`` in a transaction that may read every person's rows of one tenant.

        Raises:
            StoreError: The server does not answer, or refuses.
        """

        def acting(connection: Connection) -> T:
            connection.execute("SET LOCAL ROLE befit_reader")
            act(connection, tenant, "")
            return work(connection)

        return self._read(acting)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            try:
                return self._once(work)
            except psycopg.OperationalError as error:
                if not self._link.is_doubtful(error):
                    raise
                return self._once(work)  # the server had closed an idle connection
        except psycopg.Error as error:
            raise self._link.typed(error) from error

    def _once(self, work: Callable[[Connection], T]) -> T:
        pool = self._pool or self._open()
        with pool.connection(_WAIT) as connection, self._link.transaction(connection):
            return work(connection)

    def submit(self, work: Callable[[Connection], T], order: str) -> "Future[T]":
        """Run ``work`` with others in one transaction; it must `hold` the person it writes.

        Args:
            work: See `GroupWriter.submit`.
            order: The person, or the first of them: everyone takes locks in this order.
        """
        if self._pool is None:
            try:
                self._open()
            except psycopg.Error as error:
                raise self._link.typed(error) from error
        return self._writer.submit(work, order=order)

    def close(self) -> None:
        """Write what was handed in and close every connection; a later use opens again."""
        self._finalizer()
        if self._pool is not None:
            self._pool.close()
        self._reset()

    def _open(self) -> "ConnectionPool[Connection]":
        with self._lock:
            if self._pool is None:
                self._migrate()
                pool: ConnectionPool[Connection] = ConnectionPool(
                    self._link.dsn,
                    min_size=0,
                    max_size=self._most,
                    open=False,
                    configure=self._link.configure,
                    kwargs={"autocommit": True, "connect_timeout": int(_WAIT)},
                )
                pool.open()
                self._pool = pool
            return self._pool

    def _migrate(self) -> None:
        """Bring the tables up to date.

        Raises:
            StoreError: They are of a newer befit, or may not be made.
        """
        with psycopg.connect(
            self._link.dsn, autocommit=True, connect_timeout=int(_WAIT)
        ) as connection:
            if self._version(connection) < len(migrations()):
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                    for version in range(self._version(connection), len(migrations())):
                        self._apply(connection, version)

    def _version(self, connection: Connection) -> int:
        found = connection.execute("SELECT to_regclass('befit.migrations')").fetchone()
        if found is None or found[0] is None:
            return 0
        last = connection.execute("SELECT max(version) FROM befit.migrations").fetchone()
        version = int(last[0] or 0) if last else 0
        if version > len(migrations()):
            raise StoreError(
                f"{self._link.name} has version {version}", hint="install the befit that made it"
            )
        return version

    def _apply(self, connection: Connection, version: int) -> None:
        if version == 0:
            connection.execute("CREATE SCHEMA IF NOT EXISTS befit")
            connection.execute("CREATE TABLE befit.migrations (version int PRIMARY KEY)")
            connection.execute("GRANT SELECT ON befit.migrations TO PUBLIC")
            connection.execute("GRANT USAGE ON SCHEMA befit TO PUBLIC")
        connection.execute(migrations()[version].encode())
        connection.execute("INSERT INTO befit.migrations VALUES (%s)", (version + 1,))

    def _in_child(self) -> None:
        """The parent's connections and threads are not the child's: leave them alone."""
        self._finalizer.detach()
        _LEFT.append((self._pool, self._writer))
        self._reset()


_SERVERS: "weakref.WeakSet[Server]" = weakref.WeakSet()
_OPEN: "weakref.WeakValueDictionary[tuple[str, int], Server]" = weakref.WeakValueDictionary()
_OPENING = threading.Lock()
_LEFT: list[object] = []  # of a parent process, kept so that nothing closes them


def open_server(dsn: str, connections: int) -> Server:
    """The server at that address: one in a process, so that all its users share commits."""
    with _OPENING:
        server = _OPEN.get((dsn, connections))
        if server is None:
            server = _OPEN[dsn, connections] = Server(dsn, connections)
        return server


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where rows are: a database, and whose they are.

    Attributes:
        server: The database.
        tenant: Whose gateway it is.
    """

    server: Server
    tenant: str


def place_of(dsn: str, tenant: str, connections: int) -> Place:
    """The place of those options.

    Raises:
        ConfigError: An option is empty, or no address.
    """
    if not tenant or connections < 1:
        name = "connections" if tenant else "tenant"
        raise ConfigError(
            f"memory.{name} is empty", hint=f"set memory.{name}", field=f"memory.{name}"
        )
    return Place(server=open_server(dsn, connections), tenant=shield(tenant))


def shield(text: str) -> str:
    """A text without NUL, which PostgreSQL cannot keep; `unshield` gives it back."""
    if "\0" in text or "\x1a" in text:
        return text.replace("\x1a", "\x1aS").replace("\0", "\x1aN")
    return text


def unshield(text: str) -> str:
    """The text of `shield`."""
    return text.replace("\x1aN", "\0").replace("\x1aS", "\x1a") if "\x1a" in text else text


def _in_child() -> None:
    for server in list(_SERVERS):
        server._in_child()  # noqa: SLF001 - same module


os.register_at_fork(after_in_child=_in_child)
