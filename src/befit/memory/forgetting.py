"""Forgets a part of what is known of a person: single things, a topic, a period.

Finds what belongs to the part, in what is kept, what waits and what was said, and erases it there;
artifacts learned from the person fall with it. It goes by words: a paraphrase that shares none of a
topic's is not found. A journal that erases only whole people is written anew without the turns:
were the process killed in between, the person's other turns would be lost too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from befit.core.errors import InputError
from befit.core.feedback import Interaction
from befit.core.people import UserId
from befit.core.preference import TOPIC, Evidence
from befit.core.protocols import ArtifactStore, Journal
from befit.memory.codec import interaction_to_json
from befit.memory.consented import ConsentedMemory

_WORD = re.compile(r"[^\W_]+")
_ENDING = 3  # letters by which a word may be longer and still mean the topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is to be forgotten: all that matches any of ``ids`` and ``topic``, or the period.

    Attributes:
        ids: Pieces of evidence.
        topic: What it is about, in the person's words.
        since: Where a period begins, inclusive; None is ever since.
        until: Where it ends, inclusive; None is until now.
    """

    ids: tuple[str, ...] = ()
    topic: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.topic and not _WORD.search(self.topic):
            raise InputError("the topic has no word in it", hint="name a word", field="topic")
        if not (self.ids or self.topic or self.since or self.until):
            raise InputError("nothing is named", hint="name an id, topic or period", field="ids")

    def holds(self, evidence: Evidence) -> bool:
        """Whether a piece of evidence belongs to the part."""
        e = evidence
        if e.id in self.ids or self._dated(e.at) or (e.learned and self._dated(e.learned)):
            return True
        texts = [e.text, *(name.removeprefix(TOPIC) for name in e.values if TOPIC in name)]
        texts += [e.pair.prompt, e.pair.chosen, e.pair.rejected] if e.pair else []
        texts += [e.graded.prompt, e.graded.text] if e.graded else []
        return any(self.about(text) for text in texts)

    def about(self, text: str) -> bool:
        """Whether each word of the topic is in the text, but for endings."""
        asked, said = _words(self.topic), set(_words(text))
        return bool(asked) and all(any(_means(word, each) for each in said) for word in asked)

    def said_in(self, turn: Interaction, gone: Sequence[Evidence]) -> bool:
        """Whether a turn, or a reaction to it, belongs to the part, or says what is gone."""
        if self._dated(turn.context.at) or any(self._dated(each.at) for each in turn.feedback):
            return True
        if turn.response.id in {each.source for each in gone}:
            return True
        texts = list(_texts(interaction_to_json(turn)))
        lost = [each.text for each in gone if each.text]
        return any(self.about(text) or any(each in text for each in lost) for text in texts)

    def _dated(self, at: datetime) -> bool:
        if self.since is None and self.until is None:
            return False
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much went.

    Attributes:
        evidence: Pieces of evidence, kept or waiting.
        turns: Turns of the journal, each with its reactions.
        decisions: Decisions on beliefs about the topic.
        artifacts: What had been learned from the person.
    """

    evidence: int = 0
    turns: int = 0
    decisions: int = 0
    artifacts: int = 0


def forget_part(
    memory: ConsentedMemory,
    journal: Journal,
    artifacts: ArtifactStore,
    user: UserId,
    part: Part,
) -> Forgotten:
    """Erase a part of what is known of a person, wherever it is.

    Raises:
        StoreError: It could not be written; to be run again.
    """
    there = [*memory.evidence(user), *(held.evidence for held in memory.ledger.held(user))]
    gone = [each for each in there if part.holds(each)]
    subjects = {each.subject for each in memory.ledger.decisions(user) if each.verb != "consent"}
    about = [s for s in sorted(subjects) if s.startswith(TOPIC) and part.about(s[len(TOPIC) :])]
    turns = _forget_turns(journal, user, part, gone)
    evidence = memory.forget(user, [each.id for each in gone]) if gone else 0
    return Forgotten(
        evidence=evidence,
        turns=turns,
        decisions=memory.ledger.drop_decisions(user, about) if about else 0,
        artifacts=artifacts.erase(user) if evidence or turns else 0,
    )


def _forget_turns(journal: Journal, user: UserId, part: Part, gone: Sequence[Evidence]) -> int:
    turns = journal.read(user)
    left = [each for each in turns if not part.said_in(each, gone)]
    kept = {each.response.id for each in left}
    if len(left) < len(turns):
        journal.erase(user)
        for each in left:  # a choice over a turn that went says nothing any more
            over = [f for f in each.feedback if getattr(f, "over", each.response.id) in kept]
            journal.record(replace(each, feedback=tuple(over)))
    return len(turns) - len(left)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _means(word: str, said: str) -> bool:
    """Whether one is the other, but for a short ending of either."""
    short, long = sorted((word, said), key=len)
    stem = short[:-1] if len(short) > 4 else short  # story, stories
    return word == said or (
        len(short) > 3 and long.startswith(stem) and len(long) - len(short) <= _ENDING
    )
