"""Which way a sentence of preference points, and at what: "Small talk bores me".

An ordered list of English frames, each with a place for the thing talked about. It takes for
granted that the sentence states a preference of the writer; whether it does is for
``features.statement_head``. Where no frame fits it says nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from befit.features.cues import plain
from befit.features.scopes import without_scope

_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Stance:
    """For or against something.

    Attributes:
        topic: In lower case, at most eight words.
        value: Position in [-1, 1]; never 0.
    """

    topic: str
    value: float


_EXPANSIONS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\b(?:can't|cannot|cant)\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"n't\b", " not"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
        (r"'re\b", " are"),
        (r"'ll\b", " will"),
        (r"\bi'd\b", "i would"),
        (r"\b(it|that|there|what|here)'s\b", r"\1 is"),
        (r"\b(?:exclusively|solely)\b", "only"),
        (
            r"\b(?:really|deeply|strongly|absolutely|truly|firmly|just|simply|still|honestly"
            r"|particularly|especially|extremely|totally|steadfastly|adamantly|strictly|avidly"
            r"|definitely|personally|genuinely|actively"
            r"|generally|usually|always|also|mostly|completely|highly|greatly|very|so|much|quite)"
            r" (?=\w)",
            "",
        ),
    )
)
_OPENING = re.compile(
    r"^(?:for the record|just so you know|by the way|as a rule|one thing about me|please remember"
    r" that|remember that|keep in mind that|honestly|yeah|yes|well|oh|and|but|also|to be honest"
    r"|i know it is silly|people say [^,]*|like my \w+|unlike [\w ]+?(?= i )|if you ask me"
    r"|because of [^,]*? (?=i )|these days|lately|please)[,: ]+(?:yet |but )?"
)
_O = r"(?P<o>[^,;:.!?]+)"
_FRAMES = "stance_frames.tsv"
_CUT = re.compile(
    r" (?:because|since|so that|so|and i|but|when(?:ever)?|wherever|unless|as long as|as i|even if"
    r"|if|please|thanks|any day|at all|these days|from now on|in future|more than"
    r"|and (?:cannot|can|must|will|would|do|am|keep|bring|avoid|prefer|enjoy)|with a passion"
    r"|all day|wherever|every day|in general|whenever|like nothing|due to|as they|as it|as these"
    r"|in future)\b.*$"
)
_LEAD = re.compile(
    r"^(?:to (?:be |have |use |do )?|a |an |the |any |some |my |all |anything with |anything "
    r"|being |having |really |for |of |that |doing |using |things |people |more |other )+(?=\w)"
)
_EMPTY = re.compile(
    r"^(?:it|this|that|them|him|her|you|me|us|one|something|everything|nothing|things|so|not|he"
    r"|she|they|what|there|here|i|to|be|how|your)\b"
)
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
_YOURS = re.compile(r"^(?:your?|you|what you|how you|that you)\b")


@lru_cache(maxsize=4096)
def stance_of(sentence: str) -> Stance | None:
    """What a sentence of preference is about, and which way.

    Args:
        sentence: One sentence, in English.

    Returns:
        None where no frame fits, or where the frame holds a pronoun.
    """
    text = _expanded(sentence)
    for frame, value in _frames():
        found = frame.search(text)
        if found and (topic := _topic(found["o"])):
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
        if (found := pattern.search(text)) and (topic := _topic(found["o"])):
            return topic
    return ""


def _expanded(sentence: str) -> str:
    text = without_scope(plain(sentence))
    for pattern, to in _EXPANSIONS:
        text = pattern.sub(to, text)
    text = _OPENING.sub("", _OPENING.sub("", text))
    return re.sub(r"^used to [^,]*, (?:but )?now ", "", text)


@lru_cache(maxsize=1)
def _frames() -> tuple[tuple[re.Pattern[str], float], ...]:
    text = files("befit.features").joinpath(_FRAMES).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return tuple((re.compile(row[1].replace("<O>", _O)), float(row[0])) for row in rows)


def _topic(phrase: str) -> str:
    phrase = _CUT.sub("", f" {phrase.strip()}").strip()
    if _YOURS.match(phrase):
        return ""
    words = re.findall(r"[\w'+#-]+", _LEAD.sub("", phrase))[:_MOST_WORDS]
    return "" if not words or _EMPTY.match(words[0]) else " ".join(words)
