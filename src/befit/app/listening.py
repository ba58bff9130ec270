"""What becomes of a person's newest message: the one place where every edge asks.

What it states is remembered, read by the reader that the settings choose; what it asks to be
forgotten is forgotten, in storage and in the conversation that goes to a model. A request is never
kept itself, nor is a message that the person says is not for memory. All of a person goes only
after a second word, for it cannot be brought back; anything less goes at once.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

from befit.core.dialogue import Conditioning, Context, Draft, Response
from befit.core.people import EvidenceKind
from befit.core.preference import Evidence, PreferenceSpace
from befit.core.protocols import Encoder
from befit.cycle import Cycle
from befit.features.distil import STATED, Distils, Statement
from befit.features.foreign import own_part
from befit.features.forget_conversation import SURE, Heeded, heed, shown
from befit.features.forget_objects import Request
from befit.features.forget_requests import let_go_of_what_was_read
from befit.features.forget_words import Near, near_by
from befit.features.scopes import scope_of
from befit.features.statements import read_statement
from befit.feedback.provenance import own_words
from befit.memory.consented import ConsentedMemory
from befit.memory.forgetting import Part, forget_part, part_of

LONGEST_STATEMENT = 600  # characters; a longer turn is a task or a document and no statement
SAME = timedelta(days=1)  # within which the same words are said once

_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*")
_READ = 0.95  # how likely the grammar is right where it reads a statement at all

YES = 'To do it, write: "Yes, forget everything about me."'
ALL_GONE = "Done. I have erased everything that I remembered about you."
GONE = "Done. I have forgotten that, and I will not come back to it."
NOTHING = "I had kept nothing of that, and I will not come back to it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """Reads statements by the grammar alone: at once, and only what it is sure of.

    Attributes:
        space: Its dimensions' words are read; what is left over may be an open topic.
    """

    space: PreferenceSpace

    def distil(self, text: str) -> Sequence[Statement]:
        """The sentences that state a preference, in their order."""
        told = []
        for sentence in filter(None, map(str.strip, _SENTENCE.findall(text))):
            if values := read_statement(self.space, sentence):
                scope = scope_of(sentence)
                told.append(
                    Statement(
                        sentence=sentence,
                        values=values,
                        confidence=_READ,
                        noise=STATED,
                        scope=scope,
                    )
                )
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A turn as it was understood.

    Attributes:
        context: What may be shown to a model, and kept.
        texts: What is left of each message of the turn; None where it goes.
        requests: What the newest message asks to be forgotten.
        meant: The earlier messages that "what I just said" means.
        silent: Whether it asks for nothing else, so that no model need answer.
    """

    context: Context
    texts: tuple[str | None, ...]
    requests: tuple[Request, ...] = ()
    meant: tuple[str, ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Hears what people say in their turns.

    Attributes:
        cycle: Where it is kept and forgotten.
        reader: Finds what a message states; None reads by the grammar.
        encoder: Tells by meaning what is about a topic; None goes by words alone.
    """

    cycle: Cycle
    reader: Distils | None = None
    encoder: Encoder | None = None
    _spaces: list[PreferenceSpace] = field(
        init=False, repr=False, compare=False, default_factory=list
    )

    def respond(self, context: Context) -> tuple[Response, int | None]:
        """Answer a turn, and do with it what it says.

        Returns:
            The response, and how many records were forgotten; None where nothing was asked to be.

        Raises:
            InvalidPromptError: The last turn is empty, too long, or not valid text.
            ModelError: The policy failed.
            StoreError: The turn could not be recorded, or a part could not be erased.
        """
        heard = self.hear(context)
        gone = self.forget(heard) if heard.requests else None
        if heard.silent:
            draft = Draft(text=answer(heard, gone or 0), policy="befit")
            return self.cycle.boundary.admit(heard.context, Conditioning(), [draft]), gone
        response = self.cycle.respond(heard.context)
        self.remember(heard.context, response.id)
        return response, gone

    def hear(self, context: Context, beside: Mapping[int, str] | None = None) -> Heard:
        """Understand a turn; nothing is kept or forgotten yet.

        Args:
            context: The turn, as the client sent it.
            beside: As in `heed`.
        """
        plain = heed(context.messages, context.at, beside=beside)
        if plain.texts == tuple(message.text for message in context.messages):
            return Heard(context=context, texts=plain.texts)
        made = heed(context.messages, context.at, near=self._near, beside=beside)
        said = context.messages[-1].role == "user"  # else what they asked was done before
        requests = made.requests if said else ()
        return Heard(
            context=self._kept(context, made, asked=bool(requests)),
            texts=made.texts,
            requests=requests,
            meant=made.meant,
            silent=bool(requests) and not made.texts[-1],
        )

    def forget(self, heard: Heard) -> int:
        """Do what the newest message asks; how many records went.

        Raises:
            StoreError: A part could not be erased; to be asked again.
        """
        user, count = heard.context.user, 0
        if not user:
            return 0
        for request in heard.requests:
            if request.kind == "all":
                count += self.cycle.forget(user) if request.confirmed else 0
                continue
            part = part_of(request, heard.meant, self.space(heard.context))
            count += self._forget(heard.context, part) if part is not None else 0
        let_go_of_what_was_read()
        return count

    def remember(self, context: Context, source: str) -> Sequence[Evidence]:
        """Keep what the newest message states, in the person's own words; what was kept.

        Args:
            context: The turn, as `hear` gives it.
            source: Id of the response to it.

        Raises:
            StoreError: It could not be written.
        """
        if context.incognito or not context.user:
            return ()
        if not context.messages or context.messages[-1].role != "user":
            return ()
        said = [m.text for m in context.messages if m.role in ("system", "assistant")]
        words = own_part(own_words(context.prompt, said)).strip()
        if not words or len(words) > LONGEST_STATEMENT:
            return ()
        reader = self.reader or Grammar(space=self.space(context))
        told = reader.distil(words)
        found = [_evidence(context, each, source, scope_of(words)) for each in told]
        memory = self.cycle.memory
        if found and isinstance(memory, ConsentedMemory) and memory.doubts(context.prompt):
            found = [replace(each, origin="other") for each in found]  # waits for their word
        known = self.cycle.memory.evidence(context.user) if found else ()
        new = [
            each
            for each in found
            if not any(old.text == each.text and abs(each.at - old.at) < SAME for old in known)
        ]
        if new:
            self.cycle.remember(new)
        return new

    def space(self, context: Context) -> PreferenceSpace:
        """The named coordinates, which the memory knows."""
        if not self._spaces:
            self._spaces.append(self.cycle.memory.recall(replace(context, messages=())).space)
        return self._spaces[0]

    @property
    def _near(self) -> Near | None:
        return near_by(self.encoder) if self.encoder is not None else None

    def _forget(self, context: Context, part: Part) -> int:
        cycle = self.cycle
        gone = forget_part(
            cycle.memory, cycle.journal, cycle.artifacts, context.user, part, near=self._near
        )
        return gone.evidence + gone.turns + gone.decisions

    def _kept(self, context: Context, made: Heeded, *, asked: bool) -> Context:
        """What is left of the turn; one that only asks to forget leaves no trace."""
        left = shown(context, made)
        return replace(left, incognito=True) if asked and not made.texts[-1] else left


@dataclass(frozen=True, slots=True)
class Says:
    """A policy that says one thing: befit's own answer, in the place of a model's."""

    text: str

    def generate(self, context: Context, conditioning: Conditioning, n: int) -> Sequence[Draft]:
        """The one draft."""
        del context, conditioning
        return [Draft(text=self.text, policy="befit")] * max(n, 1)

    async def stream(self, context: Context, conditioning: Conditioning) -> AsyncIterator[str]:
        """The one text, whole."""
        del context, conditioning
        yield self.text


def answer(heard: Heard, count: int) -> str:
    """What the person is told who asked for nothing but to forget.

    Args:
        heard: The turn.
        count: How many records went.
    """
    whole = [request for request in heard.requests if request.kind == "all"]
    if any(request.confirmed for request in whole):
        return ALL_GONE
    if whole:
        return f"{SURE} {YES}"
    return GONE if count else NOTHING


def _evidence(context: Context, told: Statement, source: str, scope: str) -> Evidence:
    return Evidence(
        id=uuid4().hex,
        user=context.user,
        kind=EvidenceKind.STATED,
        at=context.at,
        text=told.sentence,
        values=dict(told.values),
        noise=told.noise,
        scope=context.scope or told.scope or scope,
        source=source,
    )
