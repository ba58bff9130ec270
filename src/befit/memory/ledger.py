"""What people decided about their own memory, and what waits for their word.

Decisions are dated and append-only: consent given or taken back, a belief pinned, rejected or
released. Beside them wait pieces of evidence that were held back, with the reason. All of it lies
in one small file beside the evidence, overwritten when it is deleted, and goes with the person. It
keeps what was decided; what that means is for `memory.consent` and `memory.consented`.
"""

import json
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

from befit.core.errors import InputError
from befit.core.people import UserId
from befit.core.preference import Evidence
from befit.memory.blocks import microseconds, moment
from befit.memory.codec import dump, evidence_from_json, evidence_to_json, is_text
from befit.memory.erasure import search_bytes
from befit.memory.schema import translate
from befit.memory.vault import Vault, open_text, place_of, seal_text

T = TypeVar("T")
Verb = Literal["consent", "pin", "reject", "release", "retain"]

_PEOPLE = 4096  # whose decisions are kept ready
_TABLES = """
CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY, user TEXT NOT NULL, at INTEGER NOT NULL, verb TEXT NOT NULL,
    subject TEXT NOT NULL, scope TEXT NOT NULL, value REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS decisions_of ON decisions (user);
CREATE TABLE IF NOT EXISTS held (
    number INTEGER PRIMARY KEY, user TEXT NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL,
    body TEXT NOT NULL, UNIQUE (user, id)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision of a person about their memory.

    Attributes:
        user: Who decided.
        at: When, UTC.
        verb: "consent"; "pin", "reject" or "release" a belief; "retain", for how long.
        subject: ``kind:purpose`` of a consent, ``keep:class`` of a limit; else the dimension.
        scope: Where it holds, for a belief; "" is everywhere.
        value: 1 grants and 0 withdraws; of a pin the position in [-1, 1]; of a limit the share of
            100 years.
    """

    user: UserId
    at: datetime
    verb: Verb
    subject: str
    scope: str = ""
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """A piece of evidence that waits for the person's word, and why."""

    evidence: Evidence
    reason: str


@runtime_checkable
class Ledger(Protocol):
    """Keeps decisions, in the order in which they were made, and what is held back."""

    def decide(self, decision: Decision) -> None: ...
    def decisions(self, user: UserId) -> tuple[Decision, ...]: ...
    def hold(self, items: Sequence[Held]) -> None: ...
    def held(self, user: UserId) -> tuple[Held, ...]: ...
    def drop_held(self, user: UserId, ids: Sequence[str]) -> int: ...
    def drop_decisions(self, user: UserId, subjects: Sequence[str]) -> int: ...
    def erase(self, user: UserId) -> int: ...


class ListedLedger(Ledger, Protocol):
    """A ledger that knows whose it is."""

    def people(self) -> Sequence[UserId]: ...


@runtime_checkable
class HasLedger(Protocol):
    """A memory that says where the decisions on it are kept."""

    def ledger(self) -> ListedLedger: ...


