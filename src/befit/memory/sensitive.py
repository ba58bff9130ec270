"""Finds what the law calls special categories: health, belief, politics, origin, union, sex, genes.

What a value on a dimension shows is marked in its space (`memory.spaces.special`). What a text
reveals of the one who writes it is found by words of our own, in English. A strong term speaks
for itself ("my chemotherapy"); a weak one only where the writer says it of themselves ("I am a
Buddhist", not "a Buddhist temple"). It errs towards finding: what is found is asked about, not
lost. It does not read other languages, and what is said between the lines.

Source: Regulation (EU) 2016/679, article 9(1), for the categories.
"""

import re

from befit.core.preference import TOPIC, Evidence
from befit.memory.spaces import CATEGORIES, marked

_SELF = (
    r"\b(?:i am|i'm|im|i was (?:raised|born|brought up)(?: as)?|i identify as|i consider myself"
    r"|i became|as an?|being|we are|we're|my (?:family|parents|wife|husband|partner) (?:is|are))"
    r"(?:\s+(?:an?|the|very|quite|pretty|deeply|strictly|openly|proudly|a bit|also|not|no longer"
    r"|practi[cs]ing|devout|raised|born|of|half|part|member))*\s+"
)
_STRONG = {
    "health": r"\b(?:my|i)\b[^.!?\n]{0,40}?\b(?:diagnos(?:is|ed)|depress(?:ion|ed)|anxiety disorder"
    r"|bipolar|adhd|autis(?:m|tic)|diabet(?:es|ic)|cancer|tumou?r|hiv|aids|epileps?(?:y|tic)"
    r"|asthma|arthritis|migraines?|chemo(?:therapy)?|dialysis|miscarriage|abortion|pregnan(?:t|cy)"
    r"|disab(?:led|ility)|wheelchair|medications?|antidepressants?|insulin|therapist|psychiatrist"
    r"|rehab|addict(?:ed|ion)|eating disorder|anorexi[ac]|bulimi[ac]|dementia|stroke"
    r"|heart (?:disease|attack|condition)|blood pressure|allerg(?:y|ies|ic)|c(?:o|e)eliac|surgery"
    r"|symptoms|suicidal|panic attacks?|ptsd|insomnia|infertil(?:e|ity)|ivf)\b",
    "belief": r"\b(?:my|our)\s+(?:faith|religion|church|mosque|synagogue|temple|parish|rabbi|imam"
    r"|priest|pastor|prayers?)\b|\bi\s+(?:pray|worship|believe in (?:god|allah|jesus)"
    r"|converted to|don't believe in (?:god|allah|jesus))\b",
    "politics": r"\bi\s+(?:\w+\s+)?(?:vote|voted|campaign(?:ed)?|donated)\s+(?:for|to)\b"
    r"|\bmy (?:political|party) (?:views?|membership|affiliation|beliefs)\b"
    r"|\b(?:i am|i'm) (?:a )?(?:member of the [\w ]{0,30}party)\b",
    "origin": r"\bmy (?:race|ethnicity|ethnic (?:origin|background)|skin colou?r|tribe|caste)\b",
    "union": r"\bmy (?:trade |labou?r )?union\b|\bi\b[^.!?\n]{0,30}?\b(?:trade|labou?r) union\b"
    r"|\bi(?:'m| am) (?:a )?(?:shop steward|union (?:member|rep(?:resentative)?))\b",
    "sexuality": r"\bmy (?:sex(?:ual)? (?:life|orientation|preferences?)|coming out|gender identity"
    r"|transition)\b|\bi (?:came out|have sex|sleep with)\b|\bi(?:'m| am) attracted to\b",
    "genetics": r"\bmy (?:dna|genome|genes|genetic \w+|fingerprints?|iris scan|faceprint"
    r"|brca\d? \w+)\b",
}
_WEAK = {
    "health": r"(?:blind|deaf|sick|ill|sober|infertile|overweight|obese|an alcoholic|alcoholic"
    r"|neurodivergent|immunocompromised|hard of hearing)",
    "belief": r"(?:christian|catholic|protestant|orthodox|baptist|mormon|muslim|moslem|jew(?:ish)?"
    r"|hindu|buddhist|sikh|atheist|agnostic|religious|evangelical|quaker|pagan|jain|taoist)s?",
    "politics": r"(?:republican|democrat|conservative|socialist|communist|anarchist|libertarian"
    r"|leftist|marxist|nationalist|tory|labour|right[- ]wing|left[- ]wing|green party)s?",
    "origin": r"(?:black|white|asian|african(?:[- ]american)?|hispanic|latin[aox]|indigenous|roma"
    r"|arab|native american|mixed[- ]race|biracial|kurdish|romani|aboriginal|maori)s?",
    "sexuality": r"(?:gay|lesbian|bisexual|bi|straight|heterosexual|homosexual|queer|asexual"
    r"|pansexual|transgender|trans|nonbinary|non-binary|polyamorous|celibate)",
}
_PATTERNS = tuple(
    (
        category,
        re.compile(
            "|".join(
                [f"(?:{_STRONG[category]})"]
                + ([rf"{_SELF}{_WEAK[category]}\b"] if category in _WEAK else [])
            ),
            re.IGNORECASE,
        ),
    )
    for category in CATEGORIES
)


def categories(text: str) -> frozenset[str]:
    """Which of `CATEGORIES` the text reveals of its writer."""
    plain = text.replace("\u2019", "'")
    return frozenset(category for category, pattern in _PATTERNS if pattern.search(plain))


def revealed(evidence: Evidence) -> frozenset[str]:
    """What a piece of evidence reveals: its text, what was asked, and where it places the person.

    Dimensions tell by the mark of their space, open topics by their words.
    """
    asked = [each.prompt for each in (evidence.pair, evidence.graded) if each is not None]
    topics = [f"my {name.removeprefix(TOPIC)}" for name in evidence.values if TOPIC in name]
    found = (categories(text) for text in (evidence.text, *asked, *topics) if text)
    special = marked()
    placed = (special[name] for name in evidence.values if name in special)
    return frozenset().union(*found, placed)
