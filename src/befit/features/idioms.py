"""Turns of phrase that state a preference by themselves: "count me out for X", "X has grown on me".

A table of English idioms, each a whole clause with a place for the thing talked about; several say
how the stance changed, and then the newest holds: "I used to love X, but not any more" is against
X. No encoder and no judgement of the context: whoever calls it leaves questions, reports of others
and hypotheticals aside. A clause that only resembles an idiom says nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_TABLE = "stance_idioms.tsv"
_MOST_WORDS = 8
_LONGEST = 160  # characters of a sentence that is tried; an idiom is short
_LESSER = -0.5  # of the value, for what something is put above


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
        (r"\bdont\b", "do not"),
        (r"n't\b", " not"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
        (r"\bim\b", "i am"),
        (r"'re\b", " are"),
        (r"'ll\b", " will"),
        (r"\bi'd\b", "i would"),
        (r"\b(it|that|there|what|here)'s\b", r"\1 is"),
        (r"\b(?:exclusively|solely)\b", "only"),
        (r"\bno longer\b(?! than)", "nolonger"),
        (r"\b(?:any more|any longer)\b(?! than)", "anymore"),
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
    r"|because of [^,]*? (?=i )|these days|lately|please|i must (?:say|admit|confess)"
    r"|i have to (?:say|admit)|i admit|actually|frankly|funny enough|oddly enough|nowadays|now"
    r"|recently|i think|i guess|note that|fyi|as for me"
    r"|for my part|i would say)[,:]? +"
    r"(?:that )?(?:yet |but )?"
)
_TAIL = re.compile(
    r"[,;]? (?:because|since|as i|as they|as it|so (?:please|leave|keep|skip|bring|do not)"
    r"|(?<!used )so that)\b.*$"
    r"|,? (?:too|either|though|honestly|to be honest|if i am honest|thanks|thank you|please|lately"
    r"|nowadays|these days|recently|after all|in the end|at all|for good|by now|now|again|always"
    r"|always have(?: been)?|a (?:long )?(?:while|time) ago|over the years|this year|as well"
    r"|in general|by far|in fact|i am afraid|i must say|i have to say|of late|or so|haha)$"
)
_LIKE = (
    r"(?:really )?(?:like|love|adore|enjoy|prefer|fancy|appreciate|value|cherish|favou?r|crave"
    r"|care for)"
)
_LIKED = (
    r"(?:always )?(?:liked|loved|adored|enjoyed|preferred|fancied|appreciated|cherished|favou?red"
    r"|craved)"
)
_HATE = (
    r"(?:hate|dislike|loathe|detest|despise|avoid|dread|resent|skip|abhor|can not <STAND>"
    r"|could not <STAND>|steer clear of|stay away from|shun)"
)
_HATED = r"(?:hated|disliked|loathed|detested|despised|avoided|dreaded|resented|shunned)"
_FOND = (
    r"(?:(?:that |too |all that |overly |very |especially )?(?:into|fond of|keen on|crazy about"
    r"|mad about|wild about|big on|partial to|hooked on|passionate about|addicted to|attached to"
    r"|enthusiastic about|an? (?:big |huge |real |great )?(?:fan|lover|friend|admirer) of))"
)
_FED = (
    r"(?:fed up (?:with|of)|sick (?:and tired )?of|tired of|weary of|bored (?:of|with|by)"
    r"|put off by|repelled by|disgusted by|turned off by)"
)
_NOW = (
    r"(?:these days|nowadays|now(?: that i have tried it)?|today|currently|of late|lately"
    r"|recently)"
)
_NOMORE = r"(?:not )?(?:any ?more|anymore|nolonger|not now|no more|not these days|not nowadays)"
_MACROS = (
    ("<HATE>", _HATE),
    ("<LIKED>", _LIKED),
    ("<LIKE>", _LIKE),
    ("<HATED>", _HATED),
    ("<STAND>", "(?:stand|bear|stomach|tolerate|abide|endure)"),
    ("<FOND>", _FOND),
    ("<FED>", _FED),
    ("<NOW>", _NOW),
    ("<NOMORE>", _NOMORE),
    ("<NOT>", "(?:does not|is not|nolonger|has lost|lost)"),
    ("<IT>", "(?:it|they|them|that|those|this|these)"),
    ("<SEP>", r"(?:,|;|:| -| \u2013| \u2014| \.\.\.)? (?:but |and |yet |though |only )?"),
    (
        "<APPEAL>",
        r"(?:appeal to me|interest me|excite me|do it for me|work for me|grab me|move me"
        r"|speak to me|float my boat|tempt me|thrill me|suit me|impress me|attract me)",
    ),
    (
        "<MINE>",
        r"(?:for me|my (?:thing|cup of tea|style|scene|bag|kind of thing|sort of thing|jam"
        r"|passion|favou?rite|idea of (?:fun|a good time))|to my (?:taste|liking))",
    ),
    ("<O>", r"(?P<o>[^,;:.!?]+?)"),
    ("<P>", r"(?P<p>[^,;:.!?]+?)"),
    # a subject in general: no pronoun, and not this or that one
    (
        "<S>",
        r"(?P<o>(?!(?:i|you|he|she|we|they|it|this|that|these|those|there|who|what|nothing|something"
        r"|the|my|his|her|our|their|your|its|another)\b)"
        r"[^,;:.!?]+?)",
    ),
)
_CUT = re.compile(
    r" (?:because|since|so that|so|and i|but|when(?:ever)?|wherever|unless|as long as|as i|even if"
    r"|if|please|thanks|any day|at all|these days|from now on|in future|more than|anymore"
    r"|nowadays|lately|after all|for good|a while ago"
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
    r"|she|they|what|there|here|i|to|be|how|your|quoted|these|those|who|which|we|my|go)\b"
)
_YOURS = re.compile(r"^(?:your?|you|what you|how you|that you)\b")
# without one of these words no idiom fits
_HINT = re.compile(
    r"\b(?:i|me|my|any day|every time|fan|lover|leave|keep|never|no|not|anyone|anything|anywhere"
    r"|hard pass|used to|turns out|nothing|once|before|give|count|yes|go wrong|all the way|spare"
    r"|beats?|trumps?|over|fails?|old|pass|hits?|does|mark|always|adore|love)\b"
)
# this once or this one, not a thing in general
_PARTICULAR = re.compile(
    r"\b(?:my|our|his|her|this|it|them|you|today|tonight|tomorrow|yesterday|another"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|now|then)\b"
    r"|^(?:up|down|out|in|by|off|from|about|that|to|they|how)\b"
)
_CLAUSES = re.compile(r"(?:;|,)? (?:but|and|yet|while|whereas|though) (?=i\b|my\b|[^,]*\bme$)|; ")


#: How people answer a question that they put themselves: a pattern, of any case.
ANSWER = (
    r"(?i:(?:no,? (?:thanks?|thank you|way)|count me|not for me|never again|hard pass|spare me"
    r"|yes,? please|any ?time|always|i'm in|i am in|bring it on|love (?:it|them)"
    r"|i (?:really )?love (?:it|them))\b)"
)
_ANSWERED = re.compile(rf"\?+\s+(?={ANSWER})")


def answered(text: str) -> str:
    """A text in which a question that its writer answers with a stance is one sentence with it.

    "Cruises? No thanks." becomes "Cruises?, No thanks."
    """
    return _ANSWERED.sub("?, ", text)


def expanded(plain: str) -> str:
    """Lower case text with contractions spelt out, without what only opens or stresses it."""
    for pattern, to in _EXPANSIONS:
        plain = pattern.sub(to, plain)
    return _OPENING.sub("", _OPENING.sub("", plain))


def topic_of(phrase: str) -> str:
    """What a phrase names, at most eight words; "" where it names nothing or only points."""
    phrase = _CUT.sub("", f" {phrase.strip()}").strip()
    if _YOURS.match(phrase):
        return ""
    words = re.findall(r"[\w'+#-]+", _LEAD.sub("", phrase))[:_MOST_WORDS]
    return "" if not words or _EMPTY.match(words[0]) else " ".join(words)


def idioms(plain: str) -> tuple[Stance, ...]:
    """The stances that one sentence takes by a turn of phrase.

    Args:
        plain: One sentence in lower case with straight apostrophes, in English.

    Returns:
        In its order; with "X rather than Y" both. Empty where no idiom fits, and where two of its
        clauses contradict one another.
    """
    torn = contradicted(plain)
    return tuple(each for each in _found(plain) if each.topic not in torn)


def contradicted(plain: str) -> frozenset[str]:
    """The topics on which two clauses of a sentence take opposite stances."""
    sides = {(each.topic, each.value > 0.0) for each in _found(plain)}
    return frozenset(topic for topic, up in sides if (topic, not up) in sides)


@lru_cache(maxsize=4096)
def _found(plain: str) -> tuple[Stance, ...]:
    text = expanded(answered(plain.strip())).strip(" .!")
    if not text or len(text) > _LONGEST:
        return ()
    parts = _CLAUSES.split(text)
    found = _read(text) or [each for part in parts for each in _read(expanded(part.strip()))]
    return tuple(found)


def _read(clause: str) -> list[Stance]:
    """The stances of one clause, as it stands or without what closes it."""
    for _ in range(3):
        first = clause.partition(" ")[0]
        if not _HINT.search(clause):
            break
        for idiom, value in _idioms()[first == "i"]:
            match = idiom.fullmatch(clause)
            if match is None or _PARTICULAR.search(match["o"]) or _CLAUSES.search(match["o"]):
                continue
            if topic := topic_of(match["o"]):
                return [Stance(topic, value), *_lesser(match, value)]
        shorter = _TAIL.sub("", clause).strip(" .!,")
        if shorter == clause:
            break
        clause = shorter
    return []


def _lesser(match: re.Match[str], value: float) -> list[Stance]:
    phrase = match.groupdict().get("p")
    topic = topic_of(phrase) if phrase else ""
    return [Stance(topic, _LESSER * value)] if topic else []


@lru_cache(maxsize=1)
def _idioms() -> tuple[list[tuple[re.Pattern[str], float]], list[tuple[re.Pattern[str], float]]]:
    """Those that start otherwise, and those that start with "I" or with anything."""
    text = files("befit.features").joinpath(_TABLE).read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    table = [(row[1], re.compile(_spelt(row[1])), float(row[0])) for row in rows]
    return (
        [(idiom, value) for raw, idiom, value in table if not raw.startswith("i ")],
        [(idiom, value) for raw, idiom, value in table if not raw.startswith("<S>")],
    )


def _spelt(pattern: str) -> str:
    for macro, meaning in _MACROS:
        pattern = pattern.replace(macro, meaning)
    return pattern
