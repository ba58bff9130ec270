"""What can be measured of a text's surface: how long, how plain, how warm, how full of figures.

Every feature is a count or a rate of the text, squashed into [-1, 1] by one of two functions:

* ``_rate(x, pivot) = (x - pivot) / (x + pivot)``, which is ``tanh(ln(x / pivot) / 2)``: -1 where
  there is none of it, 0 at the pivot (an ordinary answer of a chat model), towards 1 above;
* ``_balance(a, b) = (a - b) / (a + b + 1)`` for features with two ends, 0 where there is neither.

Word lists are English; in other languages the structural features (length, lists, headings,
figures, links, emoji, code, questions) still hold. It measures the surface, not whether the text is
any good.
"""

import re
from collections import Counter
from itertools import chain

import numpy as np
from numpy.typing import NDArray

# The value of each rate at which the feature is 0; rates are per 100 words unless said otherwise.
_PIVOTS: dict[str, float] = {
    "length": 120.0,  # words
    "sentence_length": 16.0,  # words a sentence
    "paragraph_length": 45.0,  # words a paragraph
    "lists": 0.2,  # share of lines that are list items
    "steps": 0.1,  # share of lines that are numbered items
    "headings": 0.05,  # share of lines that are headings
    "emphasis": 0.5,  # bold or italic spans
    "technicality": 4.0,  # acronyms, identifiers and words of 12 letters or more
    "examples": 0.7,
    "hedging": 1.5,
    "warmth": 1.0,
    "humour": 0.3,
    "second_person": 2.5,
    "first_person": 1.0,
    "figures": 1.5,  # numbers
    "sources": 0.4,  # links, citations, "according to"
    "emoji": 0.4,
    "questions": 0.1,  # share of sentences
    "exclamation": 0.1,  # share of sentences
    "code": 0.05,  # share of characters inside code marks
    "reading_grade": 9.0,  # years of school, Coleman and Liau
    "nuance": 1.0,  # contrasts and conditions
}

#: Names of the features, in the order of `style_vector`.
FEATURES: tuple[str, ...] = (*_PIVOTS, "formality", "directness")

_LISTS: dict[str, str] = {
    "hedging": "maybe perhaps possibly probably might may seems seem appears appear likely unlikely"
    " roughly approximately somewhat apparently presumably generally usually often suggests",
    "warmth": "thanks thank glad happy sorry hope wonderful lovely welcome appreciate dear friend"
    " great love care enjoy proud congratulations cheers delighted kind warm understandable",
    "humour": "haha lol joke joking kidding pun funny hilarious silly heh hehe giggle",
    "second_person": "you your yours yourself you're you'll you've you'd",
    "first_person": "i me my mine myself i'm i've i'll i'd we our us we're we've we'll",
    "nuance": "however although though whereas nevertheless nonetheless unless except depends"
    " trade-off tradeoff conversely alternatively despite while",
    "formal": "therefore furthermore moreover regarding consequently thus hence shall upon"
    " accordingly respectively additionally pursuant whom wherein sincerely kindly commence"
    " utilize ensure facilitate obtain require requires subsequently sufficient prior",
    "informal": "hey yeah yep nope gonna wanna kinda sorta stuff cool awesome ok okay guys folks"
    " btw super totally hi yo dude lots tons gotta cuz pretty honestly",
    "direct": "must should do don't never always use need stop start avoid ensure definitely"
    " clearly simply certainly exactly required",
    "soft": "could would consider please perhaps maybe might feel wondering option suggestion"
    " recommend",
    "example": "e.g example examples instance imagine suppose",
    "source": "doi isbn et-al citation cited reference references",
}
_PHRASES: dict[str, tuple[str, ...]] = {
    "example": ("such as", "e.g.", "let's say", "picture this"),
    "source": ("according to", "et al", "study by", "research by", "](http", "[1]", "[2]", "[3]"),
    "nuance": ("on the other hand", "that said", "it depends"),
    "hedging": ("in my opinion", "i think", "i believe", "as far as i know", "not sure"),
    "warmth": ("good luck", "take care", "well done", "no worries", "feel free"),
}


def _categories() -> dict[str, tuple[str, ...]]:
    """Word -> the lists that it stands in."""
    lexicon: dict[str, tuple[str, ...]] = {}
    for category, words in _LISTS.items():
        for word in words.split():
            lexicon[word] = (*lexicon.get(word, ()), category)
    return lexicon


