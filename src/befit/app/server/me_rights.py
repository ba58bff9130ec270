"""``/v1/me/...``: what a person decides about their own memory.

Beliefs (correct, pin, reject, release), consents, what waits for their word, what shall be
forgotten, and what they bring along. The memory decides; these routes read requests and pass them
on. With a memory that keeps no decisions each of them says so.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal, cast

from befit.app.importing import BEFIT, take_over
from befit.app.server.ask import Ask
from befit.app.server.offload import Offload
from befit.app.server.problems import NotFoundError
from befit.app.server.respond import Reply, json_reply
from befit.app.server.turn import read_scope
from befit.core.errors import InputError
from befit.core.people import UserId
from befit.memory.consented import ConsentedMemory
from befit.memory.forgetting import Part, forget_part

VERBS = ("correct", "pin", "reject", "release")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The routes.

    Attributes:
        offload: The cycle.
    """

    offload: Offload

    async def judge(self, ask: Ask) -> Reply:
        """``{"dimension", "verb", "value", "scope"}``: set right, hold, end or let go a belief."""
        memory, person, scope = self._memory, ask.person, read_scope(ask.text("scope", ""))
        verb, dimension = ask.text("verb"), ask.text("dimension")
        if verb not in VERBS:
            raise InputError(
                f"{verb!r} is nothing to do with a belief",
                hint=f"one of {', '.join(VERBS)}",
                field="verb",
            )
        said: dict[str, Any] = {"object": "decision", "verb": verb, "dimension": dimension}
        said["scope"] = scope
        if verb == "correct":
            value = ask.number("value")
            made = await self.offload.call(
                memory.correct, person, dimension, value, ask.at, scope=scope
            )
            return json_reply({**said, "value": value, "id": made.id}, status=201)
        verb = cast("Literal['pin', 'reject', 'release']", verb)
        done = await self.offload.call(memory.judge, person, verb, dimension, ask.at, scope=scope)
        return json_reply({**said, "value": done.value}, status=201)

    async def consents(self, ask: Ask) -> Reply:
        """What the person allows, by kind and purpose."""
        return await self._consents(ask.person)

    async def consent(self, ask: Ask) -> Reply:
        """``{"kind", "purpose", "allowed"}``: allow a use, or take that back."""
        allowed = ask.body.get("allowed")
        if not isinstance(allowed, bool):
            raise InputError(
                "allowed is true or false", hint='send "allowed": true', field="allowed"
            )
        kind, purpose = ask.text("kind"), ask.text("purpose")
        await self.offload.call(
            self._memory.consent, ask.person, kind, purpose, ask.at, allowed=allowed
        )
        return await self._consents(ask.person)

    async def _consents(self, person: UserId) -> Reply:
        rows = await self.offload.call(self._memory.consents, person)
        shown = [{"kind": r.kind, "purpose": r.purpose, "allowed": r.allowed} for r in rows]
        return json_reply({"object": "list", "data": shown})

    async def held(self, ask: Ask) -> Reply:
        """What waits for the person's word, and why; and why other things were not kept of late."""
        rows = await self.offload.call(self._memory.ledger.held, ask.person)
        shown = [{"reason": row.reason, "evidence": asdict(row.evidence)} for row in rows]
        refused = self._memory.refusals(ask.person)
        return json_reply(
            {
                "object": "list",
                "data": shown,
                "refused": [{"reason": why, "count": count} for why, count in refused.items()],
            }
        )

    async def settle(self, ask: Ask) -> Reply:
        """``{"confirm": [...], "discard": [...]}``: make it one's own word, or let go of it."""
        memory, person = self._memory, ask.person
        confirm, discard = _ids(ask, "confirm"), _ids(ask, "discard")
        if not (confirm or discard):
            raise InputError("nothing is named", hint="list ids to confirm", field="confirm")
        there = {each.evidence.id for each in await self.offload.call(memory.ledger.held, person)}
        for name in (*confirm, *discard):
            if name not in there:
                raise NotFoundError(f"{name[:80]!r} does not wait", hint="list it", field="id")
        kept = await self.offload.call(memory.confirm, person, confirm) if confirm else 0
        gone = await self.offload.call(memory.ledger.drop_held, person, discard) if discard else 0
        return json_reply({"object": "held", "confirmed": kept, "discarded": gone})

    async def forget(self, ask: Ask) -> Reply:
        """``{"ids", "topic", "from", "to"}``: forget single things, a topic, or a period."""
        cycle = self.offload.cycle
        part = Part(
            ids=tuple(_ids(ask, "ids")),
            topic=ask.text("topic", ""),
            since=_moment(ask.text("from", ""), "from", time.min),
            until=_moment(ask.text("to", ""), "to", time.max),
        )
        went = await self.offload.call(
            forget_part, self._memory, cycle.journal, cycle.artifacts, ask.person, part
        )
        return json_reply({"object": "forgotten", **asdict(went)})

    async def take_over(self, ask: Ask) -> Reply:
        """``{"format", "data"}``: what befit or another product exported, as far as is allowed."""
        if "data" not in ask.body:
            raise InputError("data is missing", hint='send "data": {...}', field="data")
        taken = await self.offload.call(
            take_over,
            self._memory,
            ask.body["data"],
            ask.text("format", BEFIT),
            ask.person,
            ask.at,
        )
        return json_reply({"object": "import", **asdict(taken)}, status=201)

    @property
    def _memory(self) -> ConsentedMemory:
        memory = self.offload.cycle.memory
        if not isinstance(memory, ConsentedMemory):
            raise NotFoundError(
                "this memory keeps no decisions of its people",
                hint="put befit.memory.consented:ConsentedMemory around it",
                field="memory",
            )
        return memory


def _ids(ask: Ask, name: str) -> Sequence[str]:
    given = ask.body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise InputError(f"{name} is a list of ids", hint=f'send "{name}": ["..."]', field=name)
    return given


def _moment(text: str, name: str, edge: time) -> datetime | None:
    """A day, at whichever end of it the period has its edge, or a time in ISO 8601."""
    if not text:
        return None
    try:
        if len(text) == len(date.min.isoformat()):
            return datetime.combine(date.fromisoformat(text), edge, UTC)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no date", hint="write it as 2026-01-31", field=name
        ) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
