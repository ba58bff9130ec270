"""Marks on the surface of a sentence that tell an own preference from a mention of one.

Counts of English cues: who is the subject, is it quoted, asked, imagined, past, tied to one day or
to a habit, and which words of liking there are. They decide nothing; the head of
``features.statement_head`` weighs them.
"""

import re

import numpy as np
from numpy.typing import NDArray

_LIKE = (
    r"like|love|adore|enjoy|prefer|favou?r|appreciate|value|cherish|fancy|crave|treasure|thrive"
    r"|insist|opt|lean|tend|stick|choose|gravitate|care|believe|rate|trust|swear"
)
_LOATHE = (
    r"hate|dislike|loathe|detest|despise|avoid|dread|refuse|shun|skip|resent|fear|abhor|distrust"
    r"|struggle|steer clear|stay away|shy away"
)
_OTHERS = (
    r"he|she|they|you|people|everyone|everybody|somebody|someone|nobody|users?|customers?|guests?"
    r"|students|children|kids|readers|many|most|some|others|teenagers|cats|dogs|investors|clients?"
    r"|tom|anna|grandma"
)
_KIN = (
    r"(?:sister|brother|husband|wife|partner|boss|manager|mother|father|mum|mom|dad|parents|aunt"
    r"|uncle|son|daughter|kids|children|friends?|best friend|flatmate|roommate|neighbou?rs?|doctor"
    r"|grandfather|grandmother|grandma|grandpa|team|colleagues?|teacher|cat|dog|clients?|customers?"
    r"|students?|boyfriend|girlfriend|cousin|family|spouse|in-laws|coach)"
)
_PREDICATES = (
    r"(?:bore|annoy|scare|relax|irritate|stress|calm|excite|drain|tire|fascinate|frustrate|disgust"
    r"|bother|upset|delight|move|distract|overwhelm|exhaust|suit|soothe|energi[sz]e|inspire"
    r"|motivate|frighten|terrify|depress|put|turn|drive|make|leave|keep|help|give|gross)(?:s|es)?"
)

