"""The append-only record of turns and reactions, in the same place as the evidence.

A person's rows stand together, and a response is found only by the person who got it: another
person's looks like one that never was. Nothing is learned here, and an incognito turn is not kept.
What the rows mean is in `RowJournal`; `SqliteTurns` keeps them in the files of `memory.sqlite`.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from befit.core.dialogue import Context, Draft, Message, Response, Verdict
from befit.core.errors import CorruptStoreError
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
from befit.memory.erasure import owe
from befit.memory.people import Person, enrol, following, leave, person
from befit.memory.rows import NOTHING, Turn, TurnRows, unknown_response
from befit.memory.sharded import Shards

_REACTIONS: dict[str, Callable[..., Feedback]] = {
    "rating": Rating,
    "choice": Choice,
    "edit": Edit,
    "comment": Comment,
    "behaviour": Behaviour,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowJournal(ABC):
    """What every journal over rows has; a database adds where the rows are."""

    _rows: TurnRows = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", self._open())

    @property
    def rows(self) -> TurnRows:
        """Where the turns are: for copying, not for use."""
        return self._rows

    @abstractmethod
    def _open(self) -> TurnRows:
        """The rows; nothing is read or made before they are used."""

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
        return self._rows.add(context.user, interaction.response.id, body, reactions)

    def react(self, user: UserId, feedback: Feedback) -> Interaction:
        """Keep a reaction; returns the turn with every reaction to it, oldest first.

        Raises:
            UnknownResponseError: The response, or the one it was chosen over, is not theirs.
        """
        wanted = {"response": feedback.response}
        if isinstance(feedback, Choice):
            wanted["over"] = feedback.over
        for name, response in wanted.items():
            if not (is_text(user) and is_text(response)):
                raise unknown_response(name, response)
        turn = self._rows.react(user, wanted, dump(feedback_to_json(feedback)))
        return self._interactions([turn])[0]

    def read(self, user: UserId | None = None) -> Sequence[Interaction]:
        """Turns of a person, or of all, each person's oldest first."""
        if user is not None and not is_text(user):
            return []
        return self._interactions(self._rows.turns(user))

    def erase(self, user: UserId, responses: Sequence[str] | None = None) -> int:
        """Erase a person's turns with their reactions, all or some; returns how many turns.

        All of it happens or nothing; the turns that stay keep their order. A choice over a response
        that goes says nothing any more, and goes too.

        Args:
            user: The person.
            responses: Ids of the responses whose turns go; None is all of them. One that is not
                there, or not theirs, is passed over.
        """
        if not is_text(user):
            return 0
        if responses is None:
            return self._rows.erase(user)
        gone = {each for each in responses if is_text(each)}
        over = {
            turn.response.id: places
            for turn in self.read(user)
            if turn.response.id not in gone
            and (places := [n for n, f in enumerate(turn.feedback) if _is_over(f, gone)])
        }
        return self._rows.erase(user, sorted(gone), over)

    def _interactions(self, turns: Sequence[Turn]) -> list[Interaction]:
        try:
            return self._decoded(turns)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptStoreError(
                "a turn of the journal does not read", hint="restore a backup, or erase the person"
            ) from error

    def _decoded(self, turns: Sequence[Turn]) -> list[Interaction]:
        decoded = [
            (turn.user, json.loads(turn.body), [_feedback(json.loads(r)) for r in turn.reactions])
            for turn in turns
        ]
        others = self._others(
            [(user, each) for user, _, reactions in decoded for each in reactions]
        )
        made = []
        for user, body, reactions in decoded:
            over = [each.over for each in reactions if isinstance(each, Choice)]
            compared = (others.get((user, response)) for response in dict.fromkeys(over))
            made.append(
                Interaction(
                    context=_context(body["context"]),
                    response=_restored(body["response"]),
                    feedback=tuple(reactions),
                    compared=tuple(each for each in compared if each is not None),
                )
            )
        return made

    def _others(
        self, reactions: Sequence[tuple[UserId, Feedback]]
    ) -> dict[tuple[UserId, str], Response]:
        """The responses that others were chosen over."""
        wanted: dict[UserId, dict[str, None]] = {}
        for user, each in reactions:
            if isinstance(each, Choice):
                wanted.setdefault(user, {})[each.over] = None
        return {
            (user, response): _restored(json.loads(body)["response"])
            for user, responses in wanted.items()
            for response, body in self._rows.bodies(user, list(responses)).items()
        }


@dataclass(frozen=True, slots=True)
class SqliteJournal(RowJournal):
    """The default journal.

    Attributes:
        path: The file; shared with `SqliteMemory` and `SqliteArtifacts`.
        shards: Over how many files people are spread; that of `SqliteMemory`.
    """

    path: str | Path = "befit.db"
    shards: int = 1

    def _open(self) -> TurnRows:
        return SqliteTurns(Shards(self.path, self.shards))


