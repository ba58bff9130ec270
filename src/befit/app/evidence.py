"""From what a person typed to evidence: the one place where the edges make it."""

from datetime import datetime
from uuid import uuid4

from befit.core.errors import InputError
from befit.core.people import EvidenceKind, UserId
from befit.core.preference import Evidence, PreferenceSpace
from befit.features.scopes import scope_of
from befit.features.statements import read_statement

LONGEST = 4_000  # characters of one memory


def stated(
    space: PreferenceSpace, user: UserId, text: str, at: datetime, scope: str = ""
) -> Evidence:
    """A statement, with what it says of the space's dimensions and of open topics.

    Where no scope is given, the words themselves may name one: "at work, give figures".

    Raises:
        InputError: The text is blank, too long, or not valid Unicode.
    """
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise InputError(
            "a memory is empty" if not words else f"a memory has {len(words)} characters",
            hint=f"send between 1 and {LONGEST} characters",
            field="text",
        )
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise InputError("not valid Unicode", hint="send UTF-8 text", field="text") from error
    return Evidence(
        id=uuid4().hex,
        user=user,
        kind=EvidenceKind.STATED,
        at=at,
        text=words,
        values=read_statement(space, words),
        scope=scope or scope_of(words),
    )
