"""What a person is asked and decides about their memory, as `befit.Client` asks it of a server."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class ClientRights(ABC):
    """The part of `befit.Client` that speaks for a person's rights."""

    __slots__ = ()

    @abstractmethod
    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and decode the answer."""

    def correct(self, dimension: str, value: float, *, scope: str = "") -> dict[str, Any]:
        """Set a belief right, to a position in [-1, 1]; what was observed before gives way.

        Raises:
            InputError: There is no such belief, or the value is out of range.
        """
        return self._judge("correct", dimension, scope, value=value)

    def pin(self, dimension: str, *, scope: str = "") -> dict[str, Any]:
        """Hold a belief where it now is.

        Raises:
            InputError: Nothing is believed there, or it belongs to everyone.
        """
        return self._judge("pin", dimension, scope)

    def reject(self, dimension: str, *, scope: str = "") -> dict[str, Any]:
        """End a belief; only the person's own later word brings it back.

        Raises:
            InputError: There is no such belief, or it belongs to everyone.
        """
        return self._judge("reject", dimension, scope)

    def release(self, dimension: str, *, scope: str = "") -> dict[str, Any]:
        """End a pin or a rejection.

        Raises:
            InputError: There is no such belief, or it belongs to everyone.
        """
        return self._judge("release", dimension, scope)

    def consents(self) -> list[dict[str, Any]]:
        """What the person allows, by ``kind`` and ``purpose``."""
        rows: list[dict[str, Any]] = self._json("GET", "me/consents")["data"]
        return rows

    def consent(self, kind: str, purpose: str, *, allowed: bool) -> list[dict[str, Any]]:
        """Allow a use of a kind of evidence, or take that back; what holds then.

        Args:
            kind: "stated", "authored", "demographic", "behaviour" or "sensitive".
            purpose: "personalize", "train" or "evaluate".
            allowed: True to allow it.

        Raises:
            InputError: There is no such kind or purpose.
        """
        body = {"kind": kind, "purpose": purpose, "allowed": allowed}
        rows: list[dict[str, Any]] = self._json("POST", "me/consents", body)["data"]
        return rows

    def held(self) -> dict[str, Any]:
        """``data``: what waits for the person's word; ``refused``: why other things were not kept.

        Each that waits has ``reason`` and ``evidence``; each refusal ``reason`` and ``count``.
        """
        return self._json("GET", "me/held")

    def settle(self, *, confirm: Sequence[str] = (), discard: Sequence[str] = ()) -> dict[str, Any]:
        """Make what waits the person's own word, or let go of it, by ids of evidence.

        Raises:
            InputError: One of them does not wait; nothing was done.
        """
        return self._json("POST", "me/held", {"confirm": list(confirm), "discard": list(discard)})

    def forget_part(
        self,
        *,
        topic: str = "",
        ids: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> dict[str, Any]:
        """Erase a topic, single things, or a period, with the turns that told of them.

        Args:
            topic: What it is about, in a few words.
            ids: Pieces of evidence.
            since: Where a period begins, inclusive.
            until: Where it ends, inclusive.

        Returns:
            How many ``evidence``, ``turns``, ``decisions`` and ``artifacts`` went.

        Raises:
            InputError: Nothing is named.
        """
        body: dict[str, Any] = {"topic": topic, "ids": list(ids)}
        for name, at in (("from", since), ("to", until)):
            if at is not None:
                body[name] = at.isoformat()
        return self._json("POST", "me/forget", body)

    def take_over(self, data: object, *, written_by: str = "befit") -> dict[str, Any]:
        """Bring along what befit, "mem0" or "chatgpt" exported, as decoded JSON.

        Returns:
            How many pieces were ``imported``, ``held`` and ``refused``.

        Raises:
            InvalidImportError: It is no such file; nothing was kept.
        """
        return self._json("POST", "me/import", {"format": written_by, "data": data})

    def next_question(self, *, scope: str = "") -> dict[str, Any] | None:
        """What to ask the person next: ``dimension``, ``text``, ``gain`` and the ``answers``.

        None where no answer would say much.
        """
        found: dict[str, Any] | None = self._json(
            "GET", "me/next-question", query={"scope": scope}
        )["question"]
        return found

    def answer_question(self, about: str, answer: str, *, scope: str = "") -> dict[str, Any]:
        """What the person says to a question; the evidence made of it.

        Args:
            about: The question's dimension.
            answer: "low", "between", "high" or "skip".
            scope: Part of life: "work", "home".

        Raises:
            InputError: There is no such dimension or answer.
            PermissionDeniedError: The person does not allow to keep it.
        """
        body = {"about": about, "answer": answer, "scope": scope}
        return self._json("POST", "me/next-question", body)

    def next_pair(self, prompt: str, *, scope: str = "") -> dict[str, Any] | None:
        """Two answers, ``first`` and ``second``, between which a choice would say most.

        Each has ``response_id`` and ``text``; `befit.Client.choose` takes the choice. None where no
        two answers differ where it would say much.
        """
        found: dict[str, Any] | None = self._json(
            "POST", "me/next-question", {"prompt": prompt, "scope": scope}
        )["pair"]
        return found

    def _judge(self, verb: str, dimension: str, scope: str, **said: float) -> dict[str, Any]:
        body = {"verb": verb, "dimension": dimension, "scope": scope, **said}
        return self._json("POST", "me/beliefs", body)
