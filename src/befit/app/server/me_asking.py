"""``/v1/me/next-question``: what to ask a person next, and their answer.

A question about one dimension, or two answers to one prompt to choose from. `befit.app.asking`
decides what is asked; a choice between two answers goes to ``/v1/feedback``, as any other.
"""

from dataclasses import asdict, dataclass

from befit.app.asking import Answer, Asking, Shown
from befit.app.server.ask import Ask
from befit.app.server.offload import Offload
from befit.app.server.problems import NotFoundError
from befit.app.server.respond import Reply, json_reply
from befit.app.server.turn import read_scope
from befit.core.dialogue import Context, Message, Response
from befit.core.errors import InputError, PermissionDeniedError
from befit.core.preference import Evidence
from befit.memory.consented import ConsentedMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The routes.

    Attributes:
        offload: The cycle.
        asking: Finds what to ask; None asks nothing.
    """

    offload: Offload
    asking: Asking | None = None

    async def next_question(self, ask: Ask) -> Reply:
        """The question whose answer would say most; null where none would say enough.

        ``?scope=work`` asks about a part of life.
        """
        context = Context(
            user=ask.person,
            messages=(),
            at=ask.at,
            scope=read_scope(ask.request.query.get("scope", "")),
        )
        found = await self.offload.call(self._asking.question, context)
        told = None if found is None else {**asdict(found), "answers": list(Answer)}
        return json_reply({"object": "next_question", "question": told})

    async def answer(self, ask: Ask) -> Reply:
        """``{"about", "answer"}``: the person's word; ``{"prompt"}``: two answers to choose from.

        201 with the evidence, or 200 with the pair, which is null where no two answers differ
        where a choice would say much.

        Raises:
            InputError: There is no such dimension, or no such answer.
            PermissionDeniedError: The person does not allow to keep what they say.
        """
        scope = read_scope(ask.text("scope", ""))
        if "prompt" in ask.body:
            asked = (Message("user", ask.text("prompt")),)
            turn = Context(user=ask.person, messages=asked, at=ask.at, scope=scope)
            shown = await self.offload.call(self._asking.pair, self.offload.cycle, turn)
            return json_reply({"object": "pair", "pair": _pair(shown)})
        about, said = ask.text("about"), ask.text("answer")
        if said not in list(Answer):
            raise InputError(
                f"{said!r} is no answer", hint=f"one of {', '.join(Answer)}", field="answer"
            )
        context = Context(user=ask.person, messages=(), at=ask.at, scope=scope)
        made = await self.offload.call(self._asking.answered, context, about, Answer(said))
        await self.offload.call(self._keep, made)
        return json_reply(asdict(made), status=201)

    def _keep(self, made: Evidence) -> None:
        memory = self.offload.cycle.memory
        if not isinstance(memory, ConsentedMemory):
            self.offload.cycle.remember([made])
            return
        for each in memory.take([made]).refused:
            raise PermissionDeniedError(
                each.reason, hint="allow it first: POST /v1/me/consents", field="answer"
            )

    @property
    def _asking(self) -> Asking:
        if self.asking is None:
            raise NotFoundError(
                "this server asks nothing", hint="start it with befit serve", field="asking"
            )
        return self.asking


def _pair(shown: Shown | None) -> dict[str, object] | None:
    if shown is None:
        return None
    return {
        "first": _side(shown.first),
        "second": _side(shown.second),
        "gain": shown.gain,
    }


def _side(response: Response) -> dict[str, str]:
    return {"response_id": response.id, "text": response.text}
