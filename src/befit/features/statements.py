"""Reads what a person states about their own preferences: "keep it short", "I love spicy food".

A small grammar over clauses, in English. A clause about answers counts only if every word of it is
understood (a term of the space, a modifier, a word for an answer), so that "I dislike long flights"
says nothing about the length of answers: what is left over is an open topic, and only a stance in
the first person has one. Mentions, quotes, questions, reports of what others like and hypotheticals
say nothing; nor does what bears a mark of irony, what is in another language (``features.doubts``),
or what one sentence says both ways. When in doubt it reads nothing: another sentence will say it
more plainly. Turns of phrase ("I've gone off jazz") are left to ``features.idioms``. Words that set
the scene ("at work") are left aside; ``features.scopes`` says which scope they name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from befit.core.preference import TOPIC, PreferenceSpace
from befit.features.doubts import foreign, hearsay, ironic
from befit.features.idioms import answered, contradicted, idioms
from befit.features.scopes import without_scope

LONGEST = 4_000  # characters read of one text
_STRENGTH = 0.8  # of an unmodified term
_EVEN = 0.6  # two opposite values in one sentence of which neither is this much weaker cancel out
_FIRST_TERM = 0xE000  # terms travel as single characters of the private use area


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REPLY = _words(
    "answer answers answering reply replies replying response responses explanation explanations"
    " writing style tone language sentences sentence words paragraphs messages emails advice"
    " wording output outputs"
)
_VERBS = _words(
    "keep keeping make making be being use using give giving write add adding include including"
    " explain explaining respond responding stay stick get show showing cite citing speak talk"
    " provide providing try sound sounding format structure go have having put putting offer"
    " focus prefer phrase end start see read hear ask asking should could must want need"
)
_MORE = _words("more extra additional plenty lots many only just with lot")
_LESS = _words("less fewer minimal")
_NONE = _words(
    "no not without never zero avoid skip stop drop omit quit remove cut leave lose nix ditch"
)
_SOFT = _words("bit little slightly somewhat rather")
_HARD = _words("very really super way far extremely much always strictly absolutely so")
_TOO = _words("too overly excessively")
_COPULA = _words("is are was were am seems feels")
_GLUE = _words(
    "a an the of in on to for as at by it its them this that these those your my me all any some do"
    " does when where possible please pls thanks thank you out up things everything i ones form"
    " way from now future next time again then also rather both default general generally usually"
    " here there would will can even still little bit"
)
_PRONOUNS = _words(
    "it this that these those you your yours he she him her his they them their me my i we us our"
    " one someone is are was were am do does quoted"
)
_DETERMINERS = _words("a an the all any some my to really having getting")
_TAIL = re.compile(
    r"(?: (?:very much|so much|a lot|as well|in general|at all|anyway|though|too|please|now|anymore"
    r"|nowadays|lately|after all|these days|again|honestly))+$"
)

_QUOTED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u00ab[^\u00bb]*\u00bb"
    r"|(?<!\w)'[^'\n]{2,}'(?!\w)|^[ \t]*>.*$",
    re.DOTALL | re.MULTILINE,
)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*")
_UNREAL = re.compile(
    r"\b(?:if|unless|whether|suppose|supposing|imagine|pretend|hypothetically|would have|were to"
    r"|used to|let's say|say that|said|says|saying|told|tells|asks|asked (?:me|him|her|us|them|for)"
    r"|wrote|writes|according to|quote|when i was|the (?:word|phrase|term|sentence))\b"
)
_NO_LONGER = (  # of time, not of the length of an answer
    (
        re.compile(r"\bno longer\b(?! (?:than|answers?|repl|responses?|texts?|sentences?))"),
        "nolonger",
    ),
    (re.compile(r"\bany (?:longer|more)\b(?! (?:than|\w+s\b))"), "anymore"),
)
_WHEN_YOU = re.compile(r"^(?:it )?(?:when|if|how|that) you |^(?:for )?you to |^that you ")
_REASON = re.compile(r"\b(?:because|since|so that|so i|as i|as it|in order to)\b")
_JOINT = re.compile(r"\s*(,|;|:|\s[-\u2013\u2014]+\s|\b(?:and|or|but|yet)\b|&)\s*")
_TOKEN = re.compile(r"[\ue000-\uf8ff]|[\w'#+-]+")
_EXPANSIONS = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\b(?:can't|cannot|cant)\b", "can not"),
        (r"\b(?:don't|dont)\b", "do not"),
        (r"n't\b", " not"),
        (r"\bi'm\b", "i am"),
        (r"'re\b", " are"),
        (r"'d\b", " would"),
        (r"\b(it|that|this)'s\b", r"\1 is"),
        (r"\bnot ([\w\ue000-\uf8ff-]+) enough\b", r"more \1"),
        (r"\b(?:not enough|too (?:few|little)|(?:is |are )?missing|lacks?|needs)\b", "more"),
        (r"\btoo (?:many|much)\b", "less"),
        (r"\bno (?:more|need for)\b|\benough with\b", "no"),
        (r"\b(?:rather than|instead of)\b", "without"),
        (r",\s*please\b", " please"),
    )
)
_FILLER = re.compile(
    r"^(?:(?:please|pls|hi|hey|hello|ok|okay|thanks|thank you|well|honestly|actually|personally"
    r"|generally|usually|in general|overall|also|then|great|good|nice|fine|cool|yes|sorry|oh|again"
    r"|i (?:think|find|feel)(?: that)?|no$|next time|from now on|in (?:the )?future|as a rule"
    r"|for (?:the )?future|going forward|(?:at|in|on|for|during) (?:\w+ ){0,2}\w+(?= i\b))"
    r"(?:[\s!]+|$))+"
)
_KIND = re.compile(
    r"^(?:i|it|this|that|your|you|(?:the )?(?:answers?|replies|reply|response|explanation))\b"
)  # may precede an ask
_ASKED = re.compile(
    r"^(?:i (?:would )?(?:want|need|like|prefer|wish|expect)(?: for)? you (?:to|would|could)"
    r"|i wish you (?:would|could)|you (?:should|must|need to|could)) "
)
_ADVERB = (
    r"(?:(?:really|do|also|always|just|absolutely|truly|strongly|generally|usually|personally|much"
    r"|still|kind of|sort of|simply|particularly|especially|totally|very much|quite|rather|secretly"
    r"|now|deeply|dearly|genuinely) )*"
)
_FOND = r"(?:an? )?(?:big |huge )?(?:fan of|into|fond of|keen on)"
_STANCE = re.compile(
    rf"^i {_ADVERB}(?:"
    r"(?P<want>would (?:really )?(?:like|love|appreciate)|want|need)"
    rf"|(?P<unwanted>(?:do|would) not {_ADVERB}(?:want|need)|would rather not have)"
    r"|(?P<hate>hate|loathe|detest|despise|can not (?:stand|bear|tolerate)|am allergic to)"
    rf"|(?P<dislike>dislike|avoid|(?:do|would) not {_ADVERB}(?:like|enjoy|appreciate|care for|love)"
    rf"|am {_ADVERB}not {_ADVERB}{_FOND}|am (?:sick|tired) of)"
    r"|(?P<love>love|adore)"
    r"|(?P<prefer>(?:would )?(?:rather have|prefer|favou?r))"
    rf"|(?P<like>like|enjoy|appreciate|value|am {_ADVERB}{_FOND})"
    r") (?P<rest>.+)$"
)
_STANCES = {  # sign and strength, and whether the object may be an open topic
    "want": (_STRENGTH, False),
    "unwanted": (-_STRENGTH, False),
    "hate": (-1.0, True),
    "dislike": (-0.7, True),
    "love": (1.0, True),
    "prefer": (_STRENGTH, True),
    "like": (0.7, True),
}
_RATHER = re.compile(r" (?:over|without|more than|than) ")
_PREFERRED = re.compile(r" (?:over|without|more than|than|to) ")


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The words of a space: a pattern that finds them, and what each says."""

    pattern: re.Pattern[str]
    code: Mapping[str, str]  # term -> its character
    term: Mapping[str, tuple[str, str, float]]  # character -> term, dimension, sign