class SqliteTurns:
    """Rows of turns in SQLite.

    Args:
        shards: The files.
    """

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    def add(
        self, user: UserId, response: str, body: str, reactions: Sequence[str]
    ) -> "Future[None]":
        """Keep a turn and its reactions; a response that is there stays as it is."""

        def work(connection: sqlite3.Connection) -> None:
            who = enrol(connection, user)
            key = following(connection, "turns", who)
            done = connection.execute(
                "INSERT OR IGNORE INTO turns VALUES (?, ?, ?, ?, ?)",
                (key, who.mark("turns", key), who.number, response, body),
            )
            if done.rowcount:
                for reaction in reactions:
                    _add_reaction(connection, who, key, reaction)

        return self._shards.of(user).submit(work)

    def react(self, user: UserId, wanted: Mapping[str, str], body: str) -> Turn:
        """Add a reaction to the response ``wanted["response"]``; returns its turn."""

        def work(connection: sqlite3.Connection) -> Turn:
            keys = [_turn_key(connection, user, field, of) for field, of in wanted.items()]
            _add_reaction(connection, enrol(connection, user), keys[0], body)
            return _turns(connection, "t.key = ?", (keys[0],))[0]

        return self._shards.of(user).write(work)

    def turns(self, user: UserId | None) -> Sequence[Turn]:
        """Turns of a person, or of all, each person's oldest first."""

        def work(connection: sqlite3.Connection) -> list[Turn]:
            if user is None:
                return _turns(connection, "1", ())
            who = person(connection, user)
            return _turns(connection, "t.owner = ?", (who.number,)) if who else []

        stores = self._shards.all() if user is None else [self._shards.of(user)]
        return [turn for store in stores for turn in store.read(work)]

    def bodies(self, user: UserId, responses: Sequence[str]) -> Mapping[str, str]:
        """The bodies of a person's turns, by response; one that is not there is left out."""
        query = (
            "SELECT body FROM turns JOIN users ON number = owner WHERE user = ? AND response = ?"
        )

        def work(connection: sqlite3.Connection) -> dict[str, str]:
            rows = {each: connection.execute(query, (user, each)).fetchone() for each in responses}
            return {each: row[0] for each, row in rows.items() if row is not None}

        return self._shards.of(user).read(work)

    def erase(
        self,
        user: UserId,
        responses: Sequence[str] | None = None,
        reactions: Mapping[str, Sequence[int]] = NOTHING,
    ) -> int:
        """Erase a person's turns and reactions, or some, bytes included; returns how many turns."""

        def work(connection: sqlite3.Connection) -> tuple[int, bool]:
            who = person(connection, user)
            if who is None:
                return 0, False
            if responses is None:
                connection.execute("DELETE FROM reactions WHERE key >= ? AND key < ?", who.keys)
                gone = connection.execute("DELETE FROM turns WHERE key >= ? AND key < ?", who.keys)
                count, marks = gone.rowcount, [who.head("turns"), who.head("reactions")]
            else:
                count, marks = _erase_some(connection, who, responses, reactions)
            leave(connection, who)
            if marks:
                owe(connection, marks)
            return count, bool(marks)

        store = self._shards.of(user)
        count, dirty = store.write(work)
        if dirty:
            store.scrub()
        return count


def _turn_key(connection: sqlite3.Connection, user: UserId, argument: str, response: str) -> int:
    found = connection.execute(
        "SELECT key FROM turns JOIN users ON number = owner WHERE user = ? AND response = ?",
        (user, response),
    ).fetchone()
    if found is None:
        raise unknown_response(argument, response)
    return int(found[0])


def _erase_some(
    connection: sqlite3.Connection,
    who: Person,
    responses: Sequence[str],
    reactions: Mapping[str, Sequence[int]],
) -> tuple[int, list[bytes]]:
    """Delete turns and single reactions; how many turns, and the marks of what went."""
    find = "SELECT key FROM turns WHERE owner = ? AND response = ?"
    listed = "SELECT key, mark FROM reactions WHERE turn = ? ORDER BY key"
    drop = "DELETE FROM reactions WHERE key = ?"
    count, marks = 0, []
    for response in dict.fromkeys((*responses, *reactions)):
        found = connection.execute(find, (who.number, response)).fetchone()
        if found is None:
            continue
        said = connection.execute(listed, found).fetchall()
        whole = response in responses
        going = said if whole else [said[n] for n in reactions[response] if n < len(said)]
        connection.executemany(drop, [(key,) for key, _ in going])
        marks += [mark for _, mark in going]
        if whole:
            query = "DELETE FROM turns WHERE key = ? RETURNING mark"
            marks += [mark for (mark,) in connection.execute(query, found).fetchall()]
            count += 1
    return count, marks


def _add_reaction(connection: sqlite3.Connection, who: Person, turn: int, body: str) -> None:
    key = following(connection, "reactions", who)
    row = (key, who.mark("reactions", key), turn, body)
    connection.execute("INSERT INTO reactions VALUES (?, ?, ?, ?)", row)


def _turns(
    connection: sqlite3.Connection, where: str, parameters: tuple[object, ...]
) -> list[Turn]:
    rows = connection.execute(
        f"SELECT t.key, u.user, t.response, t.body, r.body FROM turns t"  # noqa: S608 - where is ours
        f" JOIN users u ON u.number = t.owner"
        f" LEFT JOIN reactions r ON r.turn = t.key WHERE {where} ORDER BY t.key, r.key",
        parameters,
    ).fetchall()
    turns: dict[int, tuple[str, str, str, list[str]]] = {}
    for key, user, response, body, reaction in rows:
        turn = turns.setdefault(key, (user, response, body, []))
        if reaction is not None:
            turn[3].append(reaction)
    return [Turn(UserId(user), name, body, tuple(r)) for user, name, body, r in turns.values()]


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


def _is_over(feedback: Feedback, gone: set[str]) -> bool:
    return isinstance(feedback, Choice) and feedback.over in gone


def _feedback(data: Mapping[str, Any]) -> Feedback:
    return _REACTIONS[data["kind"]](**{**data, "at": datetime.fromisoformat(data["at"])})
