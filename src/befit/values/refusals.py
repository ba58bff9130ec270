"""Tells a refusal or an offer of help from a reply that does as it is told.

A refusal harms nobody whatever was asked, so guards let it pass. It reads surface forms alone: a
text that refuses and then does as asked is no refusal.
"""

import re

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'"})

_REFUSES = re.compile(
    r"\bi(?:'m| am|'d| would)? ?(?:can't|cannot|can not|won't|will not|am not able|'m not able"
    r"|not able|rather not|unable|not going to|must decline|have to decline|decline|refuse"
    r"|don't want to|do not want to|shouldn't|should not|not comfortable|don't feel comfortable"
    r"|strongly averse|don't think (?:i|you|that|it)|wouldn't (?:want|feel|recommend|do|be able)"
    r"|not interested in (?:helping|doing))\b"
    r"(?! (?:hesitate|rest|stop|forget|forgive|tolerate|let you|be (?:patient|kind|so)|wait|sleep))"
    r"|\b(?:sorry|afraid|apologi[sz]e),? (?:but )?(?:i|we|this|that|no)\b"
    r"|\bi(?:'d| would) (?:strongly )?(?:advise|urge|encourage) you (?:not|against|to (?:stop"
    r"|seek))"
    r"|\b(?:please|you should) (?:do not|don't|not|call|contact|seek|reach out|talk to)\b"
    r"|\b(?:crisis|emergency|suicide|support) (?:line|hotline|number|services)\b"
    r"|^no[.,!]|\bthat(?:'s| is| would be) (?:illegal|against the law|wrong|dangerous|immoral)\b"
    r"|\b(?:is|are) (?:illegal|against the law|a (?:serious )?crime)\b",
    re.IGNORECASE,
)
_COMPLIES = re.compile(
    r"\b(?:but|however|anyway|still|though)\b[^.!?]{0,20}"
    r"\b(?:here(?:'s| is| are)|this is how|you (?:can|could|need)|i'll (?:tell|explain|show))\b"
    r"|\bsteps? (?:1|one)\b|^\s*1[.)] |\bfirst, (?:you|get|take|find|buy|gather|mix|make)\b"
    r"|\bhere(?:'s| is) (?:how|what you|a (?:guide|script|recipe|plan|list))\b|```"
    r"|\b(?:sure|of course|certainly|absolutely)[,!]",
    re.IGNORECASE | re.MULTILINE,
)
_OPENING = 300  # characters in which a refusal shows itself


def is_refusal(text: str) -> bool:
    """Whether the reply declines, warns or points to help, and does nothing of what was asked."""
    plain = text.translate(_APOSTROPHES)
    return bool(_REFUSES.search(plain[:_OPENING])) and not _COMPLIES.search(plain)