@dataclass(slots=True)
class _Reading:
    """What one sentence said so far."""

    values: dict[str, float] = field(default_factory=dict)
    torn: set[str] = field(default_factory=set)  # said both ways, about as strongly
    stance: tuple[float, bool] | None = None  # of the clause before, for "X and Y"
    asking: float | None = None  # the sign of the ask before, for "no X or Y"
    heard: bool = True  # False after a clause about somebody else

    def merge(self, found: Mapping[str, float]) -> None:
        for name, value in found.items():
            before = self.values.get(name, 0.0)
            if before * value < 0.0 and _EVEN < abs(before / value) < 1.0 / _EVEN:
                self.torn.add(name)
            if abs(value) >= abs(before):
                self.values[name] = value

    def settled(self) -> dict[str, float]:
        """Without what was said both ways."""
        return {name: value for name, value in self.values.items() if name not in self.torn}


def read_statement(space: PreferenceSpace, text: str) -> dict[str, float]:
    """What the writer says of their own preferences.

    Args:
        space: Its dimensions' ``words_low`` and ``words_high`` are the vocabulary.
        text: What a person wrote; read up to `LONGEST` characters.

    Returns:
        Dimension, or ``topic:`` and the topic in lower case -> wanted position in [-1, 1]; empty
        where the text states no preference of the writer.
    """
    lexicon = _lexicon(space)
    plain = text[:LONGEST].lower().replace("\u2019", "'")
    plain = re.sub("[\ue000-\uf8ff]", "", plain)
    plain = answered(_QUOTED.sub(" quoted ", plain))
    values: dict[str, float] = {}
    for each in _SENTENCE.findall(plain):
        sentence = without_scope(each.strip())
        if sentence and not (ironic(sentence) or foreign(sentence)):
            told = _told(lexicon, sentence)
            read = _read_sentence(lexicon, _coded(lexicon, sentence))
            torn = read.torn | {TOPIC + topic for topic in contradicted(sentence)}
            values.update(_beside(read.settled(), told, torn))
    return values


