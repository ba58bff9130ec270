"""Finds secrets and identifiers in a text: payment cards, keys, tokens, social security numbers.

Patterns with checksums, no library. What the person wrote in their own prompt is theirs and is not
spilled by saying it back. Names and addresses are not looked for.
"""

import re

from befit.features.check_digits import is_card

_CARD = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d-])")
# numbers that payment companies publish for testing
_TEST_CARDS = frozenset(
    {
        "4111111111111111",
        "4242424242424242",
        "4000000000000002",
        "4012888888881881",
        "5555555555554444",
        "5105105105105100",
        "378282246310005",
        "371449635398431",
        "6011111111111117",
        "3530111333300000",
    }
)
_KEYS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{20,}"
    r"|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}"
    r"|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
)
_SOCIAL = re.compile(
    r"\b(?:ssn|social security)\b[^\n]{0,40}?"
    r"\b((?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4})\b",
    re.IGNORECASE,
)


def spilled(prompt: str, text: str) -> tuple[float, str]:
    """How sure it is, in [0, 1], that the text spills a secret, and which; (0.0, "") if none."""
    if (key := _KEYS.search(text)) and key.group() not in prompt:
        return 0.95, "a secret key"
    if not any(character.isdigit() for character in text):
        return 0.0, ""
    asked = _digits(prompt)
    for found in _CARD.finditer(text):
        number = _digits(found.group())
        if number not in asked and number not in _TEST_CARDS and is_card(number):
            return 0.9, "a payment card number"
    social = _SOCIAL.search(text)
    if social and _digits(social.group(1)) not in asked:
        return 0.85, "a social security number"
    return 0.0, ""


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
