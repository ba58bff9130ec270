"""Who has rows in the file: each person a number, a tag, and a revision that every change moves.

The number is never given twice, so that what a cache keeps of someone who was forgotten cannot pass
for someone who came later. The tag is random and heads each of the person's rows, so that a search
of the file shows whether anything of a deleted row is left.
"""

import os
import sqlite3
from typing import NamedTuple

from befit.core.people import UserId
from befit.memory.schema import SPAN


class Person(NamedTuple):
    """A row of ``users``."""

    number: int
    tag: bytes

    @property
    def keys(self) -> tuple[int, int]:
        """First key of the person's rows, and first key of the next person's."""
        return self.number * SPAN, (self.number + 1) * SPAN

    def head(self, table: str) -> bytes:
        """How each of the person's rows in a table begins."""
        return b"\0" + table[:1].encode() + self.tag

    def mark(self, table: str, key: int) -> bytes:
        """How the row of that key begins, and no other."""
        return self.head(table) + (key % SPAN).to_bytes(5, "big")


def person(connection: sqlite3.Connection, user: UserId) -> Person | None:
    """The person; None where nothing is kept of them."""
    row = connection.execute("SELECT number, tag FROM users WHERE user = ?", (user,)).fetchone()
    return Person(*row) if row else None


def enrol(connection: sqlite3.Connection, user: UserId) -> Person:
    """The person, with a new number where they have none."""
    found = person(connection, user)
    if found is None:
        tag = os.urandom(8)
        done = connection.execute("INSERT INTO users (user, tag) VALUES (?, ?)", (user, tag))
        found = Person(int(done.lastrowid or 0), tag)
    return found


def everyone(connection: sqlite3.Connection) -> list[UserId]:
    """Everyone who has rows."""
    return [UserId(user) for (user,) in connection.execute("SELECT user FROM users")]


def following(connection: sqlite3.Connection, table: str, who: Person) -> int:
    """The next key of a person in a table."""
    query = f"SELECT max(key) FROM {table} WHERE key >= ? AND key < ?"  # noqa: S608 - ours
    last = connection.execute(query, who.keys).fetchone()[0]
    return who.keys[0] if last is None else int(last) + 1


def leave(connection: sqlite3.Connection, who: Person) -> None:
    """Drop the person's name and number where no row of theirs is left."""
    for table in ("evidence", "turns", "reactions"):
        query = f"SELECT 1 FROM {table} WHERE key >= ? AND key < ? LIMIT 1"  # noqa: S608 - ours
        if connection.execute(query, who.keys).fetchone():
            return
    connection.execute("DELETE FROM users WHERE number = ?", (who.number,))
