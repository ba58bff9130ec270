"""Finds what identifies a person, and what opens their doors: addresses, numbers, keys.

Patterns of our own, with the check digits where there are any; no library. What a word has to say
of a number ("my number is", "geboren am") is read in English, German, French and Spanish. Names are
not looked for, nor numbers without a shape or a word that says what they are. A finding can be
masked, or refused by a screen, so that it is not put into a prompt.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Protocol, runtime_checkable

from befit.core.dialogue import Verdict
from befit.core.preference import Evidence
from befit.features.check_digits import is_card, is_dni, is_iban, is_nir, is_tax_id

KINDS = ("key", "card", "iban", "ssn", "national_id", "email", "phone", "address", "birth", "ip")
SECRETS = ("key", "card", "iban", "ssn", "national_id")  # of no use to any preference

_STREET = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|square"
    r"|terrace|close|crescent|highway|hwy)"
)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|m[äa]rz|mai|okt|dez|fév|avr|juin|juil"
    r"|ao[uû]"
    r"|déc|ene|abr|ago|dic)[a-zéäû]{0,8}\.?"
)
_DATE = (
    r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:of |de )?{_MONTH},? (?:de )?(?:19|20)\d{{2}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}})"
)
_HINT = re.compile(
    r"[\d@:]|BEGIN|pass|pin|key|token|secret|kennw|mot de|contras", re.IGNORECASE
)  # in all there is
_PATTERNS = (
    (
        "key",
        re.compile(
            r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:[^-]{0,8000}-----END [A-Z ]+-----)?"
            r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,255}\b"
            r"|\bgithub_pat_[A-Za-z0-9_]{60,255}|\bglpat-[\w-]{20,64}|\bhf_[A-Za-z0-9]{30,64}\b"
            r"|\bxox[abprs]-[A-Za-z0-9-]{20,255}|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,255}"
            r"|\bsk_live_[A-Za-z0-9]{20,255}|\bAIza[0-9A-Za-z_-]{35}\b"
            r"|\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}"
        ),
    ),
    (
        "key",
        re.compile(
            r"\b(?:password|passphrase|passcode|pin(?: code| number)?|api[ _-]?key|access token"
            r"|secret(?: key)?|passwort|kennwort|geheimzahl|api-?schlüssel|mot de passe|code secret"
            r"|clé api|contraseña|clave(?: secreta| api)?)\b"
            r"(?:\s+(?:for|to|of|für|von|du|de|del|pour|para)\s+[\w .]{1,30}?)?"
            r"\s*(?:\bis\b|\bist\b|\blautet\b|\best\b|\bes\b|:|=)\s*"
            r"(?P<found>(?=\S*[\d\W])\S{4,200})",
            re.IGNORECASE,
        ),
    ),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")),
    ("card", re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")),
    ("ssn", re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")),
    (
        "national_id",
        re.compile(
            r"\b\d{8}[- ]?[A-HJ-NP-TV-Z]\b|\b[XYZ][- ]?\d{7}[- ]?[A-HJ-NP-TV-Z]\b"
            r"|\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b"
            r"|\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
            r"|\b(?i:steuer-?(?:id|identifikationsnummer|idnr\.?)|idnr\.?)[^\d\n]{0,20}"
            r"(?P<found>\d{2} ?\d{3} ?\d{3} ?\d{3})(?!\d)"
        ),
    ),
    (
        "birth",
        re.compile(
            r"\b(?:born(?: on)?|date of birth|d\.?o\.?b\.?|birthday|birth date|birthdate|geboren"
            r"|geb(?=\.)|geburtstag|geburtsdatum|née?(?: le)?|date de naissance|anniversaire"
            r"|nac[ií]"
            r"|nacid[oa]|fecha de nacimiento|cumpleaños)\b\.?[^\d\n.!?]{0,20}?"
            rf"(?P<found>{_DATE})(?!\d)",
            re.IGNORECASE,
        ),
    ),
    (
        "ip",
        re.compile(
            r"(?<![\w.:])(?<!version )(?<!v)(?:\d{1,3}\.){3}\d{1,3}(?![\w.]\d|\w)"
            r"|(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})(?![\w:])"
        ),
    ),
    (
        "email",
        re.compile(
            r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.[A-Za-z]{2,24}\b"
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?<![\w+])\+\d{1,3}(?:[ .()-]{0,2}\d){6,13}(?!\w)"
            r"|(?<![\w-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"
            r"|(?<![\w.+-])0[1-9](?:[ .]\d{2}){4}(?![\w-])"
            r"|\b(?:call|phone|tel|telephone|mobile|cell|text me|reach me|whatsapp|number"
            r"|telefon|handy|mobil|rufnummer|téléphone|tél|portable|numéro|appelle(?:z)?-moi"
            r"|teléfono|móvil|llámame|fono)\b"
            r"[^\d\n]{0,20}?(?P<found>\d(?:[ ./-]?\d){6,13})(?!\w)",
            re.IGNORECASE,
        ),
    ),
    (
        "address",
        re.compile(
            rf"\b\d{{1,5}}[A-Za-z]?\s+(?!(?:miles?|km|kilomet\w+|met(?:er|re)s?|yards|blocks?|minutes?"
            r"|hours?|steps|times|people|cars|houses|more|of|on|in|down|along|to)\b)"
            rf"(?:[\w'.-]{{1,30}}\s+){{1,3}}(?i:{_STREET})\b\.?"
            r"|\b[A-ZÄÖÜ][\wäöüß-]{1,30}(?:straße|strasse|weg|platz|allee|gasse)\s+\d{1,4}[a-z]?\b"
            r"|\b\d{1,4},? (?:rue|avenue|boulevard|place) (?:de |du |des |la )*[\w'-]{2,30}"
            r"|\b(?:[Cc]alle|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Cc]/) (?:de |del |la |las "
            r"|los )*"
            r"[A-ZÁÉÍÓÚÑ][\wáéíóúñ]{1,30}(?: [A-ZÁÉÍÓÚÑ][\wáéíóúñ]{1,30}){0,2},? (?:n[º°.] ?"
            r")?\d{1,4}\b"
            r"|\b(?:[Pp]\.? ?[Oo]\.? [Bb]ox) \d{1,6}\b"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal in a text.

    Attributes:
        kind: One of `KINDS`.
        start: Where it begins.
        end: Where it ends, exclusive.
    """

    kind: str
    start: int
    end: int