_PATTERNS: dict[str, str] = {
    "i_first": r"^(?:\w+,? ){0,2}i(?:'m|'ve|'d|'ll)?\b",
    "i_any": r"\bi\b|\bi'",
    "me": r"\b(?:me|my|mine|myself)\b",
    "likes": rf"\bi (?:\w+ ){{0,3}}(?:{_LIKE})\b",
    "loathes": rf"\bi (?:\w+ ){{0,3}}(?:{_LOATHE})\b",
    "cannot": r"\bi (?:can ?not|can't|couldn't|could not|won't|will not|wouldn't|don't|do not) "
    r"(?:\w+ )?(?:stand|bear|live|do without|tolerate|handle|get enough|care|like|enjoy|eat|drink"
    r"|want to|use|trust|do well|touch|read|watch|visit|wear|stomach)\b",
    "feels": r"\bi(?: am|'m) (?:\w+ ){0,3}(?:fan|into|keen|fond|allergic|tired|sick|crazy|mad"
    r"|passionate|fascinated|drawn|afraid|scared|terrified|picky|wary|uncomfortable|addicted|averse"
    r"|intolerant|sensitive|sucker|partial|person|strict|happiest|particular|loyal|devoted|adamant"
    r"|hesitant|opposed|committed|conscious|skeptical|sceptical|obsessed|enthusiast|hooked"
    r"|against)",
    "identity": r"\bi(?: am|'m) (?:an? |strictly |mostly )*(?:vegan|vegetarian|introvert|extrovert"
    r"|night owl|early bird|pescatarian|minimalist|homebody|teetotal\w*|celiac|coeliac|bookworm)",
    "has": r"\bi(?: have|'ve)(?: got)? (?:an? |zero |no |little |strong |deep |severe |such a )*"
    r"(?:aversion|preference|weakness|soft spot|interest|patience|time for|allergy|phobia|fear"
    r"|passion|intolerance|dislike|love|thing for|distaste|sweet tooth|sensitivity|inclination)",
    "become": r"\bi(?: have|'ve) (?:always|never|grown|fallen|had enough|sworn|come to|learned to)",
    "noun": r"\bmy (?:\w+ )?(?:favou?rites?|preference|go-to|ideal|idea of|pet peeve|thing|passion"
    r"|taste|cup of tea|therapy|nightmare|top priority|priority|hobby|jam|guilty pleasure|comfort)",
    "moves_me": rf"\b{_PREDICATES} (?:me|my)\b",
    "for_me": r"\b(?:for me|to me|with me|suits? me|not for me|if you ask me|as far as i)\b",
    "nothing": (
        r"\b(?:nothing (?:beats|i|makes)|there is nothing|any day|must for me|deal ?breaker)\b"
    ),
    "habit": (
        r"\b(?:always|never|usually|only|generally|as a rule|rather|tend to|every time|ever)\b"
    ),
    "from_now": r"\b(?:from now on|in future|in the future|going forward|no more|stop|at all times"
    r"|remember that|keep in mind|just so you know|for the record|by the way|one thing about me)\b",
    "no_longer": r"\b(?:no longer|these days|nowadays|lately|now)\b",
    "replies": r"\b(?:answers?|repl(?:y|ies)|responses?|explanations?|explain|jargon|emoji|words"
    r"|suggest|recommend|call me)\b",
    "others": rf"^(?:\w+,? )?(?:{_OTHERS})\b",
    "kin": rf"\b(?:my|our|his|her|their|the) (?:\w+ )?{_KIN}\b",
    "kin_first": rf"^(?:my|our|his|her|their|the) (?:\w+ )?{_KIN}\b",
    "his": r"\b(?:he|she|his|her|him|they|their)\b",
    "quoted": r"\bquoted\b|\"",
    "said": r"\b(?:said|says?|told|tells?|wrote|writes|replied|claims?|claimed|mentioned|whispered"
    r"|muttered|according to|reads|begins with|lyrics|slogan|song|message was|translate|rewrite"
    r"|correct my|repeating|the line|motto|the survey|in the novel|the character|review)\b",
    "question": r"\?",
    "wh": r"^(?:do|does|did|is|are|am|was|can|could|would|will|should|have|has|who|what|when|where"
    r"|why|how|which|any)\b",
    "unreal": r"\b(?:if i|suppose|imagine|pretend|let's say|assume|what if|might|maybe|perhaps|were"
    r" i|had i|would have|could see|wonder|not sure|don't know|do not know|whether|say i|play an?"
    r"|act as|sake of argument|scenario|if somebody|if someone|unless|one day|some day)\b",
    "past": r"\b(?:used to|when i was|back then|years ago|once|formerly"
    r"|as an? (?:kid|child|student|teen\w*|boy|girl|toddler)"
    r"|growing up|my younger|at the time|in my twenties|long ago|until i|last (?:year|summer))\b",
    "past_i": r"\bi (?:loved|hated|liked|enjoyed|preferred|disliked|adored|avoided|was|had|went"
    r"|bought|took|tried|met|read|watched|cooked|ordered|finished|stopped)\b",
    "dated": r"\b(?:today|tonight|yesterday|tomorrow|last night|this (?:morning|evening|week"
    r"|weekend"
    r"|year|summer)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|at noon|by noon|right now|for two"
    r" nights|in (?:may|june|july|spring)|at six|next week)\b",
    "wants": r"\bi(?: want|'d (?:like|love)| would (?:like|love|appreciate)| need|'m looking for"
    r"|'m planning)\b",
    "asks": r"^(?:please |can you |could you )?(?:write|make|show|give|find|book|send|tell|list"
    r"|summari[sz]e|translate|compare|explain|help|recommend|suggest|plan|rewrite|create|draft)\b",
    "please": r"\bplease\b",
    "irony": r"\b(?:oh (?:sure|joy|great)|yeah right|of course|obviously|lol|haha|ha ha"
    r"|kidding|said"
    r" nobody|just what i|not\.$|wow|really made my day|am i right|sure, because|totally|fantastic"
    r"|hours|simply adore|just (?:love|adore)|right\?|great, i)\b",
    "matter": r"^(?:the|there|a|an|it|this|that|[a-z]+s|preferences?|love|hate|paris) .*\b(?:is|are"
    r"|was|were|can be|has|have|did|fell|explains|covers|asks|takes)\b",
    "changed": r"\b(?:gone (?:right )?off|went off|come (?:round|around) to|gr(?:own|ew) on me"
    r"|won me over"
    r"|turns out i|changed my mind|not any (?:more|longer)|no longer|any ?more|have (?:lost|had)"
    r"|'ve (?:lost|had)|given up|used to .*\b(?:but|now|these days))\b",
    "this_one": r"\b(?:this|that|today|the (?:first|second|third|last|next|new|old)|your|you)\b",
    "idiom": r"\b(?:count me|fed up|soft spot|cup of tea|up my (?:street|alley)"
    r"|do(?:es)? nothing for me|lost on me|grow on me|leave .* out|keep .* away|spare me|no thanks"
    r"|yes,? please|not for me|fan of|big on|over .* any day|could (?:do|live) without"
    r"|deal[- ]?breaker)\b",
    "seeks": r"\bi(?:'m| am|'ve been| have been) (?:now )?(?:looking (?:for|to)|going (?:on|to)"
    r"|planning|hosting|visiting|trying to|searching|thinking (?:of|about)|considering|moving"
    r"|interested in|in the market|shopping|after|organi[sz]ing|new to|wanting)\b|\bi'll be\b",
    "your": r"\b(?:your|that (?:he|she|they|the)|you again|you,"
    r"|you (?:gave|sent|made|said|did|wore|wrote))\b",
    "but_i": r"\b(?:but|yet|and|unlike \w+ \w+|,) (?:now )?i (?!want|need)\w+",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|(?<!\w)'[^'\n]{2,}'(?!\w)")

#: Names of the cues, in the order of `cue_vector`.
CUES: tuple[str, ...] = (*_PATTERNS, "words", "i_present")


def plain(sentence: str) -> str:
    """Lower case, straight apostrophes, and what is quoted replaced by a word."""
    lower = sentence.lower().replace("\u2019", "'").strip()
    whole = re.fullmatch(r"[\"\u201c]([^\"\u201c\u201d]*)[\"\u201d]", lower)
    return _QUOTED.sub("quoted", whole[1] if whole else lower)


def cue_vector(sentence: str) -> NDArray[np.float64]:
    """Which cues one sentence has, shape (len(CUES),): 1 or 0, and its length from 0 to 1."""
    text = plain(sentence)
    found = [float(pattern.search(text) is not None) for pattern in _COMPILED.values()]
    marks = dict(zip(_PATTERNS, found, strict=True))
    stance = max(marks["likes"], marks["loathes"], marks["cannot"], marks["feels"], marks["has"])
    shadow = max(marks[name] for name in ("unreal", "past", "question", "said", "irony", "dated"))
    return np.array([*found, min(1.0, len(text.split()) / 30.0), stance * (1.0 - shadow)])
