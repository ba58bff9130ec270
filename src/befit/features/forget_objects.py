"""What a request to forget names: everything, the last words, a topic, a period, a part of life.

Reads the object of a clause that ``features.forget_requests`` has taken for a request, and says how
plainly it speaks of what a person told and what is remembered. English.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from befit.features.forget_frames import (
    ABOUT_ME,
    ABOUT_MINE,
    ALL,
    BARRED,
    ELSEWHERE,
    END,
    HEAD,
    LAST,
    LEADING,
    MEMORY,
    NOTED,
    OWN,
    REPEATED,
    SAID,
    SPOKE,
    SPOKEN,
    TALKS,
    TASKS,
    TOLD_ME,
    TOLD_OF,
    VAGUE,
)
from befit.features.forget_times import Period, period_of
from befit.features.scopes import scope_of, without_scope

Kind = Literal["all", "last", "part"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing that a person asks to be forgotten.

    Attributes:
        kind: "all" is everything of the person; "last" is what was said just before; "part" is
            whatever ``topic``, ``period`` and ``scope`` name together.
        topic: What it is about, in the person's words, lower case; "" where they name none.
        period: When it was; None is ever.
        scope: In which part of life; "" is everywhere.
        here: Of a "last", whether it is said in the same message, before the request.
        confirmed: Of an "all", whether the person said "yes" to it in the same breath.
    """

    kind: Kind
    topic: str = ""
    period: Period | None = None
    scope: str = ""
    here: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A request in one clause.

    Attributes:
        request: What it asks.
        sure: Whether it is one even where the message says other things as well.
        idiom: Whether it is one only beside another, as "forget it" is.
    """

    request: Request
    sure: bool
    idiom: bool = False


def named(given: str, at: datetime, *, cue: bool = False) -> Found | None:
    """What the object of a request names; None where it names nothing that can be forgotten.

    Args:
        given: The object, in lower case.
        at: When it is asked, UTC.
        cue: Whether the clause already speaks of memory.
    """
    given = REPEATED.sub("", END.sub("", given)).strip(" ,.")
    given = re.sub(r"^from (?:your )?memory (?=that|what|my)", "", given)
    cue = cue or from_memory(given)
    period, plain = period_of(without_memory(given), at)
    if not BARRED.isdisjoint(plain.split()) or plain.startswith(("for a ", "that you ")):
        return None
    scope = scope_of(plain) if told(plain) else ""
    plain = without_scope(plain).strip(" ,.") if scope else plain
    if period is not None or scope:
        return _narrow(plain, period, scope, cue=cue)
    if found := _general(plain, cue=cue):
        return found
    topic, own = _topic(plain)
    if not topic or LAST.match(topic) or ALL.match(topic):
        return None
    return Found(request=Request(kind="part", topic=topic), sure=cue or own)


def _narrow(plain: str, period: Period | None, scope: str, *, cue: bool) -> Found:
    """What was said in a time or a place, of whatever topic."""
    topic, own = _topic(plain)
    whole = plain.removeprefix("the ") in TALKS or ALL.match(plain) or LAST.match(plain)
    if whole or not topic or LAST.match(topic) or ALL.match(topic):
        topic, own = "", True
    return Found(
        request=Request(kind="part", topic=topic, period=period, scope=scope), sure=cue or own
    )


def _general(plain: str, *, cue: bool) -> Found | None:
    """Everything, or what was just said."""
    if "just" in plain.split() and LAST.match(plain):
        return Found(request=Request(kind="last"), sure=True)
    plain = re.sub(r"^(?:all of it|everything)\W+(?=everything|all)", "", plain)
    if plain in ("", "the") or ALL.match(plain):
        return Found(request=Request(kind="all"), sure=cue or ABOUT_ME.search(plain) is not None)
    if LAST.match(plain):
        return Found(request=Request(kind="last"), sure=cue or told_by_me(plain))
    return None


def _topic(given: str) -> tuple[str, bool]:
    """The words of the topic, and whether they are said to be the person's own affair."""
    own, before = told_by_me(given), None
    while before != given:
        before = given
        if found := HEAD.match(given):
            own = own or told_by_me(found[0]) or " my " in f" {found[0]} "
            given = given[found.end() :].strip()
        elif found := OWN.match(given):
            given = given[found.end() :].strip()
            own, given = True, SPOKE.sub("", given)
        else:
            words = given.split()
            given = " ".join(words[1:]) if words and words[0] in LEADING else given
    words = re.findall(r"[^\W_][\w'+#-]*", given)
    return (given if any(word not in VAGUE for word in words) else ""), own


def from_memory(given: str) -> bool:
    """Whether it says "from your memory"."""
    return MEMORY.search(given) is not None


def without_memory(given: str) -> str:
    """Without "from your memory"."""
    return MEMORY.sub("", given).strip(" ,.")


def told(given: str) -> bool:
    """Whether it speaks of what was told, or is known."""
    return TOLD_OF.search(given) is not None


def told_by_me(given: str) -> bool:
    """Whether it speaks of what the person told."""
    return TOLD_ME.search(given) is not None


def spoken_of(given: str) -> bool:
    """Whether it speaks of words that were said."""
    return SAID.search(given) is not None


def of_everything(given: str) -> bool:
    """Whether it is everything of the person."""
    return ALL.match(given) is not None


def noted(given: str) -> bool:
    """Whether it names a memory, a note or a trace of something, or all that is about them."""
    mine = " my " in given and ABOUT_MINE.search(given) is not None
    return mine or NOTED.search(given) is not None


def owned(given: str) -> bool:
    """Whether it is said to be the person's own: "my ...", "that I ..."."""
    return OWN.match(re.sub(r"^(?:about|of|on|to) ", "", given)) is not None


def of_a_task(given: str) -> bool:
    """Whether it speaks of a text, a file or a list, as work on one does."""
    return not TASKS.isdisjoint(re.findall(r"\w+", given)) and not SPOKEN.search(given)


def elsewhere(given: str) -> bool:
    """Whether it is said to be in, or from, something that is not memory: "in the letter"."""
    return ELSEWHERE.search(given) is not None


def part_of_the_task(given: str, at: datetime) -> bool:
    """Whether what is to be deleted is likelier a part of some work than of what is remembered."""
    whole = given.startswith(("my ", "everything ", "anything ", "all "))
    dated = period_of(given, at)[0] is not None
    return not (whole or dated) or of_a_task(given) or elsewhere(given)