@runtime_checkable
class Finder(Protocol):
    """Finds personal data; others than ours may stand in for `PersonalData`."""

    def find(self, text: str) -> tuple[Finding, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """The default finder.

    Attributes:
        kinds: What to look for, of `KINDS`.
    """

    kinds: tuple[str, ...] = KINDS

    def find(self, text: str) -> tuple[Finding, ...]:
        """What is there, in order, none within another; the surer kind wins."""
        found: list[Finding] = []
        if not _HINT.search(text):
            return ()
        for kind, pattern in _PATTERNS:
            for match in pattern.finditer(text) if kind in self.kinds else ():
                start, end = match.span("found" if match.groupdict().get("found") else 0)
                apart = all(end <= each.start or start >= each.end for each in found)
                if apart and _holds(kind, text[start:end]):
                    found.append(Finding(kind, start, end))
        return tuple(sorted(found, key=lambda each: each.start))


def mask(text: str, findings: Iterable[Finding]) -> str:
    """The text with a word of its kind in the place of each finding."""
    parts, at = [], 0
    for each in findings:
        parts += [text[at : each.start], f"[{each.kind}]"]
        at = each.end
    return "".join([*parts, text[at:]])


def masked(evidence: Evidence, finder: Finder, kinds: Collection[str]) -> Evidence:
    """The evidence with personal data of those kinds masked, and topics with any left out."""

    def clean(text: str) -> str:
        return mask(text, (each for each in finder.find(text) if each.kind in kinds))

    pair, graded = evidence.pair, evidence.graded
    if pair is not None:
        pair = replace(
            pair,
            prompt=clean(pair.prompt),
            chosen=clean(pair.chosen),
            rejected=clean(pair.rejected),
        )
    if graded is not None:
        graded = replace(graded, prompt=clean(graded.prompt), text=clean(graded.text))
    values = {name: value for name, value in evidence.values.items() if clean(name) == name}
    return replace(evidence, text=clean(evidence.text), values=values, pair=pair, graded=graded)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataScreen:
    """A screen that keeps excerpts with personal data out of the prompt.

    Attributes:
        kinds: What to look for, of `KINDS`.
    """

    kinds: tuple[str, ...] = KINDS

    @property
    def name(self) -> str:
        """Who says so."""
        return "personal_data"

    def inspect(self, text: str) -> Verdict:
        """Refuse a text with any finding, and name the kinds."""
        kinds = dict.fromkeys(each.kind for each in PersonalData(kinds=self.kinds).find(text))
        reason = f"holds personal data: {', '.join(kinds)}" if kinds else ""
        return Verdict(guard=self.name, allowed=not kinds, reason=reason)


def _holds(kind: str, found: str) -> bool:
    """Whether the check digits are right, for the kinds that have them; whether it can be one."""
    if kind == "card":
        return is_card(found)
    if kind == "iban":
        return is_iban(found)
    if kind == "ip":
        return _is_public(found)
    if kind == "national_id":
        plain = found.replace(" ", "")
        if plain[:2].isalpha():  # British numbers have no check digit
            return True
        return is_dni(found) or is_nir(found) or is_tax_id(found)
    return True


def _is_public(found: str) -> bool:
    """Whether an address says where somebody is; those within a house do not."""
    try:
        return ip_address(found).is_global
    except ValueError:
        return False
