"""Which part of life a sentence speaks of: "at work", "with my kids", "on weekends".

A short English lexicon of places, times and company. It reads a phrase only where it sets the scene
("At work, give figures", "keep it short in meetings"), not where it is the matter ("I like working
at home", "my work"). What it does not know names no scope, and then a belief holds everywhere.
Places come before company: "at work with clients" is ``work/with:clients``.
"""

import re

_MY = r"(?:(?:my|our|the|a|an|all|other) )?"
_AM = r"(?:when|whenever|while|as long as) (?:i am |i'm |we are |we're )?(?:here )?"
_PLACES: dict[str, str] = {
    "work/mail": r"(?:in|for) (?:my )?(?:work|business|office|professional) (?:e-?mails?|mail)",
    "work/meetings": r"(?:in|during|for) (?:my |our |team |work |business )*meetings",
    "work": rf"(?:at|for|during|on) (?:my )?(?:work|job|day job|office hours|business hours)"
    rf"|(?:at|in) {_MY}(?:office|workplace|lab|shop)|on the job|(?:in|during) working hours"
    rf"|(?:in|for) (?:professional|business|work) (?:matters|contexts?|settings|writing|documents)"
    rf"|professionally|{_AM}(?:working|on duty|on the clock)",
    "home": r"(?:at|around) (?:home|the house)|in my (?:home|private life|house)|privately"
    r"|after (?:work|hours)|in my (?:free|spare) time|off (?:work|duty)",
    "school": rf"(?:at|for) (?:school|university|college|uni)|(?:in|for) (?:my )?(?:class|classes"
    rf"|studies|homework|courses?|exams?)|{_AM}studying",
    "travel": rf"on (?:a |my |the )?(?:trips?|journeys?|holidays?|vacations?|road)"
    rf"|{_AM}(?:travel(?:l)?ing|abroad|on (?:holiday|vacation|the road|a trip))|abroad",
    "driving": rf"{_AM}driving|in the car|at the wheel|behind the wheel",
    "mobile": r"on (?:my |the )?(?:phone|mobile|cell ?phone|watch)",
    "weekend": r"(?:on|at|over|during) (?:the )?weekends?|on (?:saturdays|sundays)",
    "weekday": r"on (?:weekdays|workdays)|during the week",
    "morning": r"in the mornings?|before breakfast|first thing in the morning",
    "winter": r"(?:in|during) (?:the )?winter(?:time)?|in the cold months",
    "spring": r"(?:in|during) (?:the )?spring(?:time)?",
    "summer": r"(?:in|during|over) (?:the )?summer(?:time)?",
    "autumn": r"(?:in|during) (?:the )?(?:autumn|fall)",
    "evening": r"in the evenings?|at night|before bed|after dinner",
}
_COMPANY: dict[str, str] = {
    "family": r"family|parents|mother|father|mum|mom|dad|grandparents|grandma|grandpa|relatives",
    "children": r"kids?|child(?:ren)?|son|sons|daughters?|toddlers?|students|pupils",
    "partner": r"wife|husband|partner|spouse|girlfriend|boyfriend",
    "friends": r"friends?|mates|buddies",
    "colleagues": r"colleagues?|co-?workers?|team|team-?mates|boss|manager|staff",
    "clients": r"clients?|customers?|patients",
    "strangers": r"strangers|guests|people i (?:do not|don't) know",
}
_WITH = (
    rf"(?:{_AM}(?:with|among|around)|(?:when|whenever|while) i (?:talk|write|speak) (?:to|with)"
    r"|when (?:talking|writing|speaking|replying) (?:to|with)|with|among|around|in front of"
    r"|in the company of)"
)
_LEAD = r"(?:when|whenever|while) (?:i am|i'm|we are|we're) "
_SCENES = [
    (label, re.compile(rf"(?<![\w-])(?:{_LEAD})?(?:{pattern})(?![\w'-])"))
    for label, pattern in _PLACES.items()
] + [
    (f"with:{label}", re.compile(rf"(?<![\w-]){_WITH} {_MY}(?:{pattern})(?![\w'-])"))
    for label, pattern in _COMPANY.items()
]
# before a phrase, these say that it is what is talked about
_ABOUT = re.compile(
    r"(?:\b(?:being|staying|stay|working|work|works|live|living|sitting|eating|be|get|getting|time"
    r"|am|was|were|is|are|go|going|went|happened|fed up|happy|sad|like|love|hate|enjoy|talk|talked"
    r"|spoke|met|meet|play|playing|live|lived|help|deal|dealing|argue|argued|here|there|up)) $"
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


def scope_of(text: str) -> str:
    """The scope that a text names for what it says.

    Args:
        text: What a person wrote.

    Returns:
        A label such as ``work``, ``work/mail``, ``home``, ``with:family``, ``work/with:clients``;
        "" where it names none, or where its sentences name different ones.
    """
    named = {label for each in _SENTENCE.split(text) if (label := _scene(_plain(each))[0])}
    return named.pop() if len(named) == 1 else ""


def without_scope(sentence: str) -> str:
    """A sentence in lower case, with straight apostrophes, without the words that set its scene."""
    return _scene(_plain(sentence))[1]


def _plain(text: str) -> str:
    return text.lower().replace("\u2019", "'")


def _scene(plain: str) -> tuple[str, str]:
    """The label of one sentence, and what is left of it."""
    place = company = ""
    for label, pattern in _SCENES:
        for found in pattern.finditer(plain):
            if _ABOUT.search(plain[: found.start()]):
                continue
            if label.startswith("with:"):
                company = company or label
            elif not place:
                place = label
            else:
                continue
            before, after = plain[: found.start()], plain[found.end() :]
            plain = f"{before.rstrip(' ,')} {after.lstrip(' ,:')}".strip()
            plain = re.sub(r" (?=[.,!?;]+)", "", plain)
            break
    return "/".join(part for part in (place, company) if part), plain
