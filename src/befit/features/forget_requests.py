"""Reads requests to forget: "please forget what I told you about my divorce".

A grammar over clauses, in English, without a language model; slips of the keyboard in its key words
are mended. It tells a request from what only looks like one ("don't forget the milk", "he forgot",
"how do I forget my ex?", "delete the second paragraph"): a bare object ("forget sushi") counts only
where the message says nothing else, and deleting counts only where it speaks of what is remembered.
It erases nothing (``memory.forgetting`` does) and knows neither person nor store.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

from befit.features.forget_frames import (
    AGAIN,
    BACK,
    DO,
    END,
    FILLER,
    GONE,
    INVERTED,
    JUST_SAID,
    KEEP,
    LAST,
    LEAD,
    MAYBE,
    NAMES,
    OUT,
    RAISE,
    REPEATED,
    SENTENCE,
    TAIL,
    THAT,
    TRACES,
    UNSAID,
    USE,
)
from befit.features.forget_objects import (
    Found,
    Request,
    elsewhere,
    from_memory,
    named,
    noted,
    of_a_task,
    of_everything,
    owned,
    part_of_the_task,
    spoken_of,
    told,
    told_by_me,
    without_memory,
)
from befit.features.forget_times import period_of
from befit.features.forget_words import FENCED, mended, without_quotes

_YES = re.compile(r"\W*(?:yes|i confirm|confirmed)\b")
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # on which day it is asked changes no answer
LONGEST = 2_000  # characters; a longer message is a task or a document, and asks nothing of memory


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message asks to be forgotten, and what else it says.

    Attributes:
        requests: In their order; empty where it asks for nothing of the kind.
        rest: The message without them; "" where there is nothing else.
    """

    requests: tuple[Request, ...]
    rest: str


def read_requests(text: str, at: datetime) -> Reading:
    """What a message asks to be forgotten.

    Args:
        text: What a person wrote.
        at: When, UTC: "yesterday" is counted from there.
    """
    plain = text.lower() if len(text) <= LONGEST else ""
    if not any(trace in plain for trace in TRACES) or not MAYBE.search(text):
        return Reading((), text)
    pieces = _pieces(text)
    found = [_read(piece, at) if MAYBE.search(piece) else None for piece in pieces]
    if not any(found) and len(pieces) == 1:
        return Reading((), text)
    for n, piece in enumerate(pieces[1:], 1):
        if found[n - 1] is None and (named := _named_before(pieces[n - 1], piece, at)):
            found[n - 1 : n + 1] = [named, named]
    alone = all(f is not None or _filler(piece) for piece, f in zip(pieces, found, strict=True))
    kept = _unidiomatic([f if f and (f.sure or alone) else None for f in found])
    if not any(kept):
        return Reading((), text)
    rest = [p for p, f in zip(pieces, kept, strict=True) if f is None and not _filler(p)]
    requests = _requests(pieces, kept, yes=_YES.match(plain) is not None)
    return Reading(requests, " ".join(piece.strip() for piece in rest))


def asks(text: str) -> bool:
    """Whether a message asks for anything to be forgotten.

    Clients send the same messages again and again, so what was read is kept ready until
    `let_go_of_what_was_read`.
    """
    return len(text) <= LONGEST and _asks(text)


def let_go_of_what_was_read() -> None:
    """Keep no message ready any more: to be called when something was forgotten."""
    _asks.cache_clear()


@lru_cache(maxsize=4_096)
def _asks(text: str) -> bool:
    return bool(read_requests(text, _ANY_DAY).requests)


def _requests(pieces: list[str], found: list[Found | None], *, yes: bool) -> tuple[Request, ...]:
    """The requests of a message, each with what the clauses before it say of it."""
    requests, said = list[Request](), False
    for piece, each in zip(pieces, found, strict=True):
        if each is None:
            said = said or not _filler(piece)
        elif each.request.kind == "all":
            requests.append(replace(each.request, confirmed=yes))
        elif each.request.kind == "part":
            requests.append(each.request)
        elif not any(r.kind == "part" for r in requests):  # "... my debts. Please erase that."
            requests.append(replace(each.request, here=said))
    return tuple(dict.fromkeys(requests))


