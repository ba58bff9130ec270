"""Which way a sentence of preference points, and at what: "Small talk bores me".

An ordered list of English frames, each with a place for the thing talked about. It takes for
granted that the sentence states a preference of the writer; whether it does is for
``features.statement_head``. Where no frame fits it says nothing.
"""

import re
from functools import lru_cache
from importlib.resources import files

from befit.features.cues import plain
from befit.features.idioms import Stance, expanded, idioms, topic_of
from befit.features.scopes import without_scope

_O = r"(?P<o>[^,;:.!?]+)"
_FRAMES = "stance_frames.tsv"
_MATTERS = (
    re.compile(
        r"^(?!i\b|you\b|please\b)(?P<o>(?:[\w'-]+ ){1,4}?)(?:(?!is\b|are\b)\w+ )+(?:me|my)\b"
    ),
    re.compile(
        r"\bi (?:\w+ly |rarely |only |never |get |tend to |would |could |can |do |am |have |not"
        r" |a )*"
        r"(?:\w+ )(?:to |for |on |of |in |with |about |by |only |from )*(?P<o>[^,;:.!?]{3,})"
    ),
    re.compile(r"^(?:please |do not |never |always )*(?:\w+ )?(?P<o>[^,;:.!?]{3,})"),
)
_DENIALS = ("no", "without", "less", "fewer", "zero")


@lru_cache(maxsize=4096)
def stance_of(sentence: str) -> Stance | None:
    """What a sentence of preference is about, and which way.

    Args:
        sentence: One sentence, in English.

    Returns:
        None where no frame fits, or where the frame holds a pronoun.
    """
    if told := idioms(without_scope(plain(sentence))):
        return told[0]
    text = _expanded(sentence)
    for frame, value in _frames():
        found = frame.search(text)
        if found and (topic := topic_of(found["o"])):
            denial, _, rest = topic.partition(" ")
            return Stance(rest, -value) if denial in _DENIALS and rest else Stance(topic, value)
    return None


@lru_cache(maxsize=4096)
def matter_of(sentence: str) -> str:
    """What a sentence is about where no frame fits: a rough guess, "" where there is none.

    The subject of "CLOWNS freak me out", else what follows the verb of the writer, else all of it.
    """
    text = _expanded(sentence)
    for pattern in _MATTERS:
        if (found := pattern.search(text)) and (topic := topic_of(found["o"])):
            return topic
    return ""


def _expanded(sentence: str) -> str:
    text = expanded(without_scope(plain(sentence)))
    return re.sub(r"^used to [^,]*, (?:but )?now ", "", text)


@lru_cache(maxsize=1)
def _frames() -> tuple[tuple[re.Pattern[str], float], ...]:
    text = files("befit.features").joinpath(_FRAMES).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple((re.compile(row[1].replace("<O>", _O)), float(row[0])) for row in rows)
