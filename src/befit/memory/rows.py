"""What a database must do to hold memory: rows of evidence, of turns, and pointers to artifacts.

Everything that is *meant* by the rows (views, recall, corrections, decoding) lives above these
protocols, once; a database below them only keeps rows and gives them back. Each writing method is
durable when it returns, or when its future is done.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from befit.core.artifact import Artifact
from befit.core.errors import UnknownResponseError
from befit.core.people import UserId
from befit.memory.blocks import Block

#: No reactions.
NOTHING: Mapping[str, Sequence[int]] = MappingProxyType({})

#: The values of `befit.memory.blocks.COLUMNS` without the key.
Row = tuple[Any, ...]


class EvidenceRows(Protocol):
    """Where evidence is kept."""

    def add(self, rows: Sequence[tuple[UserId, Row]]) -> "Future[None]":
        """Keep rows, all or none; one whose id that person has already counts once."""

    def load(self, user: UserId, cached: Block | None) -> Block:
        """The person's rows as they are now: ``cached`` itself where it still stands.

        A person of whom nothing is kept has a block with the number 0.
        """

    def delete(self, user: UserId, ids: Sequence[str] | None) -> int:
        """Erase some of a person's rows, or all; returns how many."""

    def derive(self, user: UserId, updates: Sequence[Row]) -> None:
        """Keep what was derived anew, some time: vector, encoder, latent, taste, key, id."""

    def people(self) -> Sequence[UserId]:
        """Everyone of whom evidence or turns are kept."""

    def close(self) -> None:
        """Let go of connections; a later use opens again."""


class Turn(NamedTuple):
    """A turn as it is kept: the person, the id of the response, and bodies, reactions in order."""

    user: UserId
    response: str
    body: str
    reactions: tuple[str, ...]


class TurnRows(Protocol):
    """Where the journal is kept."""

    def add(
        self, user: UserId, response: str, body: str, reactions: Sequence[str]
    ) -> "Future[None]":
        """Keep a turn and its reactions; a response that is there stays as it is."""

    def react(self, user: UserId, wanted: Mapping[str, str], body: str) -> Turn:
        """Add a reaction to the response ``wanted["response"]``; returns its turn.

        Raises:
            UnknownResponseError: A wanted response is not this person's; ``field`` names it.
        """

    def turns(self, user: UserId | None) -> Sequence[Turn]:
        """Turns of a person, or of all, each person's oldest first."""

    def bodies(self, user: UserId, responses: Sequence[str]) -> Mapping[str, str]:
        """The bodies of a person's turns, by response; one that is not there is left out."""

    def erase(
        self,
        user: UserId,
        responses: Sequence[str] | None = None,
        reactions: Mapping[str, Sequence[int]] = NOTHING,
    ) -> int:
        """Erase a person's turns with their reactions, in one transaction; returns how many turns.

        Args:
            user: The person.
            responses: Of which turns; None is all of them.
            reactions: Single reactions of turns that stay: by response, places from 0, oldest
                first.
        """


class Pointers(Protocol):
    """Where the shelf keeps which artifacts there are and which are active."""

    def add(self, artifact: Artifact) -> None:
        """Keep an artifact; one that is there stays as it is."""

    def active(self, owner: UserId | None, kind: str) -> Artifact | None:
        """The one promoted last."""

    def promote(self, artifact_id: str) -> bool:
        """Make one active; False where there is none of that id."""

    def rollback(self, owner: UserId | None, kind: str) -> Artifact | None:
        """Take the last promotion back; returns what is active now."""

    def artifacts(self, owner: UserId | None) -> Sequence[Artifact]:
        """Someone's artifacts, oldest first."""

    def all(self) -> Sequence[Artifact]:
        """Everyone's artifacts, oldest first."""

    def promotions(self) -> Sequence[str]:
        """Ids, in the order in which they were promoted and not taken back."""

    def erase(self, owner: UserId) -> None:
        """Forget someone's artifacts and promotions."""


def unknown_response(argument: str, response: str) -> UnknownResponseError:
    """The error for a response that is not this person's; another's looks like none."""
    return UnknownResponseError(
        f"no response {response!r} of this person",
        hint="react to the id of a response that this person got",
        field=argument,
    )