def _pieces(text: str) -> list[str]:
    """The sentences, cut where another clause gives an order; quoted lines stay whole."""
    pieces: list[str] = []
    for part in FENCED.split(text):
        pieces += [part] if FENCED.fullmatch(part) else _clauses(part)
    return pieces


def _clauses(text: str) -> list[str]:
    pieces: list[str] = []
    for sentence in SENTENCE.findall(text):
        if not sentence.strip():
            continue
        if not MAYBE.search(sentence) or INVERTED.match(_normal(sentence)):
            pieces.append(sentence)
            continue
        cuts = [0, *(cut.end() for cut in TAIL.finditer(sentence)), len(sentence)]
        pieces += [sentence[a:b] for a, b in pairwise(cuts) if a < b]
    return pieces


def _normal(piece: str) -> str:
    """Lower case, contractions written out, slips mended, no politeness before or behind."""
    plain = re.sub(r"[\s,]+(?:and|but|then|so)\s*$", "", mended(without_quotes(piece)))
    while True:
        shorter = LEAD.sub("", END.sub("", plain)).strip(" .,!?;:-")
        if shorter == plain:
            return plain
        plain = shorter


def _filler(piece: str) -> bool:
    plain = mended(piece).strip(" .,!?;:-)(\"'")
    return FILLER.match(re.sub(r"^(?:and|but|so) ", "", plain)) is not None


@dataclass(frozen=True, slots=True)
class _Clause:
    """One clause: as the frames read it, and as it stood."""

    plain: str
    piece: str
    at: datetime

    def object(self, given: str, *, cue: bool = False) -> Found | None:
        return named(given.strip(), self.at, cue=cue)


def _read(piece: str, at: datetime) -> Found | None:
    """What one clause asks, if anything."""
    clause = _Clause(_normal(piece), piece, at)
    for pattern, take in _FRAMES:
        if found := pattern.match(clause.plain):
            return take(clause, found)
    return None


def _named_before(sentence: str, piece: str, at: datetime) -> Found | None:
    """What a pronoun stands for: "The thing I told you about the tattoo? Forget it."."""
    plain = _normal(sentence)
    found = NAMES.match(plain) if THAT.match(_normal(piece)) else None
    given = found["object"].strip() if found else ""
    made = named(given, at, cue=True) if given and not LAST.match(plain) else None
    if made is None or made.request.kind != "part":
        return None
    return replace(made, request=replace(made.request, period=None))


def _just_said(clause: _Clause, _: re.Match[str]) -> Found:
    sure = not clause.plain.startswith(("scratch", "strike", "you"))
    return Found(request=Request(kind="last"), sure=sure)


def _wholly(clause: _Clause, _: re.Match[str]) -> Found:
    del clause
    return Found(request=Request(kind="all"), sure=True)