def _coded(lexicon: _Lexicon, sentence: str) -> str:
    """A sentence with terms as single characters, and other words in fewer forms."""
    for pattern, to in _NO_LONGER:
        sentence = pattern.sub(to, sentence)
    plain = lexicon.pattern.sub(lambda found: lexicon.code[found[0]], sentence)
    for pattern, to in _EXPANSIONS:
        plain = pattern.sub(to, plain)
    return plain


def _told(lexicon: _Lexicon, sentence: str) -> dict[str, float]:
    """What turns of phrase say: of dimensions where every word is understood, else of topics."""
    if sentence.endswith("?") or hearsay(sentence):
        return {}
    values: dict[str, float] = {}
    for stance in idioms(sentence):
        scan = _Scan(lexicon, _coded(lexicon, stance.topic), judging=True)
        found = {TOPIC + stance.topic: stance.value}
        if scan.understood:
            found = {name: stance.value * value for name, value in scan.values.items()}
        values = found | values
    return values


def _beside(
    read: Mapping[str, float], told: Mapping[str, float], torn: set[str]
) -> dict[str, float]:
    """What the grammar and idioms read, without what speaks both ways; the idiom's topics first."""
    both = torn | {name for name in told if told[name] * read.get(name, 0.0) < 0.0}
    words = {word for name in told for word in name.removeprefix(TOPIC).split()}
    kept = {n: v for n, v in read.items() if words.isdisjoint(n.removeprefix(TOPIC).split())}
    return {name: value for name, value in (kept | dict(told)).items() if name not in both}


@lru_cache(maxsize=8)
def _lexicon(space: PreferenceSpace) -> _Lexicon:
    entries = {
        word.lower(): (word.lower(), d.name, sign)
        for d in space.dimensions
        for words, sign in ((d.words_low, -1.0), (d.words_high, 1.0))
        for word in words
    }
    code = {word: chr(_FIRST_TERM + number) for number, word in enumerate(entries)}
    longest = sorted(map(re.escape, entries), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(longest) or '(?!)'})(?![\w-])")
    return _Lexicon(pattern, code, {code[word]: entry for word, entry in entries.items()})


def _read_sentence(lexicon: _Lexicon, sentence: str) -> _Reading:
    direct = _STANCE.match(_FILLER.sub("", sentence))
    liked_when = direct is not None and _WHEN_YOU.match(direct["rest"]) is not None
    if sentence.endswith("?") or (_UNREAL.search(sentence) and not liked_when):
        return _Reading()
    sentence = _REASON.split(sentence, maxsplit=1)[0].strip(" .!")
    reading, joint = _Reading(), ""
    for part, following in zip(*[iter([*_JOINT.split(sentence), ""])] * 2, strict=True):
        clause = _FILLER.sub("", part.strip()).strip(" .!")
        if clause:
            _read_clause(lexicon, reading, clause, continues=joint in (",", "and", "or", "&"))
        joint = following
    return reading


