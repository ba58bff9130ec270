"""Reasons not to believe the plain sense of a text: irony, make-believe, another language.

Marks on the surface alone, in English: what is meant ironically without a mark is not recognised.
`doubts` says in sentences what a text holds back from being read, so that nothing is left out in
silence.
"""

import re

_FEWEST_WORDS = 3  # of a sentence whose language is told

# who writes like this often means the opposite, or nothing
_IRONIC = re.compile(
    r"\b(?:yeah,? right|oh,? (?:sure|joy|yes|great|how|good|brilliant|fantastic)|of course"
    r"|obviously|said no ?(?:body|one)|nobody said|lol|haha\w*|ha ha|rofl|just kidding"
    r"|only joking|as if|am i right|just what i (?:need|want)(?:ed)?|lucky me"
    r"|my absolute favou?rite|who doesn't|what a treat)\b|,? not[.!]*$|\s/s\b|;-?\)"
    r"|[\U0001f644\U0001f643\U0001f60f\U0001f602\U0001f923\U0001f61c]"
)
_SUPPOSED = re.compile(
    r"^(?:please |now |so |just |let me )*(?:suppose|supposing|imagine|pretend|assume|assuming"
    r"|act as|play (?:an?|the)|let's (?:say|pretend|assume|imagine)|say i\b|what if"
    r"|for the sake of argument|hypothetically|for this (?:exercise|test|game)"
    r"|in (?:the|a|this) (?:role ?play|game|story|novel|film))\b"
)
_FICTION = re.compile(
    r"\b(?:if(?! (?:i never|i am honest|i'm honest|you ask me|it is|there (?:is|are)))|unless"
    r"|whether|suppose|supposing|imagine that|imagine i|pretend|hypothetically|would have|were to"
    r"|let's say|say that|said|says|saying|told|tells|asked (?:me|him|her|us|them|for)"
    r"|wrote|writes|according to|quote|when i was|the (?:word|phrase|term|sentence))\b"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENGLISH = _set(
    "i i'm i've i'd the and to of is it my that you for on with as this but not are have be at we"
    " don't no never always like love hate please me so a an all they your can can't from more when"
    " by or do was keep make use give too very really"
)
# function words of other languages that are no English words
_FOREIGN = _set(
    "ich und nicht der das ist ein eine mit f\u00fcr auf mag mich auch sehr aber keine kein mir"
    " dich je ne pas les des une est et pour avec j'aime moi tr\u00e8s du mais qui dans sur c'est"
    " d\u00e9teste el los las una y que con por muy pero yo gusta gustan mi odio m\u00e1s encanta"
    " para il gli della piace non di per molto sono che anche ma \u00e8 pi\u00f9 ik niet het een en"
    " van ook maar erg geen graag heb houd vind eu n\u00e3o o os um uma e gosto muito mas com jag"
    " inte och som jeg ikke og lubi\u0119 nie ja ti"
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_OTHER_SCRIPT = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[a-z\u00c0-\u024f]")


def ironic(plain: str) -> bool:
    """Whether a sentence in lower case carries a mark of irony or of a joke."""
    return _IRONIC.search(plain) is not None


def supposed(plain: str) -> bool:
    """Whether a sentence in lower case begins by making something up."""
    return _SUPPOSED.search(plain) is not None


def hearsay(plain: str) -> bool:
    """Whether a sentence in lower case reports, supposes, or speaks of words."""
    return _FICTION.search(plain) is not None


def foreign(plain: str) -> bool:
    """Whether a sentence in lower case is in another language or script than English.

    A sentence of fewer than three words in Latin letters never is.
    """
    letters = _OTHER_SCRIPT.findall(plain)
    if not letters:
        return False
    if sum(1 for each in letters if not _LATIN.match(each)) > len(letters) / 3:
        return True
    words = _WORD.findall(plain)
    if len(words) < _FEWEST_WORDS:
        return False
    strange = sum(word in _FOREIGN for word in words)
    return strange > 0 and strange >= sum(word in _ENGLISH for word in words)


def doubts(text: str, longest: int) -> tuple[str, ...]:
    """What of a text is not read, each reason in one sentence.

    Args:
        text: What a person wrote.
        longest: Characters that are read.

    Returns:
        Empty where nothing is held back.
    """
    found = []
    if len(text) > longest:
        found.append(f"Only the first {longest:,} of its {len(text):,} characters are read.")
    plain = text[:longest].lower().replace("\u2019", "'")
    if text.strip() and not _WORD.search(plain):
        found.append("It has no words.")
    parts = [part.strip() for part in re.split(r"(?<=[.!?\u2026])\s+|\n+", plain)]
    if any(foreign(part) for part in parts):
        found.append("Only English is read; some of it seems to be in another language.")
    if any(ironic(part) for part in parts):
        found.append("Some of it seems to be meant ironically, and is not taken at its word.")
    return tuple(found)
