"""Memory and journal in PostgreSQL: the same rows and the same meaning as in SQLite.

Search within a person is exact: their rows are read whole and ranked here, as everywhere
(`memory.profiles`). Every statement names tenant and person, and row-level security holds it to
them. What is deleted is gone for every reader at once; its bytes go when the server vacuums and
recycles its log, so that a proof that no byte is left is SQLite's alone.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from befit.core.people import UserId
from befit.memory.blocks import COLUMNS, Block, entry_of
from befit.memory.journal import RowJournal
from befit.memory.ledger import ListedLedger
from befit.memory.postgres_ledger import PostgresLedger
from befit.memory.postgres_server import (
    Connection,
    Place,
    hold,
    place_of,
    shield,
    unshield,
)
from befit.memory.profiles import RowMemory
from befit.memory.rows import NOTHING, EvidenceRows, Row, Turn, TurnRows, unknown_response

# a person who is new begins with revision 0: the same statement cannot move it, and need not
_ENROL = (
    "WITH known AS (INSERT INTO befit.people (tenant, person) VALUES (%s, %s)"
    " ON CONFLICT DO NOTHING), "
)
_MOVE = "UPDATE befit.people SET revision = revision + 1"
_WHOSE = " WHERE tenant = %s AND person = %s"
_STORED = COLUMNS.removeprefix("key, ")
_ARRAYS = ", ".join(
    f"%s::{kind}[]"
    for kind in (
        *("text", "text", "bigint", "text", "text", "double precision", "text", "text", "text"),
        *("text", "bigint", "text", "text", "bytea", "text", "bytea", "text"),
    )
)
_ADD = (
    f"{_ENROL}added AS (INSERT INTO befit.evidence (tenant, person, {_STORED})"  # noqa: S608 - ours
    f" SELECT %s, %s, {_STORED} FROM unnest({_ARRAYS}) WITH ORDINALITY AS t({_STORED}, place)"
    f" ORDER BY place ON CONFLICT DO NOTHING RETURNING 1)"
    f" {_MOVE}{_WHOSE} AND EXISTS (SELECT 1 FROM added)"
)
# of one row: arrays of one cost more than the row itself
_ADD_ONE = (
    f"{_ENROL}added AS (INSERT INTO befit.evidence (tenant, person, {_STORED})"  # noqa: S608 - ours
    f" VALUES ({', '.join(['%s'] * (2 + _STORED.count(',') + 1))}) ON CONFLICT DO NOTHING"
    f" RETURNING 1) {_MOVE}{_WHOSE} AND EXISTS (SELECT 1 FROM added)"
)
_LOAD = (
    f"SELECT p.number, p.revision, p.erased, {COLUMNS} FROM befit.people p"  # noqa: S608 - ours
    " LEFT JOIN befit.evidence e ON e.tenant = p.tenant AND e.person = p.person"
    " AND (p.erased <> %s OR p.number <> %s OR e.key > %s)"
    " WHERE p.tenant = %s AND p.person = %s"
)
_DERIVE = (
    "UPDATE befit.evidence e SET vector = t.vector, encoder = t.encoder, latent = t.latent,"
    " taste = t.taste FROM unnest(%s::bytea[], %s::text[], %s::bytea[], %s::text[], %s::bigint[],"
    " %s::text[]) AS t(vector, encoder, latent, taste, key, id)"
    " WHERE e.tenant = %s AND e.person = %s AND e.key = t.key AND e.id = t.id"
)
_LEAVE = (
    "DELETE FROM befit.people WHERE tenant = %s AND person = %s"
    " AND NOT EXISTS (SELECT 1 FROM befit.evidence WHERE tenant = %s AND person = %s)"
    " AND NOT EXISTS (SELECT 1 FROM befit.turns WHERE tenant = %s AND person = %s)"
)
_RECORD = (
    _ENROL + "kept AS (INSERT INTO befit.turns (tenant, person, response, body)"  # noqa: S608
    " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING key)"
    " INSERT INTO befit.reactions (tenant, person, turn, body)"
    " SELECT %s, %s, kept.key, t.body FROM kept,"
    " unnest(%s::text[]) WITH ORDINALITY AS t(body, place) ORDER BY place"
)
_UNREACT = (
    "DELETE FROM befit.reactions r USING (SELECT r.tenant, r.person, r.turn, r.key, t.response,"
    " row_number() OVER (PARTITION BY r.turn ORDER BY r.key) AS place FROM befit.reactions r"
    " JOIN befit.turns t ON t.tenant = r.tenant AND t.person = r.person AND t.key = r.turn"
    " WHERE r.tenant = %s AND r.person = %s) AS n"
    " JOIN unnest(%s::text[], %s::bigint[]) AS gone(response, place)"
    " ON gone.response = n.response AND gone.place = n.place"
    " WHERE r.tenant = n.tenant AND r.person = n.person AND r.turn = n.turn AND r.key = n.key"
)
_ORPHANS = (
    "DELETE FROM befit.reactions r WHERE r.tenant = %s AND r.person = %s AND NOT EXISTS"
    " (SELECT 1 FROM befit.turns t"
    " WHERE t.tenant = r.tenant AND t.person = r.person AND t.key = r.turn)"
)
_TURNS = (
    "SELECT t.person, t.key, t.response, t.body, r.body FROM befit.turns t"
    " LEFT JOIN befit.reactions r"
    " ON r.tenant = t.tenant AND r.person = t.person AND r.turn = t.key WHERE t.tenant = %s"
)
_ORDER = " ORDER BY t.person, t.key, r.key"


@dataclass(frozen=True, slots=True)
class PostgresMemory(RowMemory):
    """Memory in a PostgreSQL database, shared by many gateways.

    Attributes:
        dsn: Its address; the password may come from the environment (``PGPASSWORD``).
        tenant: Which of several deployments in one database; nobody sees another's rows.
        connections: Most connections of this process that read at once; one more writes.
        files: The folder of what was learned, for the `PostgresArtifacts` beside; gateways on
            several machines need a shared one.
    """

    dsn: str = field(default="postgresql:///befit", repr=False)  # it may hold a password
    tenant: str = "default"
    connections: int = 8
    files: str | Path = "befit.artifacts"

    def _open(self) -> EvidenceRows:
        return PostgresRows(place_of(self.dsn, self.tenant, self.connections))

    def ledger(self) -> ListedLedger:
        """Where decisions on this memory are kept: in the same database."""
        return PostgresLedger(dsn=self.dsn, tenant=self.tenant, connections=self.connections)


@dataclass(frozen=True, slots=True)
class PostgresJournal(RowJournal):
    """The journal beside a `PostgresMemory`.

    Attributes:
        dsn: As there.
        tenant: As there.
        connections: As there.
    """

    dsn: str = field(default="postgresql:///befit", repr=False)  # it may hold a password
    tenant: str = "default"
    connections: int = 8

    def _open(self) -> TurnRows:
        return PostgresTurns(place_of(self.dsn, self.tenant, self.connections))


def _shielded(row: Sequence[Any]) -> list[Any]:
    return [shield(each) if isinstance(each, str) else each for each in row]


def _restored(row: Sequence[Any]) -> list[Any]:
    return [unshield(each) if isinstance(each, str) else each for each in row]


class PostgresRows:
    """Rows of evidence in PostgreSQL.

    Args:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        self._server, self._tenant = place.server, place.tenant

    def add(self, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        """Keep rows, all or none; one whose id that person has already counts once."""
        people: dict[str, list[list[Any]]] = {}
        for user, row in rows:
            people.setdefault(shield(user), []).append(_shielded(row))
        if not people:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        tenant = self._tenant

        def work(connection: Connection) -> None:
            for who in sorted(people):
                hold(connection, tenant, who)
                whose, own = (tenant, who), people[who]
                columns = [list(column) for column in zip(*own, strict=True)]
                query, given = (_ADD, columns) if len(own) > 1 else (_ADD_ONE, own[0])
                connection.execute(query, (*whose, *whose, *given, *whose), prepare=True)

        return self._server.submit(work, order=min(people))

    def load(self, user: UserId, cached: Block | None) -> Block:
        """The person's rows as they are now: ``cached`` itself where it still stands."""
        whose = (self._tenant, shield(user))

        def read(connection: Connection) -> Block:
            if cached is not None:
                query = f"SELECT number, revision FROM befit.people{_WHOSE}"  # noqa: S608 - ours
                found = connection.execute(query, whose, prepare=True).fetchone()
                if found == (cached.number, cached.revision):
                    return cached
            return _load(connection, user, whose, cached)

        return self._server.read(read, *whose)

    def delete(self, user: UserId, ids: Sequence[str] | None) -> int:
        """Erase some of a person's rows, or all; returns how many."""
        whose = (self._tenant, shield(user))
        which = "" if ids is None else " AND id = ANY(%s)"
        named = () if ids is None else ([shield(each) for each in ids],)

        def work(connection: Connection) -> int:
            hold(connection, *whose)
            query = f"DELETE FROM befit.evidence{_WHOSE}{which} RETURNING 1"  # noqa: S608 - ours
            gone = connection.execute(query, whose + named)
            connection.execute(f"{_MOVE}, erased = erased + 1{_WHOSE}", whose)
            connection.execute(_LEAVE, whose * 3)
            return len(gone.fetchall())

        return self._server.submit(work, order=whose[1]).result()

    def derive(self, user: UserId, updates: Sequence[Row]) -> None:
        """Keep what was derived anew; a row that was deleted meanwhile stays deleted."""
        whose = (self._tenant, shield(user))
        columns = [list(column) for column in zip(*map(_shielded, updates), strict=True)]

        def work(connection: Connection) -> None:
            hold(connection, *whose)
            connection.execute(_DERIVE, (*columns, *whose))

        self._server.submit(work, order=whose[1])

    def people(self) -> Sequence[UserId]:
        """Everyone of whom evidence or turns are kept."""
        query = "SELECT person FROM befit.people WHERE tenant = %s"
        found = self._server.read_all(
            lambda c: c.execute(query, (self._tenant,)).fetchall(), self._tenant
        )
        return sorted(UserId(unshield(who)) for (who,) in found)

    def close(self) -> None:
        """Close every connection; a later use opens again."""
        self._server.close()


def _load(
    connection: Connection, user: UserId, whose: tuple[str, str], cached: Block | None
) -> Block:
    """Read the rows in one statement, so that they fit the revision; only new ones if none left."""
    last = max((each.key for each in cached.entries), default=-1) if cached else -1
    head = (cached.erased, cached.number) if cached else (-1, -1)
    rows = connection.execute(_LOAD, (*head, last, *whose), prepare=True, binary=True).fetchall()
    if not rows:
        return Block.of(0, 0, 0, ())
    number, revision, erased = rows[0][:3]
    kept = cached.entries if cached and (cached.number, cached.erased) == (number, erased) else ()
    new = [entry_of(user, _restored(row[3:])) for row in rows if row[3] is not None]
    return Block.of(number, revision, erased, (*kept, *new))


class PostgresTurns:
    """Rows of turns in PostgreSQL.

    Args:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        self._server, self._tenant = place.server, place.tenant

    def add(
        self, user: UserId, response: str, body: str, reactions: Sequence[str]
    ) -> "Future[None]":
        """Keep a turn and its reactions; a response that is there stays as it is."""
        whose = (self._tenant, shield(user))

        def work(connection: Connection) -> None:
            hold(connection, *whose)
            given = (*whose, *whose, shield(response), body, *whose, list(reactions))
            connection.execute(_RECORD, given, prepare=True)

        return self._server.submit(work, order=whose[1])

    def react(self, user: UserId, wanted: Mapping[str, str], body: str) -> Turn:
        """Add a reaction to the response ``wanted["response"]``; returns its turn."""
        whose = (self._tenant, shield(user))

        def work(connection: Connection) -> Turn:
            hold(connection, *whose)
            keys = []
            for name, response in wanted.items():
                query = f"SELECT key FROM befit.turns{_WHOSE} AND response = %s"  # noqa: S608
                found = connection.execute(query, (*whose, shield(response))).fetchone()
                if found is None:
                    raise unknown_response(name, response)
                keys.append(int(found[0]))
            connection.execute(
                "INSERT INTO befit.reactions (tenant, person, turn, body) VALUES (%s, %s, %s, %s)",
                (*whose, keys[0], body),
            )
            where = f"{_TURNS} AND t.person = %s AND t.key = %s{_ORDER}"
            return _turns(connection.execute(where, (*whose, keys[0])).fetchall())[0]

        return self._server.submit(work, order=whose[1]).result()

    def turns(self, user: UserId | None) -> Sequence[Turn]:
        """Turns of a person, or of all of the tenant, each person's oldest first."""
        if user is None:
            query, tenant = _TURNS + _ORDER, self._tenant
            rows = self._server.read_all(lambda c: c.execute(query, (tenant,)).fetchall(), tenant)
            return _turns(rows)
        whose = (self._tenant, shield(user))
        query = f"{_TURNS} AND t.person = %s{_ORDER}"
        return _turns(self._server.read(lambda c: c.execute(query, whose).fetchall(), *whose))

    def bodies(self, user: UserId, responses: Sequence[str]) -> Mapping[str, str]:
        """The bodies of a person's turns, by response; one that is not there is left out."""
        whose = (self._tenant, shield(user))
        query = f"SELECT response, body FROM befit.turns{_WHOSE} AND response = ANY(%s)"  # noqa: S608
        given = (*whose, [shield(each) for each in responses])
        rows = self._server.read(lambda c: c.execute(query, given).fetchall(), *whose)
        return {unshield(response): body for response, body in rows}

    def erase(
        self,
        user: UserId,
        responses: Sequence[str] | None = None,
        reactions: Mapping[str, Sequence[int]] = NOTHING,
    ) -> int:
        """Erase a person's turns with their reactions, all or some; returns how many turns."""
        whose = (self._tenant, shield(user))
        which = "" if responses is None else " AND response = ANY(%s)"
        named = () if responses is None else ([shield(each) for each in responses],)
        single = [(shield(name), n + 1) for name, places in reactions.items() for n in places]

        def work(connection: Connection) -> int:
            hold(connection, *whose)
            if single:
                names, places = zip(*single, strict=True)
                connection.execute(_UNREACT, (*whose, list(names), list(places)))
            # reactions go with the turns that are there no more
            query = f"DELETE FROM befit.turns{_WHOSE}{which} RETURNING 1"  # noqa: S608 - ours
            gone = connection.execute(query, whose + named)
            connection.execute(_ORPHANS, whose)
            connection.execute(_LEAVE, whose * 3)
            return len(gone.fetchall())

        return self._server.submit(work, order=whose[1]).result()


def _turns(rows: Sequence[Sequence[Any]]) -> list[Turn]:
    turns: dict[int, tuple[str, str, str, list[str]]] = {}
    for who, key, response, body, reaction in rows:
        turn = turns.setdefault(key, (unshield(who), unshield(response), body, []))
        if reaction is not None:
            turn[3].append(reaction)
    return [Turn(UserId(who), name, body, tuple(each)) for who, name, body, each in turns.values()]