@dataclass(slots=True)
class _Open:
    """The connection of this process, and the decisions that it has read."""

    lock: Lock = field(default_factory=Lock)
    connection: sqlite3.Connection | None = None
    process: int = 0
    version: int = -1
    ready: OrderedDict[UserId, tuple[Decision, ...]] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteLedger:
    """The default ledger. Threads and processes may share the file.

    Attributes:
        path: The file; made with the first decision.
        vault: Seals what was decided and what waits; None keeps it readable.
    """

    path: str | Path = "befit.db.rights"
    vault: Vault | None = None
    _open: _Open = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_open", _Open())

    def decide(self, decision: Decision) -> None:
        """Keep a decision.

        Raises:
            InputError: It makes no sense; ``field`` names what.
            StoreError: It could not be written.
        """
        row = (decision.user, *decision_row(decision, self.vault))
        query = "INSERT INTO decisions (user, at, verb, subject, scope, value) VALUES (?,?,?,?,?,?)"
        self._write(lambda connection: connection.execute(query, row).rowcount)

    def decisions(self, user: UserId) -> tuple[Decision, ...]:
        """What the person decided, in the order in which they did."""

        def work(connection: sqlite3.Connection) -> tuple[Decision, ...]:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._open.version:
                self._open.ready.clear()
                self._open.version = version
            found = self._open.ready.get(user)
            if found is None:
                rows = connection.execute(
                    "SELECT at, verb, subject, scope, value FROM decisions WHERE user = ?"
                    " ORDER BY number",
                    (user,),
                ).fetchall()
                found = tuple(decision_of(user, row, self.vault) for row in rows)
                self._open.ready[user] = found
                while len(self._open.ready) > _PEOPLE:
                    self._open.ready.popitem(last=False)
            return found

        return self._read(user, work, ())

    def hold(self, items: Sequence[Held]) -> None:
        """Keep evidence apart; what waits already stays as it is."""
        rows = [(item.evidence.user, *held_row(item, self.vault)) for item in items]
        query = "INSERT OR IGNORE INTO held (user, id, reason, body) VALUES (?, ?, ?, ?)"
        if rows:
            self._write(lambda connection: connection.executemany(query, rows).rowcount)

    def held(self, user: UserId) -> tuple[Held, ...]:
        """What waits for the person's word, oldest first."""

        def work(connection: sqlite3.Connection) -> tuple[Held, ...]:
            query = "SELECT id, reason, body FROM held WHERE user = ? ORDER BY number"
            rows = connection.execute(query, (user,)).fetchall()
            return tuple(held_of(user, row, self.vault) for row in rows)

        return self._read(user, work, ())

    def drop_held(self, user: UserId, ids: Sequence[str]) -> int:
        """Let go of what waited; returns how many pieces."""
        rows = [(user, each) for each in ids]
        query = "DELETE FROM held WHERE user = ? AND id = ?"
        return self._delete(user, lambda c: c.executemany(query, rows).rowcount)

    def drop_decisions(self, user: UserId, subjects: Sequence[str]) -> int:
        """Erase what was decided on some subjects; returns how many decisions."""
        gone = set(subjects)

        def work(connection: sqlite3.Connection) -> int:
            query = "SELECT number, subject FROM decisions WHERE user = ?"
            rows = connection.execute(query, (user,)).fetchall()
            found = [(n,) for n, s in rows if subject_of(user, s, self.vault) in gone]
            query = "DELETE FROM decisions WHERE number = ?"
            return connection.executemany(query, found).rowcount if found else 0

        return self._delete(user, work, [each.encode() for each in subjects])

    def erase(self, user: UserId) -> int:
        """Erase all that was decided and all that waits; returns how many records."""

        def work(connection: sqlite3.Connection) -> int:
            tables = ("decisions", "held")
            queries = (f"DELETE FROM {table} WHERE user = ?" for table in tables)  # noqa: S608
            return sum(connection.execute(query, (user,)).rowcount for query in queries)

        count = self._delete(user, work)
        if self.vault is not None:
            self.vault.forget(user)
        return count

    def people(self) -> Sequence[UserId]:
        """Everyone who decided anything, or of whom anything waits."""
        query = "SELECT user FROM decisions UNION SELECT user FROM held ORDER BY user"
        found: list[tuple[str]] = self._read(UserId(""), lambda c: c.execute(query).fetchall(), [])
        return [UserId(user) for (user,) in found]

    def close(self) -> None:
        """Let go of the file; a later use opens it again."""
        with self._open.lock:
            self._let_go()

    def _delete(
        self,
        user: UserId,
        work: Callable[[sqlite3.Connection], int],
        gone: Sequence[bytes] = (),
    ) -> int:
        """Delete, and leave no copy: moved rows may leave one in the unused part of a page."""
        waits = [each.evidence.text.encode() for each in self.held(user)]
        if not Path(self.path).exists() or not is_text(user):
            return 0
        count = self._write(work)
        left = {each.evidence.text.encode() for each in self.held(user)}
        needles = [each for each in waits if each and each not in left]
        needles += [*gone, *(() if self.decisions(user) or left else [user.encode()])]
        if count and needles and search_bytes([self.path], needles):
            self._bare("VACUUM")
        return count

    def _read(self, user: UserId, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        if not is_text(user) or not Path(self.path).exists():
            return nothing
        with self._open.lock:
            try:
                return work(self._connected())
            except sqlite3.Error as error:
                raise translate(error, Path(self.path)) from error

    def _write(self, work: Callable[[sqlite3.Connection], int]) -> int:
        with self._open.lock:
            try:
                connection = self._connected()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    done = work(connection)
                    connection.execute("COMMIT")
                finally:
                    self._open.ready.clear()
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise translate(error, Path(self.path)) from error
            return done

    def _bare(self, statement: str) -> None:
        with self._open.lock:
            try:
                self._connected().execute(statement)
            except sqlite3.Error as error:
                raise translate(error, Path(self.path)) from error

    def _connected(self) -> sqlite3.Connection:
        """This process's connection, opened on first use and again after a fork."""
        state = self._open
        if state.process != os.getpid():
            state.connection, state.process = None, os.getpid()
        if state.connection is None:
            path = Path(self.path)
            connection = sqlite3.connect(
                path, timeout=10.0, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.executescript(_TABLES)
            state.connection, state.version = connection, -1
        return state.connection

    def _let_go(self) -> None:
        if self._open.connection is not None:
            self._open.connection.close()
            self._open.connection = None


def decision_row(decision: Decision, vault: Vault | None) -> tuple[Any, ...]:
    """What is kept of a decision beside whose it is: at, verb, subject, scope, value.

    Raises:
        InputError: It makes no sense; ``field`` names what.
    """
    d = decision
    _check(d)
    told = d.subject
    if vault is not None:
        told = seal_text(vault, d.user, _place("decisions"), told)
    return (microseconds(d.at), d.verb, told, d.scope, d.value)


def decision_of(user: UserId, row: Sequence[Any], vault: Vault | None) -> Decision:
    """The decision of a row of `decision_row`."""
    at, verb, told, scope, value = row
    subject = subject_of(user, told, vault)
    return Decision(user=user, at=moment(at), verb=verb, subject=subject, scope=scope, value=value)


def subject_of(user: UserId, told: str, vault: Vault | None) -> str:
    """The subject of a row of `decision_row`."""
    return told if vault is None else open_text(vault, user, _place("decisions"), told)


def held_row(item: Held, vault: Vault | None) -> tuple[str, str, str]:
    """What is kept of what waits beside whose it is: id, reason, body."""
    e = item.evidence
    body = dump(evidence_to_json(e))
    sealed = body if vault is None else seal_text(vault, e.user, _place(e.id), body)
    return (e.id, item.reason, sealed)


def held_of(user: UserId, row: Sequence[Any], vault: Vault | None) -> Held:
    """What waits, of a row of `held_row`."""
    name, reason, body = row
    plain = body if vault is None else open_text(vault, user, _place(name), body)
    return Held(evidence_from_json(json.loads(plain), "held"), reason)


def _place(row: str) -> bytes:
    return place_of("rights", row)


def _check(decision: Decision) -> None:
    faults = {
        "user": not decision.user or not is_text(decision.user),
        "subject": not decision.subject or not is_text(decision.subject),
        "scope": not is_text(decision.scope),
        "verb": decision.verb not in get_args(Verb),
        "value": not -1.0 <= decision.value <= 1.0,
        "at": decision.at.tzinfo is None,
    }
    for name, wrong in faults.items():
        if wrong:
            raise InputError(f"decision: {name} makes no sense", hint=f"correct {name}", field=name)
