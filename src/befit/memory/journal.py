"""The append-only record of turns and reactions, in the same file as the evidence.

A person's rows stand together, and a response is found only by the person who got it: another
person's looks like one that never was. Nothing is learned here, and an incognito turn is not kept.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from befit.core.dialogue import Context, Draft, Message, Response, Verdict
from befit.core.errors import UnknownResponseError
from befit.core.feedback import (
    Behaviour,
    Choice,
    Comment,
    Edit,
    Feedback,
    Interaction,
    Rating,
)
from befit.core.people import UserId
from befit.memory.codec import dump, feedback_to_json, is_text, turn_to_json
from befit.memory.people import Person, enrol, following, leave, person
from befit.memory.store import Store, open_store

_REACTIONS: dict[str, Callable[..., Feedback]] = {
    "rating": Rating,
    "choice": Choice,
    "edit": Edit,
    "comment": Comment,
    "behaviour": Behaviour,
}


@dataclass(frozen=True, slots=True)
class SqliteJournal:
    """The default journal.

    Attributes:
        path: The file; shared with `SqliteMemory` and `SqliteArtifacts`.
    """

    path: str | Path = "befit.db"
    _store: Store = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_store", open_store(self.path))

    def record(self, interaction: Interaction) -> None:
        """Keep a turn and the reactions it already has; a turn that is there stays as it is."""
        self.submit(interaction).result()

    def submit(self, interaction: Interaction) -> "Future[None]":
        """As `record`, without waiting for the disk."""
        context = interaction.context
        if context.incognito:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        body = dump(turn_to_json(context, interaction.response))
        reactions = [dump(feedback_to_json(each)) for each in interaction.feedback]

        def work(connection: sqlite3.Connection) -> None:
            who = enrol(connection, context.user)
            key = following(connection, "turns", who)
            done = connection.execute(
                "INSERT OR IGNORE INTO turns VALUES (?, ?, ?, ?, ?)",
                (key, who.mark("turns", key), who.number, interaction.response.id, body),
            )
            if done.rowcount:
                for reaction in reactions:
                    _add_reaction(connection, who, key, reaction)

        return self._store.submit(work)

    def react(self, user: UserId, feedback: Feedback) -> Interaction:
        """Keep a reaction; returns the turn with every reaction to it, oldest first.

        Raises:
            UnknownResponseError: The response, or the one it was chosen over, is not theirs.
        """
        wanted = {"response": feedback.response}
        if isinstance(feedback, Choice):
            wanted["over"] = feedback.over
        body = dump(feedback_to_json(feedback))

        def work(connection: sqlite3.Connection) -> Interaction:
            keys = [_turn_key(connection, user, field, of) for field, of in wanted.items()]
            _add_reaction(connection, enrol(connection, user), keys[0], body)
            return _interactions(connection, "t.key = ?", (keys[0],))[0]

        return self._store.write(work)

    def read(self, user: UserId | None = None) -> Sequence[Interaction]:
        """Turns of a person, or of all, each person's oldest first."""

        def work(connection: sqlite3.Connection) -> list[Interaction]:
            if user is None:
                return _interactions(connection, "1", ())
            who = person(connection, user)
            return _interactions(connection, "t.owner = ?", (who.number,)) if who else []

        return self._store.read(work)

    def erase(self, user: UserId) -> int:
        """Erase a person's turns and reactions, bytes included; returns how many turns."""

        def work(connection: sqlite3.Connection) -> tuple[int, list[bytes]]:
            who = person(connection, user)
            if who is None:
                return 0, []
            connection.execute("DELETE FROM reactions WHERE key >= ? AND key < ?", who.keys)
            gone = connection.execute("DELETE FROM turns WHERE key >= ? AND key < ?", who.keys)
            leave(connection, who)
            return gone.rowcount, [who.head("turns"), who.head("reactions")]

        count, heads = self._store.write(work)
        self._store.scrub(heads)
        return count


def _turn_key(connection: sqlite3.Connection, user: UserId, argument: str, response: str) -> int:
    found = None
    if is_text(user) and is_text(response):
        found = connection.execute(
            "SELECT key FROM turns JOIN users ON number = owner WHERE user = ? AND response = ?",
            (user, response),
        ).fetchone()
    if found is None:
        raise UnknownResponseError(
            f"no response {response!r} of this person",
            hint="react to the id of a response that this person got",
            field=argument,
        )
    return int(found[0])


def _add_reaction(connection: sqlite3.Connection, who: Person, turn: int, body: str) -> None:
    key = following(connection, "reactions", who)
    row = (key, who.mark("reactions", key), turn, body)
    connection.execute("INSERT INTO reactions VALUES (?, ?, ?, ?)", row)


def _interactions(
    connection: sqlite3.Connection, where: str, parameters: tuple[object, ...]
) -> list[Interaction]:
    rows = connection.execute(
        f"SELECT t.key, t.owner, t.body, r.body FROM turns t"  # noqa: S608 - where is ours
        f" LEFT JOIN reactions r ON r.turn = t.key WHERE {where} ORDER BY t.key, r.key",
        parameters,
    ).fetchall()
    turns: dict[int, tuple[int, Mapping[str, Any], list[Feedback]]] = {}
    for key, owner, body, reaction in rows:
        turn = turns.get(key) or turns.setdefault(key, (owner, json.loads(body), []))
        if reaction is not None:
            turn[2].append(_feedback(json.loads(reaction)))
    known: dict[tuple[int, str], Response] = {}
    made = []
    for owner, body, reactions in turns.values():
        over = [each.over for each in reactions if isinstance(each, Choice)]
        compared = (_other(connection, owner, response, known) for response in dict.fromkeys(over))
        made.append(
            Interaction(
                context=_context(body["context"]),
                response=_restored(body["response"]),
                feedback=tuple(reactions),
                compared=tuple(each for each in compared if each is not None),
            )
        )
    return made


def _other(
    connection: sqlite3.Connection,
    owner: int,
    response: str,
    known: dict[tuple[int, str], Response],
) -> Response | None:
    """The response that another was chosen over."""
    if (owner, response) not in known:
        row = connection.execute(
            "SELECT body FROM turns WHERE owner = ? AND response = ?", (owner, response)
        ).fetchone()
        if row is None:
            return None
        known[owner, response] = _restored(json.loads(row[0])["response"])
    return known[owner, response]


def _context(data: Mapping[str, Any]) -> Context:
    messages = tuple(Message(each["role"], each["text"]) for each in data["messages"])
    return Context(
        **{**data, "messages": messages, "at": datetime.fromisoformat(data["at"])},
    )


def _restored(data: Mapping[str, Any]) -> Response:
    """A response that passed the boundary before it was recorded, from its own row."""
    return Response(
        **{
            **data,
            "draft": Draft(**data["draft"]),
            "verdicts": tuple(Verdict(**each) for each in data["verdicts"]),
            "beliefs": tuple(data["beliefs"]),
        }
    )


def _feedback(data: Mapping[str, Any]) -> Feedback:
    return _REACTIONS[data["kind"]](**{**data, "at": datetime.fromisoformat(data["at"])})
