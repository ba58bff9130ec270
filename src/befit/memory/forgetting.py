"""Forgets a part of what is known of a person: single things, a topic, a period, a part of life.

Finds what belongs to the part, in what is kept, what waits and what was said, and erases it there;
artifacts learned from the person fall with it. It goes by words, and by meaning where it is given
how to tell (``features.forget_words.near_by``); without that, a paraphrase that shares none of a
topic's words is not found. Comparisons of texts speak for a dimension without naming it, and stay
when a dimension is forgotten. Where later turns repeat what is forgotten, as turns of one
conversation do, and in a journal that erases only whole people, the person's journal is written
anew: were the process killed in between, their other turns would be lost too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from befit.core.dialogue import Message
from befit.core.errors import InputError
from befit.core.feedback import Interaction
from befit.core.people import UserId
from befit.core.preference import TOPIC, Evidence, PreferenceSpace
from befit.core.protocols import ArtifactStore, Journal, Memory
from befit.features.forget_objects import Request
from befit.features.forget_words import Near, about
from befit.features.statements import read_statement
from befit.memory.codec import interaction_to_json
from befit.memory.consented import ConsentedMemory
from befit.memory.consented_journal import ConsentedJournal
from befit.memory.journal import RowJournal

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 12  # characters of a text that is looked for inside what was said
_MOST_READ = 2_000  # turns whose prompts are compared by meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is to be forgotten.

    All that matches any of ``ids`` and ``texts``; and what matches all that is given of a topic
    (or, instead of its words, one of ``dimensions``), a period and a scope.

    Attributes:
        ids: Pieces of evidence.
        topic: What it is about, in the person's words.
        since: Where a period begins, inclusive; None is ever since.
        until: Where it ends, inclusive; None is until now.
        scope: In which part of life, those within it included; "" is everywhere.
        dimensions: Dimensions of the space that the topic means.
        texts: What the person said, in whole messages.
    """

    ids: tuple[str, ...] = ()
    topic: str = ""
    since: datetime | None = None
    until: datetime | None = None
    scope: str = ""
    dimensions: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.topic and not _WORD.search(self.topic):
            raise InputError("the topic has no word in it", hint="name a word", field="topic")
        if not (self.ids or self.texts or self._narrowed):
            raise InputError("nothing is named", hint="name an id, topic or period", field="ids")

    @property
    def _narrowed(self) -> bool:
        return bool(self.topic or self.since or self.until or self.scope or self.dimensions)

    def holds(self, evidence: Evidence, near: Near | None = None) -> bool:
        """Whether a piece of evidence belongs to the part."""
        e = evidence
        if e.id in self.ids or (e.text and any(e.text in said for said in self.texts)):
            return True
        if not self._narrowed:
            return False
        dated = self._dated(e.at) or (e.learned is not None and self._dated(e.learned))
        return dated and self._placed(e.scope) and self._concerns(e, near)

    def _concerns(self, e: Evidence, near: Near | None) -> bool:
        if not (self.topic or self.dimensions):
            return True
        if not set(self.dimensions).isdisjoint(e.values):
            return True
        texts = [e.text, *(name.removeprefix(TOPIC) for name in e.values if TOPIC in name)]
        texts += [e.pair.prompt, e.pair.chosen, e.pair.rejected] if e.pair else []
        texts += [e.graded.prompt, e.graded.text] if e.graded else []
        if any(self.about(text) for text in texts):
            return True
        return bool(near and self.topic and e.text and near(self.topic, e.text))

    def about(self, text: str) -> bool:
        """Whether each word of the topic is in the text, but for endings."""
        return about(self.topic, text)

    def said_in(
        self, turn: Interaction, gone: Sequence[Evidence], near: Near | None = None
    ) -> bool:
        """Whether a turn, or a reaction to it, belongs to the part, or says what is gone."""
        if turn.response.id in {each.source for each in gone}:
            return True
        texts = list(_texts(interaction_to_json(turn)))
        lost = [each.text for each in gone if len(each.text) >= _SHORTEST]
        if any(each in text for each in (*lost, *filter(None, self.texts)) for text in texts):
            return True
        when = (turn.context.at, *(each.at for each in turn.feedback))
        if not (
            self._narrowed and self._placed(turn.context.scope) and any(map(self._dated, when))
        ):
            return False
        meant = bool(near and self.topic and near(self.topic, turn.context.prompt))
        untold = not (self.topic or self.dimensions)
        return untold or meant or any(self.about(text) for text in texts)

    def _dated(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)

    def _placed(self, scope: str) -> bool:
        return not self.scope or scope == self.scope or scope.startswith(f"{self.scope}/")