_LEXICON = _categories()
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?\u3002]+(?=\s|$)|\n\s*\n")
_ITEM = re.compile(r"^[ \t]*(?:[-*+\u2022]|(\d{1,3}[.)]))[ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6} |^[ \t]*\*\*[^*\n]{1,80}\*\*:?[ \t]*$", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|(?<!\w)_[^_\n]+_(?!\w)")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_IDENTIFIER = re.compile(r"\b[A-Z]{2,6}s?\b|\b\w+_\w+\b|\b[a-z]+[A-Z]\w+\b")
_NUMBER = re.compile(r"\b\d[\d,.]*")
_LINK = re.compile(r"https?://|www\.")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]|[:;]-?[)D(P](?!\\w)")
_PARAGRAPH = re.compile(r"\n\s*\n")


def _rate(value: float, pivot: float) -> float:
    return (value - pivot) / (value + pivot)


def _balance(high: float, low: float) -> float:
    return (high - low) / (high + low + 1.0)


def _marks(lower: str, words: list[str]) -> Counter[str]:
    """How often each word list and its phrases occur."""
    found = [_LEXICON[word] for word in words if word in _LEXICON]
    marks = Counter(chain.from_iterable(found))
    for category, phrases in _PHRASES.items():
        for phrase in phrases:
            marks[category] += lower.count(phrase)
    return marks


def _technical(text: str, sizes: list[int]) -> int:
    """How many words only a specialist would write: long ones, acronyms, identifiers."""
    odd = [w for w in text.split() if "_" in w or not (w.islower() or w.istitle())]
    return sum(size >= 12 for size in sizes) + len(_IDENTIFIER.findall(" ".join(odd)))


def _emoji(text: str) -> int:
    if text.isascii() and ":" not in text and ";" not in text:
        return 0
    return len(_EMOJI.findall(text))


def _grade(letters: int, words: int, sentences: int) -> float:
    """Years of school that a text asks for, at least 0.

    Source: Coleman and Liau 1975, "A computer readability formula designed for machine scoring".
    """
    return max(0.0, 5.88 * letters / words - 29.6 * sentences / words - 15.8)


def measure(text: str) -> dict[str, float]:
    """Measure the surface of a text.

    Args:
        text: Any text; the empty text has the lowest value of each rate.

    Returns:
        Each name of `FEATURES` -> a value in [-1, 1].
    """
    lower = text.lower().replace("\u2019", "'")
    words = _WORD.findall(lower)
    count = max(1, len(words))
    sizes = [len(word) for word in words]
    ends = _SENTENCE_END.findall(text)
    sentences = max(1, len(ends) + (not text.rstrip().endswith((".", "!", "?"))))
    lines = max(1, sum(1 for line in text.splitlines() if line.strip()))
    items = _ITEM.findall(text)
    marks = _marks(lower, words)
    hundred = count / 100.0
    code = sum(map(len, _CODE.findall(text))) if "`" in text else 0
    rates = {
        "length": len(words),
        "sentence_length": len(words) / sentences,
        "paragraph_length": len(words) / (1 + len(_PARAGRAPH.findall(text.strip()))),
        "lists": len(items) / lines,
        "steps": sum(1 for item in items if item) / lines,
        "headings": len(_HEADING.findall(text)) / lines,
        "emphasis": len(_BOLD.findall(text)) / hundred if "*" in text or "_" in text else 0.0,
        "technicality": _technical(text, sizes) / hundred,
        "examples": marks["example"] / hundred,
        "hedging": marks["hedging"] / hundred,
        "warmth": marks["warmth"] / hundred,
        "humour": marks["humour"] / hundred,
        "second_person": marks["second_person"] / hundred,
        "first_person": marks["first_person"] / hundred,
        "figures": len(_NUMBER.findall(text)) / hundred,
        "sources": (marks["source"] + len(_LINK.findall(lower))) / hundred,
        "emoji": _emoji(text) / hundred,
        "questions": text.count("?") / sentences,
        "exclamation": text.count("!") / sentences,
        "code": code / max(1, len(text)),
        "reading_grade": _grade(sum(sizes), count, sentences) if words else 0.0,
        "nuance": marks["nuance"] / hundred,
    }
    contractions = sum("'" in word for word in words)
    measured = {name: _rate(rates[name], pivot) for name, pivot in _PIVOTS.items()}
    measured["formality"] = _balance(marks["formal"], marks["informal"] + contractions)
    measured["directness"] = _balance(marks["direct"], marks["soft"] + marks["hedging"])
    return measured


def style_vector(text: str) -> NDArray[np.float64]:
    """The features of `measure` as an array of shape (len(FEATURES),)."""
    return np.fromiter(measure(text).values(), dtype=np.float64, count=len(FEATURES))