def _read_clause(lexicon: _Lexicon, reading: _Reading, clause: str, *, continues: bool) -> None:
    """Read one clause into ``reading``: a stance, an ask, or more of what came before."""
    if asked := _ASKED.match(clause):
        clause = clause[asked.end() :]
    elif found := _STANCE.match(clause):
        strength, open_topic = next(_STANCES[name] for name in _STANCES if found[name])
        reading.stance, reading.asking = (strength, open_topic), None
        than = _PREFERRED if found["prefer"] else _RATHER
        reading.merge(_object(lexicon, found["rest"], strength, open_topic=open_topic, than=than))
        return
    if not reading.heard:
        return
    if continues and reading.stance and not _Scan(lexicon, clause).asks:
        strength, open_topic = reading.stance
        open_topic = open_topic and len(clause.split()) <= 2  # longer, it is a sentence of its own
        reading.merge(_object(lexicon, clause, strength, open_topic=open_topic))
        return
    inherited = reading.asking if continues else None
    scan = _Scan(lexicon, clause, start=inherited or 1.0)
    if scan.understood and (scan.asks or scan.about_replies or inherited):
        reading.merge(scan.values)
        reading.stance, reading.asking = None, scan.sign
    else:
        reading.heard = bool(_KIND.match(clause))
        reading.stance = reading.asking = None


def _object(
    lexicon: _Lexicon,
    rest: str,
    strength: float,
    *,
    open_topic: bool,
    than: re.Pattern[str] = _RATHER,
) -> dict[str, float]:
    """What a stance is about: dimensions if every word is understood, else a topic."""
    if told := _WHEN_YOU.match(rest):
        rest, open_topic = rest[told.end() :], False
    values: dict[str, float] = {}
    for part, share in zip(than.split(rest, maxsplit=1), (1.0, -0.5), strict=False):
        scan = _Scan(lexicon, part, judging=True)
        if scan.understood:
            found = {name: share * strength * value for name, value in scan.values.items()}
        elif open_topic and (topic := _topic(lexicon, part)):
            found = {topic: share * strength}
        else:
            return {}
        values = found | values  # what is preferred wins over what it is preferred to
    return values


def _topic(lexicon: _Lexicon, phrase: str) -> str:
    """``topic:`` and the phrase without its determiners; "" where it names nothing."""
    spelt = "".join(lexicon.term[c][0] if c in lexicon.term else c for c in phrase)
    words = _TAIL.sub("", " ".join(re.findall(r"[\w'#+-]+", spelt))).split()
    while words and words[0] in _DETERMINERS:
        words = words[1:]
    if not 1 <= len(words) <= 5 or _PRONOUNS.intersection(words):
        return ""
    if words[0] in ("how", "when", "what", "where", "who", "being", "that", "not", "about"):
        return ""
    return TOPIC + " ".join(words)


class _Scan:
    """One clause, word by word.

    Attributes:
        values: Dimension -> position in [-1, 1].
        understood: Every word is known, and one of them is a term.
        asks: There is a verb, a modifier, a comparative or a "please": somebody wants something.
        about_replies: There is a word for an answer.
        sign: The last direction, for a list that goes on.
    """

    def __init__(
        self, lexicon: _Lexicon, clause: str, *, start: float = 1.0, judging: bool = False
    ) -> None:
        words = _TOKEN.findall(clause)
        self.values: dict[str, float] = {}
        self.sign = start
        self.asks = self.about_replies = False
        self._share = 1.0
        self._too = self._denied = False
        self._judging = judging
        known = True
        for word in words:
            if word in lexicon.term:
                self._term(*lexicon.term[word])
            else:
                known = self._word(word) and known
        declares = bool(_COPULA.intersection(words)) and not (self._too or judging)
        declares = declares and not (_MORE | _LESS).intersection(words)
        self.understood = known and bool(self.values) and not declares

    def _term(self, term: str, dimension: str, direction: float) -> None:
        self.asks |= term.endswith("er") and " " not in term
        sign = self.sign
        if self._too and not self._denied and not self._judging:
            sign = -sign
        share = 0.5 if self._too and self._denied else self._share
        strength = 1.0 if self._judging else _STRENGTH
        self.values[dimension] = max(-1.0, min(1.0, sign * direction * strength * share))

    def _word(self, word: str) -> bool:
        """Take a word in; False where it is not known."""
        if word in _MORE or word in _LESS or word in _NONE:
            self.sign = 1.0 if word in _MORE else -1.0
            self._denied = word in _NONE
            self._share = 1.25 if self._denied else 1.0
            self.asks = True
        elif word in _TOO:
            self._too = self.asks = True
        elif word in _SOFT:
            self._share = 0.5
        elif word in _HARD:
            self._share = 1.25
        elif word in _REPLY:
            self.about_replies = True
        elif word in _VERBS or word in ("please", "pls"):
            self.asks = True
        else:
            return word in _GLUE or word in _COPULA
        return True
