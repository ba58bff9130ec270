"""``/v1/me`` and ``/v1/feedback``: what is kept of a person, in that person's hands.

To read, to add to, to take along, to erase and to react. Calls the cycle's verbs; decides nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from befit.app.evidence import stated
from befit.app.inferring import Reads, authored
from befit.app.server.ask import Ask
from befit.app.server.keys import KeyStore
from befit.app.server.offload import Offload
from befit.app.server.problems import NotFoundError
from befit.app.server.respond import Reply, json_reply
from befit.app.server.turn import read_flag, read_scope
from befit.core.dialogue import Context
from befit.core.errors import InputError, InvalidFeedbackError, PermissionDeniedError
from befit.core.feedback import Behaviour, Choice, Comment, Edit, Feedback, Rating
from befit.core.people import EvidenceKind
from befit.core.preference import TOPIC, Evidence, PreferenceSpace
from befit.features.doubts import doubts
from befit.features.statements import LONGEST
from befit.memory.consented import ConsentedMemory
from befit.memory.portability import export_person
from befit.memory.portable_rights import export_rights

_KINDS = (EvidenceKind.STATED, EvidenceKind.AUTHORED, EvidenceKind.DEMOGRAPHIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """A person's own routes.

    Attributes:
        offload: The cycle.
        keys: The keys that end with the person.
        reads: What reads a person's texts; None reads what they state alone.
    """

    offload: Offload
    keys: KeyStore
    reads: Reads | None = None

    async def profile(self, ask: Ask) -> Reply:
        """What is believed: ``?why=true`` with the evidence, ``?as_of=2026-01-31``, ``?scope=``."""
        query = ask.request.query
        at = _moment(query.get("as_of", ""), ask.at)
        context = Context(
            user=ask.person, messages=(), at=at, scope=read_scope(query.get("scope", ""))
        )
        why = read_flag(query.get("why", "off"), "why")
        return json_reply(await self.offload.call(self._profile, context, why=why))

    async def evidence(self, ask: Ask) -> Reply:
        """Every observation, oldest first."""
        rows = await self.offload.call(self.offload.cycle.memory.evidence, ask.person)
        return json_reply({"object": "list", "data": [asdict(row) for row in rows]})

    async def remember(self, ask: Ask) -> Reply:
        """Keep something that the person says of themselves; 202 where it waits for their word.

        ``notes`` says what of it was not read: another language, irony, what is too long.

        Raises:
            PermissionDeniedError: The person does not allow to keep that.
        """
        made, reason = await self.offload.call(self._remember, ask)
        told = asdict(made) | {"notes": doubts(made.text, LONGEST)}
        if reason:
            return json_reply({**told, "held": reason}, status=202)
        return json_reply(told, status=201)

    async def forget_evidence(self, ask: Ask) -> Reply:
        """Take one observation back, with all that was believed because of it."""
        forget = self.offload.cycle.memory.forget
        if not await self.offload.call(forget, ask.person, [ask.rest]):
            raise NotFoundError(
                "there is no such evidence of this person", hint="list it first", field="id"
            )
        return json_reply({"id": ask.rest, "object": "evidence", "deleted": True})

    async def export(self, ask: Ask) -> Reply:
        """Everything that is kept, in the format that `befit import` reads."""
        cycle = self.offload.cycle
        kept = await self.offload.call(export_person, cycle.memory, cycle.journal, ask.person)
        if isinstance(cycle.memory, ConsentedMemory):
            ledger = cycle.memory.ledger
            kept |= await self.offload.call(export_rights, ledger, ask.person)
        return json_reply(kept)

    async def forget(self, ask: Ask) -> Reply:
        """Erase the person; with ``?keys=true`` their keys as well, this one among them."""
        person = ask.person
        with_keys = read_flag(ask.request.query.get("keys", "off"), "keys")
        erased = await self.offload.call(self.offload.cycle.forget, person)
        if with_keys:
            erased += await self.offload.call(self.keys.revoke_person, person)
        return json_reply({"object": "person", "deleted": True, "records": erased})

    async def feedback(self, ask: Ask) -> Reply:
        """React to a response; answers with what was learned from it and may be kept."""
        reaction = _reaction(ask)
        learned = await self.offload.call(self.offload.cycle.receive, ask.person, reaction)
        memory = self.offload.cycle.memory
        if isinstance(memory, ConsentedMemory) and learned:
            kept = {each.id for each in await self.offload.call(memory.evidence, ask.person)}
            learned = [each for each in learned if each.id in kept]
        return json_reply(
            {
                "object": "feedback",
                "response": reaction.response,
                "kind": reaction.kind,
                "evidence": [asdict(row) for row in learned],
            }
        )

    def _profile(self, context: Context, *, why: bool) -> dict[str, Any]:
        memory = self.offload.cycle.memory
        profile = memory.recall(context)
        known = {row.id: row for row in memory.evidence(context.user)} if why else {}
        beliefs = []
        for belief in sorted(profile.preferences, key=lambda p: (-abs(p.mean), p.dimension)):
            row = asdict(belief)
            if why:
                row["why"] = [asdict(known[i]) for i in belief.sources if i in known]
            beliefs.append(row)
        return {
            "object": "profile",
            "user": context.user,
            "scope": context.scope,
            "as_of": context.at,
            "version": profile.version,
            "beliefs": beliefs,
        }

    def _remember(self, ask: Ask) -> tuple[Evidence, str]:
        """What was made of it, and why it waits; "" where it is kept."""
        person, scope = ask.person, read_scope(ask.text("scope", ""))
        at = _moment(ask.text("at", ""), ask.at)
        space = self.offload.space(Context(user=person, messages=(), at=ask.at))
        kind = ask.text("kind", EvidenceKind.STATED.value)
        if kind not in _KINDS:
            raise InputError(
                f"{kind!r} is no kind of evidence that can be given",
                hint=f"one of {', '.join(_KINDS)}",
                field="kind",
            )
        made = replace(stated(space, person, ask.text("text"), at, scope), kind=EvidenceKind(kind))
        if "values" in ask.body:
            made = replace(made, values=_values(space, ask.body["values"]))
        memory = self.offload.cycle.memory
        further: list[Evidence] = []
        if kind == EvidenceKind.AUTHORED and self.reads and isinstance(memory, ConsentedMemory):
            reader = self.reads(memory, person, ask.at)
            made, *further = authored(
                reader, person, made.text, at, scope=made.scope, values=made.values
            )
        if not isinstance(memory, ConsentedMemory):
            memory.remember([made])
            return made, ""
        sifted = memory.take([made])
        for each in sifted.refused:
            raise PermissionDeniedError(
                each.reason, hint="allow it first: POST /v1/me/consents", field="text"
            )
        for waiting in sifted.held:
            return waiting.evidence, waiting.reason
        memory.take(further)
        return sifted.kept[0], ""


def _reaction(ask: Ask) -> Feedback:
    """The reaction in a body: ``response``, ``kind`` and what that kind needs."""
    by = ask.text("by", "human")
    if by not in ("human", "ai"):
        raise InvalidFeedbackError(f"{by!r} cannot react", hint="human or ai", field="by")
    common: dict[str, Any] = {
        "response": ask.text("response"),
        "at": ask.at,
        "by": by,
    }
    match ask.text("kind"):
        case "rating":
            return Rating(value=ask.number("value"), **common)
        case "choice":
            return Choice(over=ask.text("over"), **common)
        case "edit":
            return Edit(text=ask.text("text"), **common)
        case "comment":
            return Comment(text=ask.text("text"), **common)
        case "behaviour":
            return Behaviour(name=ask.text("name"), value=ask.number("value"), **common)
        case other:
            raise InvalidFeedbackError(
                f"{other!r} is no kind of reaction",
                hint="rating, choice, edit, comment or behaviour",
                field="kind",
            )


def _values(space: PreferenceSpace, given: object) -> dict[str, float]:
    """Observed positions on dimensions of the space or on topics, each in [-1, 1]."""
    named = {dimension.name for dimension in space.dimensions}
    if not isinstance(given, Mapping):
        raise InputError("values is an object", hint='send {"length": -1}', field="values")
    for name, value in given.items():
        if name not in named and not name.startswith(TOPIC):
            raise InputError(
                f"there is no dimension {name!r}",
                hint=f"one of {', '.join(sorted(named))}, or {TOPIC}...",
                field=f"values.{name}",
            )
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not numeric or not -1.0 <= value <= 1.0:
            raise InputError(
                f"{name} is a number from -1 to 1", hint="scale it", field=f"values.{name}"
            )
    return {name: float(value) for name, value in given.items()}


def _moment(text: str, now: datetime) -> datetime:
    """A day (its end) or a time in ISO 8601, UTC where it does not say; "" is now."""
    if not text:
        return now
    try:
        if len(text) == len(date.min.isoformat()):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no date", hint="write it as 2026-01-31", field="as_of"
        ) from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