def part_of(request: Request, said: Sequence[str], space: PreferenceSpace) -> Part | None:
    """What a request in words names, other than everything; None where there is nothing of it.

    Args:
        request: As it was read.
        said: The messages that "what I just said" means.
        space: Its dimensions may be meant: "forget that I like it short".
    """
    if request.kind == "last":
        return Part(texts=tuple(said)) if any(said) else None
    if request.kind == "all":
        return None
    period = request.period
    return Part(
        topic=request.topic,
        since=period.since if period else None,
        until=period.until if period else None,
        scope=request.scope,
        dimensions=dimensions_of(space, request.topic) if request.topic else (),
    )


def dimensions_of(space: PreferenceSpace, topic: str) -> tuple[str, ...]:
    """Dimensions that a few words mean: by their name, or as a wish would name them."""
    named = [
        d.name
        for d in space.dimensions
        if about(d.name, topic) and about(topic, f"{d.name} answers replies responses style")
    ]
    told = {
        name
        for wish in (f"I {topic}", f"I like {topic}", f"{topic} please")
        for name in read_statement(space, wish)
        if not name.startswith(TOPIC)
    }
    universal = {d.name for d in space.dimensions if d.universal}
    return tuple(sorted({*named, *told} - universal))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much went.

    Attributes:
        evidence: Pieces of evidence, kept or waiting.
        turns: Turns of the journal, each with its reactions, or what they repeat of such turns.
        decisions: Decisions on beliefs about the topic.
        artifacts: What had been learned from the person.
    """

    evidence: int = 0
    turns: int = 0
    decisions: int = 0
    artifacts: int = 0


def forget_part(  # noqa: D417 - the rest is what is forgotten, and where
    memory: Memory,
    journal: Journal,
    artifacts: ArtifactStore,
    user: UserId,
    part: Part,
    *,
    near: Near | None = None,
) -> Forgotten:
    """Erase a part of what is known of a person, wherever it is.

    Args:
        near: Tells by meaning what is about the topic, beside its words; None goes by words alone.

    Raises:
        StoreError: It could not be written; to be run again.
    """
    ledger = memory.ledger if isinstance(memory, ConsentedMemory) else None
    waiting = ledger.held(user) if ledger else ()
    there = [*memory.evidence(user), *(held.evidence for held in waiting)]
    gone = [each for each in there if part.holds(each, near)]
    decided = ledger.decisions(user) if ledger else ()
    subjects = {each.subject for each in decided if each.verb != "consent"}
    dropped = [s for s in sorted(subjects) if s.startswith(TOPIC) and part.about(s[len(TOPIC) :])]
    turns = _forget_turns(journal, user, part, gone, near)
    evidence = memory.forget(user, [each.id for each in gone]) if gone else 0
    return Forgotten(
        evidence=evidence,
        turns=turns,
        decisions=ledger.drop_decisions(user, dropped) if ledger and dropped else 0,
        artifacts=artifacts.erase(user) if evidence or turns else 0,
    )


def _forget_turns(
    journal: Journal, user: UserId, part: Part, gone: Sequence[Evidence], near: Near | None
) -> int:
    turns = journal.read(user)
    read = near if len(turns) <= _MOST_READ else None
    left = [_left_of(each, part, gone, read) for each in turns]
    kept = {each.response.id for each in left if each is not None}
    changed = sum(new is not old for new, old in zip(left, turns, strict=True))
    gone_turns = [old.response.id for new, old in zip(left, turns, strict=True) if new is None]
    within = journal.journal if isinstance(journal, ConsentedJournal) else journal
    if isinstance(within, RowJournal) and changed == len(gone_turns):
        within.erase(user, gone_turns)  # all or none of it, choices over them too
    elif changed:
        journal.erase(user)
        for each in filter(None, left):  # a choice over a turn that went says nothing any more
            over = [f for f in each.feedback if getattr(f, "over", each.response.id) in kept]
            journal.record(replace(each, feedback=tuple(over)))
    return changed


def _left_of(
    turn: Interaction, part: Part, gone: Sequence[Evidence], near: Near | None
) -> Interaction | None:
    """A turn without what goes of the conversation before it; None where it goes itself."""
    if not part.said_in(turn, gone, near):
        return turn
    messages = turn.context.messages
    own = [n for n, message in enumerate(messages) if message.role == "user"]
    if len(own) < 2:
        return None

    def bare(kept: Sequence[Message]) -> Interaction:
        return replace(turn, context=replace(turn.context, messages=tuple(kept)))

    if part.said_in(bare(messages[own[-1] :]), gone, near):
        return None
    ends = [*own[1:], len(messages)]
    exchanges = [messages[begin:end] for begin, end in zip(own, ends, strict=True)]
    kept = [each for each in exchanges if not part.said_in(bare(each), gone, near)]
    return bare([*messages[: own[0]], *(message for each in kept for message in each)])


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
