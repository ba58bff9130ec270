"""In which part of life a conversation is, where nobody says: from what the person asks for.

"At work, ..." names it (`features.scopes`), and so does whom a text is for: "an e-mail to my boss"
is ``work/mail/with:colleagues``. The newest message of the person that tells counts, a few turns
back at most. It is for recall alone: what is *said* in a conversation holds where its own words put
it. A short English lexicon; what it does not know is no setting, and then what holds everywhere is
recalled. Words of anybody but the person, quoted ones included, set nothing.
"""

import re
from collections.abc import Sequence

from befit.core.dialogue import Message
from befit.features.scopes import scope_of

TURNS = 3  # of the person that are looked at, the newest first
LONGEST = 2_000  # characters of a message that are read; a document sets no scene
_MY = r"(?:(?:my|our|the|a|an|one of my|one of our) )?(?:[\w'-]+ ){0,2}?"
_MAIL = r"(?P<mail>e-?mails?|mail|repl(?:y|ies)|memo|cover letter)"
_WRITE = (
    rf"(?:{_MAIL}|letter|message|note|text|speech|toast|card|story|explanation|presentation|slides)"
    r" (?:to|for|aimed at)"
)
_TELL = r"(?:explain|describe|say|put|tell|break)\b[^.!?\n]{0,60}? (?:to|for)"
_READERS: dict[str, str] = {
    "with:family": r"family|parents|mother|father|mum|mom|dad|sister|brother|grandma|grandpa|aunt",
    "with:children": r"kids?|child(?:ren)?|son|daughter|toddler|pupils|first graders",
    "with:partner": r"wife|husband|partner|girlfriend|boyfriend|fianc[e\u00e9]e?",
    "with:friends": r"friends?|mates?|flatmates?|roommates?",
    "work/with:colleagues": r"colleagues?|co-?workers?|team|boss|manager|director|staff|supervisor",
    "work/with:clients": r"clients?|customers?|suppliers?|investors?|recruiter|hiring manager",
    "school/with:teachers": r"teacher|professor|tutor|lecturer",
}
_FOR = [
    (label, re.compile(rf"\b(?:{_WRITE}|{_TELL}) {_MY}(?:{readers})(?![\w'-])"))
    for label, readers in _READERS.items()
]
_QUOTED = re.compile(r"```.*?```|\"[^\"]*\"|\u201c[^\u201d]*\u201d|^>.*$", re.DOTALL | re.MULTILINE)


def setting(messages: Sequence[Message]) -> str:
    """The scope that a conversation is in.

    Args:
        messages: The conversation, oldest first.

    Returns:
        A scope such as ``work/mail/with:clients``; "" where nothing tells.
    """
    own = [message.text for message in messages if message.role == "user"]
    for text in reversed(own[-TURNS:]):
        if len(text) > LONGEST:
            continue
        words = _QUOTED.sub(" ", text)
        if found := scope_of(words) or _written_for(words.lower().replace("\u2019", "'")):
            return found
    return ""


def _written_for(plain: str) -> str:
    """The scope of a text that is asked for, from whom it is for; "" where it is for several."""
    found: dict[str, re.Match[str]] = {}
    for label, pattern in _FOR:
        if told := pattern.search(plain):
            found.setdefault(label, told)
    if len(found) != 1:
        return ""
    label, told = found.popitem()
    if not label.startswith("work/") or not told.groupdict().get("mail"):
        return label
    return label.replace("work/", "work/mail/", 1)
