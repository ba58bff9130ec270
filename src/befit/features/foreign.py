r"""Tells a person's own words from the words of others that stand in the same message.

People paste mail, pages, chats, code and tool output into what they write. Whatever stands there
was written by somebody else and says nothing of the person. It is told by how it is set off:
quotation marks, fences, markup, the heads and marks of quoted mail, lines of a transcript, and
whatever follows a request about a text ("Summarise this:"). Where the end of a pasted text does not
show, all that follows counts as pasted: own words behind it are lost, which is the smaller harm. It
goes by form, in English, German, French and Spanish; words that are slipped in without any mark
look like the person's own.
"""

import re
import unicodedata
from html import unescape

LONGEST = 20_000  # characters looked at; what stands behind them counts as pasted

_NOUN = (
    r"(?:e-?mails?|mails?|messages?|letters?|articles?|pages?|web ?sites?|web ?pages?|posts?"
    r"|tweets?|comments?|reviews?|recipes?|documents?|docs?|texts?|transcripts?|outputs?"
    r"|results?|logs?"
    r"|readme|tickets?|reports?|notes?|paragraphs?|passages?|poems?|lyrics|quotes?|story|essay"
    r"|draft|code"
    r"|snippet|file|pdf|dialogues?|scene|phrase|sentence|template|verse|speech|caption|script"
    r"|satz|spruch|dialog|phrase|dialogue|frase|di[aá]logo|chat|conversation|thread|newsletter"
    r"|contract|descriptions?|abstract|summary"
    r"|nachricht(?:en)?|brief|artikel|seite|beitrag|kommentar|rezept|dokument|absatz|ausgabe"
    r"|courriel|lettre|texte|avis|recette|commentaire|sortie|résultat"
    r"|correo|mensaje|carta|artículo|página|texto|reseña|receta|documento|salida|resultado)"
)
_TASK = (
    r"(?:summari[sz]e|store|save|memori[sz]e|improve|cite|translate|proofread|rewrite|rephrase"
    r"|paraphrase|explain|review|check|correct"
    r"|edit|shorten|analy[sz]e|classify|reply to|answer|respond to|look at|read|fix|format"
    r"|(?:here|this|that|below|following) (?:is|are|was|comes)|here's|that's what"
    r"|i (?:got|received|found)|fasse|übersetze|korrigiere|lies|prüfe|hier ist|das steht|beantworte"
    r"|résume|traduis|corrige|lis|voici|voilà|réponds"
    r"|resume|traduce|corrige|lee|aquí está|responde)"
)
_THIS = (
    r"(?:this|that|these|it|following|below|dies(?:e[nrs]?)?|folgend(?:e[nrs]?)?|ceci|cela"
    r"|suivante?"
    r"|esto|este|siguiente)"
)
_SAYS = (
    r"(?:said|says|wrote|writes|shouts|shouted|sings|sang|cries|told me|replied|answered|posted"
    r"|states|stated|reads"
    r"|sagte|sagt|schrieb|schreibt|steht|meinte|dit|a dit|écrit|a écrit|dijo|dice|escribió|escribe)"
)
_FIRST = r"(?:i|my|we|ich|mein|wir|j|je|mon|nous|yo|me|mi|nos)"
#: What is one's own and does not speak: "I've changed my mind: ...", "My diet: ...".
_ONES_OWN = (
    r"(?:preference|taste|wish|rule|style|view|opinion|favou?rite|answer|point|choice|mind|take"
    r"|stance|position|attitude|feeling|verdict|conclusion|guess|problem|request|need|condition"
    r"|requirement|policy|principle|limit|goal|hope|plan|confession|weakness|passion|hobby|diet"
    r"|allerg|habit|update|news|correction|change|feedback|concern|reason|thing|two cents|heart"
    r"|life|work|day|week|budget|situation|background)"
)
#: Whoever speaks behind a colon is not the writer.
_THEIRS = (
    r"(?:(?:his|her|their|somebody|someone|everybody|everyone|people|he|she|they|quote|words"
    r"|joke|goes"
    r"|claims?|insists|thinks|adds|motto|slogan|advert|sign|banner|lyrics|review|caption|profile"
    r"|sein|ihr|er|sie|jemand|zitat|witz|son|sa|il|elle|quelqu'un|citation|su|él|ella|alguien"
    r"|cita)\b"
    r"|my (?!" + _ONES_OWN + r")\w"
    r"|[\u0370-\u03ff\u0400-\u04ff\u0590-\u06ff\u3040-\u30ff\u4e00-\u9fff])"
)
#: From the match to the end of the text.
_TO_END = re.compile(
    r"^[ \t]*-{2,}[ ]?(?:original message|forwarded message|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|message d'origine|message transféré"
    r"|mensaje (?:original|reenviado))"
    r"|^[ \t]*begin forwarded message"
    r"|^[ \t]*(?:from|to|subject|sent|date|cc|reply-to|von|an|betreff|gesendet|de|à|objet|envoyé"
    r"|para|asunto|enviado)[ ]?:[ \t]*\S[^\n]*\n[ \t]*(?:from|to|subject|sent|date|cc|von|an"
    r"|betreff|gesendet|de|à|objet|envoyé|para|asunto|enviado)[ ]?:"
    r"|^[ \t]*(?:on|am|le|el)\b[^\n]{6,120}\b(?:wrote|schrieb|a écrit|escribió)"
    r"[ ]?[^\n]{0,60}:[ \t]*$"
    rf"|^[^\n.!?]{{0,80}}\b{_TASK}\b[^\n.!?]{{0,120}}:(?=[ \t]*\n)"
    rf"|^[^\n.!?]{{0,80}}\b{_TASK}\b[^\n.!?]{{0,60}}\b(?:{_THIS}|{_NOUN})\b[^\n.!?]{{0,60}}:(?=\s)"
    rf"|(?:^|(?<=[.!?\n] ))[^\n.!?]{{0,80}}\b{_NOUN}\b[^\n.!?]{{0,60}}:[ \t]*(?=\n)"
    rf"|^[^\n.!?]{{0,120}}\b{_SAYS}(?: \w+){{0,2}}[ ]?:[ \t]*(?=\n)"
    r"|^[ \t]*(?:fwd?|wg|tr|rv|rt|re)(?::|[ ]@)|^[ \t]*(?:dear|liebe[r]?|cher|chère"
    r"|querid[oa]) [^\n]{1,40},"
    r"|^[ \t]*\d{1,2}:\d{2}:\d{2}[,.]\d+ -->"
    rf"|^[^\n.!?]{{0,60}}\b{_NOUN} (?:below|above|follows|folgt|unten|suit|abajo)\b[^\n]{{0,20}}$"
    r"|^[ \t]*(?:subject|betreff|objet|asunto)[ ]?:|^[ \t]*\$ \w|\{%|^[ \t]*\[\d{1,3}\]"
    r"|^[ \t]*(?:\{\s*\"|\[\s*\{\s*\")"
    r"|^[ \t]*(?:tool|function|search|system|assistant|api|web ?search|browser|observation"
    r"|context|retrieved|document|memory|assistant note)[ _]?(?:results?|output|response|message"
    r"|prompt|note|content|call|update)?[ \t]*[:=>]",
    re.IGNORECASE | re.MULTILINE,
)
#: The match alone.
_SPANS = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`|<!--.*?(?:-->|\Z)"
    r"|<(?P<tag>[a-z][\w-]{0,30})(?:\s[^<>]{0,400})?>.*?(?:</(?P=tag)>|\Z)|<[^<>\n]{1,400}/?>"
    r"|\[(?P<bb>quote|code|cite)[^\]\n]{0,80}\].*?(?:\[/(?P=bb)\]|\Z)"
    r"|^[ \t]*(?:>|\|)[^\n]*"
    rf"|\b{_SAYS}(?: \w+){{0,2}}[ ]?[:,](?![ \t]*\n)[^\n]*"
    r"|!\[[^\]\n]*\]\([^)\n]*\)"
    rf"|(?:^|(?<=[.!?] ))(?=[^\n:]{{0,120}}\b{_THEIRS})[^\n.!?:]{{2,120}}:"
    rf"[ \t]*(?={_FIRST}\b)[^\n]*"
    rf"|(?:^|(?<=[.!?] ))[^.!?\n]{{0,200}}\b(?:it|he|she|they|sie|er|il|elle) {_SAYS}\b[^.!?\n]*"
    rf"|\b(?:shouts|shouted|sings|sang|cries) [^\n]*"
    # lines of programs, reviews and signed notes
    r"|^[ \t]*(?:select|insert|update|delete|def|class|return|import|print|function|var|let|const"
    r"|#include|//|/\*|#!)\b[^\n]*[;:(){}=][^\n]*|^[^\n]*[;{}][ \t]*(?:--[^\n]*)?$|^[ \t]*[#][^\n]*"
    r"|^[ \t]*[\u2605\u2606\u2b50][^\n]*",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_PAIRS = (
    ("\u201c", "\u201d"), ("\u00ab", "\u00bb"), ("\u00bb", "\u00ab"), ("\u300c", "\u300d"),
    ("\u300e", "\u300f"), ("\u2039", "\u203a"), ("\u201a", "\u2018"),
)  # fmt: skip
_QUOTES = re.compile(
    "\"[^\"]*\"|\u201e[^\u201c\u201d]*(?:[\u201c\u201d]|\\Z)|(?<!\\w)'[^'\n]{2,}'(?!\\w)|"
    "\u2018[^\u2018\n]*?\u2019(?!\\w)|" + "|".join(f"{a}[^{b}]*(?:{b}|\\Z)" for a, b in _PAIRS)
)
_SPEAKER = re.compile(
    r"^[ \t]*(?:\[?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: ?[ap]m)?\]?[ \t,-]*)?"
    r"(?P<who>[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){0,2})"
    r"(?: \([^)\n]{1,30}\))?[ ]?[:>][ \t]+\S.*$",
    re.MULTILINE,
)
_ROLES = frozenset((
    "mom", "mum", "dad", "boss", "manager", "wife", "husband", "friend", "colleague", "user",
    "human", "admin", "bot", "agent", "teacher", "doctor", "chef", "mutter", "vater", "chefin",
    "freund", "maman", "papa", "patron", "mamá", "papá", "jefe",
))  # fmt: skip
_MYSELF = frozenset((
    "me", "i", "ich", "moi", "je", "yo", "ps", "p.s", "note", "edit", "update", "tldr",
))  # fmt: skip
_SIGNED = re.compile(
    r"^[ \t]*(?:(?:best|kind|warm)(?: regards| wishes)?|regards|yours(?: \w+)?|sincerely|cheers"
    r"|love"
    r"|sent from my|(?:viele|beste|liebe|freundliche) grüße|mit freundlichen grüßen|cordialement"
    r"|bien à toi|amicalement|saludos|atentamente|un abrazo)\b"
    r"[^\n]{0,20},?[ \t]*$(?:\n[^\n]{0,40}$)?",
    re.IGNORECASE | re.MULTILINE,
)
#: A line that asks about something which stands beside it.
_ABOUT = re.compile(
    r"^(?=[^\n]*\?[ \t]*$)[^\n]*\b(?:this|that|these|those|it|its|he|she|him|her|his|they|them"
    r"|chapter"
    rf"|{_NOUN}|das|dies|er|ihm|ça|cela|il|elle|lui|esto|eso|él|ella|le)\b"
    rf"|^[ \t]*(?:please |can you |could you |bitte )?\b{_TASK}\b[^\n]*\b(?:{_THIS}|{_NOUN}"
    rf"|subtitles?)\b",
    re.IGNORECASE,
)
#: A sentence that asks for work on a text, or about one.
_ON_TEXT = re.compile(
    rf"^(?:please |can you |could you |bitte )?\b{_TASK}\b[^\n]*\b{_NOUN}\b"
    rf"|^(?=[^\n]*\?[ ]*$)[^\n]*\b(?:this|that|the|my|cette|diese[rs]?|esta) (?:\w+ )?{_NOUN}\b"
    r"|^who (?:said|wrote|sang) (?:this|that|it)\b",
    re.IGNORECASE,
)
_TITLE = 4  # words of a quotation from which it is no title or single word any more
_THIRD = re.compile(
    r"^(?:remember (?:that )?|note (?:that )?|fyi |important )?[:,]?\s*"
    r"(?:the|this|dieser?|der|l'|el|la|cet|este)?\s*"
    r"(?:user|customer|account holder|nutzer(?:in)?|benutzer(?:in)?|kunde|utilisateur|client"
    r"|usuario|cliente)(?:'s)?\s+\w",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:(?<=[.!?\u2026\u3002])|(?<=[.!?][)\"']))\s+|\n+")


def own_part(text: str) -> str:
    """What of a text its sender wrote; the text itself where nothing else is in it.

    Args:
        text: A message as it was sent.

    Returns:
        The rest once the words of others are taken out; "" where nothing is left.
    """
    plain = unescape(text[:LONGEST]).replace("\r\n", "\n")
    rest = _SPANS.sub(" \n", plain)
    rest = _QUOTES.sub(lambda found: " " if _is_speech(found[0]) else found[0], rest)
    cut = _TO_END.search(rest)
    rest = _without_speakers(_unsigned(rest[: cut.start()] if cut else rest))
    if not cut:  # where the pasted part begins is known else
        rest = _without_what_is_asked_about(rest)
    if rest == plain and len(text) <= LONGEST:
        return text
    short = (" ".join(line.split()) for line in rest.split("\n"))
    return "\n".join(line for line in short if re.search(r"\w", line))


def third_person(text: str) -> bool:
    """Whether a text speaks of "the user", as notes on people do and people themselves do not."""
    return any(_THIRD.match(each.strip()) for each in _SENTENCE.split(text))


def mixed_scripts(text: str) -> bool:
    """Whether a word mixes letters that look alike of different alphabets, as disguises do."""
    if text.isascii():
        return False
    return any(len(_scripts(word)) > 1 for word in re.findall(r"[^\W\d_]+", text))


def _scripts(word: str) -> set[str]:
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
    return names & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}


def _is_speech(quoted: str) -> bool:
    """Whether a quotation is of a sentence, and not of a title or a word."""
    return len(quoted.split()) >= _TITLE or (
        len(quoted) > 1 and quoted.rstrip("\"'\u201d\u00bb")[-1:] in ".!?"
    )


def _unsigned(text: str) -> str:
    """The text without the letter in it, which ends with a name."""
    signed = _SIGNED.search(text)
    return text[signed.end() :] if signed else text


def _without_what_is_asked_about(text: str) -> str:
    """The text without what stands beside a question about it, or a request to work on it."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and any(map(_ABOUT.search, lines)):
        text = "\n".join(line for line in lines if _ABOUT.search(line))
    parts = [part.strip() for part in _SENTENCE.split(text)]
    if any(map(_ON_TEXT.search, parts)):
        text = "\n".join(part for part in parts if _ON_TEXT.search(part))
    return text


def _without_speakers(text: str) -> str:
    """The text without the lines of a transcript but the writer's own."""
    every = list(_SPEAKER.finditer(text))
    found = [match for match in every if match["who"].casefold() not in _MYSELF]
    found = every if found and len(every) > 1 else found
    named = [match for match in found if _ROLES.intersection(match["who"].casefold().split())]
    for match in reversed(found if len(found) > 1 else named):
        text = text[: match.start()] + text[match.end() :]
    return text