def _unsaid(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = re.sub(r"^(?:about|that|of) (?=\w+ ?)", "", found["object"].strip())
    if given in ("", "that", "this", "it", "anything", "so", "any of that", "about it"):
        return Found(request=Request(kind="last"), sure=True)
    return clause.object(given, cue=True)


def _taken_back(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = (found["object"] or "").strip()
    if not given:
        return Found(request=Request(kind="last"), sure=False)
    return clause.object(given, cue=True) if told(given) else None


def _asked(clause: _Clause, found: re.Match[str]) -> Found | None:
    """How much has to be said depends on the verb: "forget", "delete", "ignore"."""
    verb = found["verb"] or found["ing"] or found["past"]
    given = found["object"].strip()
    if verb.startswith(("ignor", "disregard")):
        spoken = told_by_me(given)
        aside = spoken or bool(LAST.match(given) and spoken_of(given))
        made = clause.object(given, cue=spoken) if aside else None
    elif verb.startswith(("forg", "un", "let go")):
        made = _forget(clause, verb, given)
    else:
        made = _delete(clause, verb, given)
    return made


def _forget(clause: _Clause, verb: str, given: str) -> Found | None:
    polite = clause.plain != mended(clause.piece).strip(" .,!?;:-")
    if given in ("it", "about it"):
        return Found(request=Request(kind="last"), sure=False, idiom=not polite)
    if verb == "let go of" and not (owned(given) or told(given)):
        return None
    about = polite and given.startswith(("about ", "everything about "))
    return clause.object(given, cue=from_memory(given) or about)


def _delete(clause: _Clause, verb: str, given: str) -> Found | None:
    if given in ("it", "that", "this"):
        return Found(request=Request(kind="last"), sure=False, idiom=True)
    if from_memory(given) or told(given) or of_everything(given) or noted(given):
        return clause.object(given, cue=True)
    if verb.startswith(("clear", "drop", "clean", "los", "dump", "empty", "destroy", "reset")):
        return None
    if part_of_the_task(given, clause.at):
        return None
    made = clause.object(given)
    return replace(made, sure=False) if made else None


def _kept_out(clause: _Clause, found: re.Match[str]) -> Found | None:
    """Not to be kept: "don't remember", "stop storing"."""
    verb, given = found["verb"], found["object"].strip()
    if verb.startswith(("tak", "mak")):
        given = re.sub(r"^(?:of|on|about) (?=\w)", "", given)
    if LAST.match(without_memory(given)) or without_memory(given) in ("it", "any of it"):
        return Found(request=Request(kind="last"), sure=True)
    own = owned(given) or told(given) or noted(given) or from_memory(given)
    own = own or re.match(r"(?:anything|notes|information|data|records) ", given) is not None
    excused = clause.plain.startswith(("you do not need", "you do not have"))
    minds = verb.startswith(("rememb", "memori", "know")) and not excused
    return clause.object(given, cue=own) if (own or minds) and not of_a_task(given) else None


def _raised(clause: _Clause, found: re.Match[str]) -> Found | None:
    """Not to be spoken of: "don't mention it again", "stop bringing up"."""
    given = found["object"].strip()
    if given.startswith(("you ", "yourself", "being ", "that you", "how you")) or of_a_task(given):
        return None
    meant = clause.plain.startswith(("stop", "quit")) or REPEATED.search(given) is not None
    if elsewhere(given) and not meant:
        return None
    return clause.object(given, cue=True) if meant or owned(given) or told(given) else None


def _used(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = found["object"].strip()
    return clause.object(given) if owned(given) and not of_a_task(given) else None


def _again(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = found["object"].strip()
    repeated = bool(REPEATED.search(given)) or clause.plain.startswith(("no ", "i never"))
    return clause.object(given, cue=True) if repeated else None


def _left_out(clause: _Clause, found: re.Match[str]) -> Found | None:
    vague = found["where"] == "it" and not owned(found["object"])
    return None if vague else clause.object(found["object"], cue=True)


def _gone(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = (found["object"] or found["kept"]).strip()
    if of_everything(given):
        return clause.object(given)
    own = owned(given) or told(given) or noted(given) or from_memory(clause.plain)
    own = own or period_of(given, clause.at)[0] is not None
    return clause.object(given, cue=True) if own and not of_a_task(given) else None


def _inverted(clause: _Clause, found: re.Match[str]) -> Found | None:
    given = (found["object"] or found["sure"]).strip(" ,:")
    return None if of_a_task(given) else clause.object(given, cue=True)


def _unidiomatic(found: list[Found | None]) -> list[Found | None]:
    """Without idioms ("forget it") that stand beside no other request."""
    meant = any(each is not None and not each.idiom for each in found)
    return [each if each is not None and (meant or not each.idiom) else None for each in found]


#: Tried in this order; the first that fits decides.
_FRAMES: tuple[tuple[re.Pattern[str], Callable[[_Clause, re.Match[str]], Found | None]], ...] = (
    (JUST_SAID, _just_said),
    (UNSAID, _unsaid),
    (re.compile(r"^i want to be forgotten$"), _wholly),
    (BACK, _taken_back),
    (DO, _asked),
    (KEEP, _kept_out),
    (RAISE, _raised),
    (USE, _used),
    (AGAIN, _again),
    (OUT, _left_out),
    (GONE, _gone),
    (INVERTED, _inverted),
)
