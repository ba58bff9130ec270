"""Words, for whoever forgets: written out, mended, without quotations; and what is about a topic.

A text is about a topic when it has the topic's words, endings aside. A paraphrase that shares none
is found only by meaning, where the caller has an encoder (`Near`).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from befit.core.protocols import Encoder


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEYS = _words(
    "forget delete erase remove remember memory everything anything about mention please"
    " what mentioned forgetting memories information preferences"
)
# words within one slip of a key that are words of their own
_WORDS_OF_THEIR_OWN = _words(
    "forgot forge forged forgets forges deleted deletes elite erased erases eraser removed"
    " removes remover remembers memorise memorised memorize mentions everythings abort"
    " abound abouts above hat that chat wheat whit who wha peace pleased pleases release"
    " plea lease pleas"
)
_EXPANSIONS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\b(?:can't|cannot|cant)\b", "can not"),
        (r"\b(?:won't|wont)\b", "will not"),
        (r"\b(?:don't|dont)\b", "do not"),
        (r"\b(?:didn't|didnt)\b", "did not"),
        (r"n't\b", " not"),
        (r"\bi'?m\b", "i am"),
        (r"\b(i|you|we|they)'?ve\b", r"\1 have"),
        (r"\b(i|you|we|they|he|she|it)'d better\b", r"\1 had better"),
        (r"\b(i|you|we|they|he|she|it)'d\b", r"\1 would"),
        (r"\b(it|that|this|what)'s\b", r"\1 is"),
        (r"\blet's\b", "let us"),
        (r"\bpls\b|\bplz\b", "please"),
        (r"\bu\b", "you"),
        (r"\b(?:abt|abot)\b", "about"),
        (r"\bi have got\b", "i have"),
    )
)
FENCED = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`|^[ \t]*>.*$)", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(
    r"\"([^\"]*)\"|\u201c([^\u201d]*)\u201d|\u00ab([^\u00bb]*)\u00bb|(?<!\w)'([^'\n]{2,})'(?!\w)"
)
_VERB = re.compile(r"forget|delete|erase|remove|remember|wipe", re.IGNORECASE)


def without_quotes(text: str) -> str:
    """A text in which what others are made to say stands as "quoted"; a quoted name stays."""
    text = text.replace("\u2019", "'").replace("\u2018", "'")
    text = FENCED.sub(" quoted ", text)

    def plain(found: re.Match[str]) -> str:
        inner = next((part for part in found.groups() if part is not None), "")
        return " quoted " if _VERB.search(inner) else f" {inner} "

    return _QUOTED.sub(plain, text)


def mended(text: str) -> str:
    """Lower case, contractions written out, slips in the key words mended, single spaces."""
    plain = text.lower().replace("\u2019", "'")
    plain = re.sub(r"[^\W\d_]+", lambda found: _mend(found[0]), plain)
    for pattern, to in _EXPANSIONS:
        plain = pattern.sub(to, plain)
    return " ".join(plain.split())


@lru_cache(maxsize=4_096)
def _mend(word: str) -> str:
    if len(word) < 4 or word in _KEYS or word in _WORDS_OF_THEIR_OWN:
        return word
    return next((key for key in sorted(_KEYS) if _slip(word, key)), word)


def _slip(word: str, key: str) -> bool:
    """Whether one letter is missing, doubled, wrong, or has changed places with its neighbour."""
    if abs(len(word) - len(key)) > 1 or word[0] != key[0]:
        return False
    n = next((i for i, (a, b) in enumerate(zip(word, key, strict=False)) if a != b), None)
    if n is None:
        doubled = len(word) - len(key) == 1 and word[-1] == key[-1]  # "forgett", not "forgets"
        return doubled or (len(key) - len(word) == 1 and len(word) > 4)
    ends = {word[n + 1 :], word[n + 2 :] if word[n : n + 2] == key[n : n + 2][::-1] else None}
    if len(word) == len(key):
        swapped = word[n : n + 2] == key[n : n + 2][::-1] and word[n + 2 :] == key[n + 2 :]
        return swapped or (len(key) > 5 and word[n + 1 :] == key[n + 1 :])
    return (
        word[n + 1 :] == key[n:]
        if len(word) > len(key)
        else word[n:] == key[n + 1 :] and bool(ends)
    )


# --- what is about a topic --------------------------------------------------------------------

#: Whether a text is about a topic by its meaning.
Near = Callable[[str, str], bool]

NEAR = 0.45  # cosine of MiniLM from which a text is about a topic that shares no word with it
_SPELT = 7  # letters from which one slip of the keyboard still leaves the word
_ENDING = 3  # letters by which a word may be longer and still mean the topic
_WORD = re.compile(r"[^\W_]+")
_EMPTY = _words(
    "a an the my your our his her their its this that these those i me we us you he she it they of"
    " to in on at for from with by about and or but so as is are was were be been am do does did"
    " don doesn didn not no t s d ll ve re m have has had will would can could should if than then"
    " there here what which who whom whose how when where why one ones all any some every each"
)
# without these a topic is still the same one, where other words are left
_LIGHT = _words(
    "like love hate enjoy prefer dislike want used use thing things story business matter issue"
    " problem situation topic trip visit old new whole last recent favourite favorite whether ever"
    " never always much many lot very really just quite once again still also too taste opinion"
    " opinions view views preference preferences feeling feelings fact go goes going went get got"
    " eat eats think thinks thought know knows live lives take takes name names info information"
)


def about(topic: str, text: str) -> bool:
    """Whether each word of the topic that carries meaning is in the text, but for endings.

    Args:
        topic: A few words, in any case.
        text: What may be about it.
    """
    asked = _carrying(topic)
    said = set(_WORD.findall(text.casefold())) if asked else set()
    return bool(asked) and all(any(_means(word, each) for each in said) for word in asked)


def near_by(encoder: Encoder, least: float = NEAR) -> Near:
    """Whether a text is about a topic, by the cosine of their embeddings.

    Args:
        encoder: Its vectors have unit length.
        least: Cosine from which it is.
    """

    def near(topic: str, text: str) -> bool:
        one, other = encoder.encode([f"This is about {topic}.", text])
        return sum(float(a) * float(b) for a, b in zip(one, other, strict=True)) >= least

    return near


@lru_cache(maxsize=1_024)
def _carrying(topic: str) -> tuple[str, ...]:
    words = _WORD.findall(topic.casefold())
    heavy = [word for word in words if word not in _EMPTY]
    return tuple([word for word in heavy if word not in _LIGHT] or heavy or words)


def _means(word: str, said: str) -> bool:
    """Whether one is the other, but for a short ending of either, or a slip in a long word."""
    short, long = sorted((word, said), key=len)
    stem = short[:-1] if len(short) > 4 else short  # story, stories
    ended = len(short) > 3 and long.startswith(stem) and len(long) - len(short) <= _ENDING
    return word == said or ended or (len(short) >= _SPELT and _slip(said, word))
