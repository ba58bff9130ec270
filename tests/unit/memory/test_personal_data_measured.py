"""How well personal data is found: a list of our own in four languages, with look-alikes beside."""

import pytest

from befit.features.check_digits import is_card, is_dni, is_iban, is_nir, is_tax_id
from befit.memory.personal_data import KINDS, PersonalData

#: kind, text, what is to be found
THERE = [
    ("key", "my password is hunter2!", "hunter2!"),
    ("key", "Mein Passwort ist Sonne42!", "Sonne42!"),
    ("key", "Das Kennwort lautet blau-77-Haus", "blau-77-Haus"),
    ("key", "Meine Geheimzahl ist 4711", "4711"),
    ("key", "mon mot de passe est Lune2024!", "Lune2024!"),
    ("key", "le mot de passe du wifi est chat$99", "chat$99"),
    ("key", "mi contrase\u00f1a es Sol2024!", "Sol2024!"),
    ("key", "la clave es 9931", "9931"),
    ("key", "API key: zx81-abcd-9910", "zx81-abcd-9910"),
    ("key", "token glpat-aBcDeFgHiJkLmNoPqRsT", "glpat-aBcDeFgHiJkLmNoPqRsT"),
    ("card", "charge 5500 0055 5555 5559 please", "5500 0055 5555 5559"),
    ("card", "Karte 4539148803436467", "4539148803436467"),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606", "FR14 2004 1010 0505 0001 3M02 606"),
    ("iban", "cuenta ES9121000418450200051332", "ES9121000418450200051332"),
    ("iban", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
    ("ssn", "SSN 536-22-8726", "536-22-8726"),
    ("national_id", "mi DNI es 12345678Z", "12345678Z"),
    ("national_id", "NIE X1234567L", "X1234567L"),
    ("national_id", "num\u00e9ro de s\u00e9cu 1 84 12 75 123 456 40", "1 84 12 75 123 456 40"),
    ("national_id", "Meine Steuer-ID ist 86 095 742 719", "86 095 742 719"),
    ("national_id", "NI number AB 12 34 56 C", "AB 12 34 56 C"),
    ("email", "schreib an uli.m@post.example.de", "uli.m@post.example.de"),
    ("email", "correo: ana_maria@mail.example.es", "ana_maria@mail.example.es"),
    ("phone", "+49 30 901820", "+49 30 901820"),
    ("phone", "Meine Handynummer: Handy 0151 2345678", "0151 2345678"),
    ("phone", "Telefon 030/901820", "030/901820"),
    ("phone", "appelle-moi au 06 12 34 56 78", "06 12 34 56 78"),
    ("phone", "T\u00e9l : 01.23.45.67.89", "01.23.45.67.89"),
    ("phone", "mi m\u00f3vil 612 345 678", "612 345 678"),
    ("phone", "my number is 07700 900 123", "07700 900 123"),
    ("phone", "(555) 010-9999", "(555) 010-9999"),
    ("address", "I live at 12 Rose Hill Road", "12 Rose Hill Road"),
    ("address", "Ich wohne in der Lindenallee 7", "Lindenallee 7"),
    ("address", "J'habite 12 rue de la Paix", "12 rue de la Paix"),
    ("address", "Vivo en la Calle Mayor 5", "Calle Mayor 5"),
    ("address", "Avenida de la Constituci\u00f3n, 22", "Avenida de la Constituci\u00f3n, 22"),
    ("birth", "I was born on 3 March 1984", "3 March 1984"),
    ("birth", "date of birth: 1984-03-03", "1984-03-03"),
    ("birth", "my birthday is March 3, 1984", "March 3, 1984"),
    ("birth", "Ich bin am 3.3.1984 geboren, geboren am 3.3.1984", "3.3.1984"),
    ("birth", "geb. 03.03.84", "03.03.84"),
    ("birth", "je suis n\u00e9e le 3 mars 1984", "3 mars 1984"),
    ("birth", "nac\u00ed el 3 de marzo de 1984", "3 de marzo de 1984"),
    ("ip", "my address is 81.2.69.142", "81.2.69.142"),
    ("ip", "from 2a00:1450:4001:81b::200e today", "2a00:1450:4001:81b::200e"),
]  # fmt: skip
LOOK_ALIKES = [
    "the meeting is on 3 March 2026",
    "born to run, since 1984",
    "Der Termin ist am 3.3.2026",
    "version 1.2.3.4 is out",
    "ping 127.0.0.1 or 192.168.1.1",
    "at 12:30:45 it stopped",
    "std::vector::size is fine",
    "order 12345678A was shipped",
    "part X1234567A of the kit",
    "5500 0055 5555 5558",
    "ES9021000418450200051332",
    "Steuer-ID 86 095 742 710",
    "the password is important",
    "Das Passwort ist wichtig",
    "le mot de passe est important",
    "la clave es simple",
    "I walked 12 miles down the road",
    "Platz 3 im Rennen",
    "rue de la Paix is in Paris",
    "I like the number 7",
    "Ich habe 3 Handys",
    "tengo 2 m\u00f3viles",
    "ISBN 978-3-16-148410-0",
    "population 1,234,567 in 2020",
    "3.14159 and 2.71828",
    "call it a day at 18",
    "ada@home",
    "read pages 100-200",
    "the calle was quiet",
    "room 123-45-67",
    "2025-01-01 to 2025-12-31",
    "a 16-bit 44100 Hz file",
    "ratio 16:9 and 4:3",
    "section 10.2.1.300",
    "AB 12 and CD 34",
]


def _counts() -> dict[str, tuple[int, int, int]]:
    """By kind: found as it should be, found where it is not, and missed."""
    counts = {kind: [0, 0, 0] for kind in KINDS}
    for kind, text, part in THERE:
        seen = [(f.kind, text[f.start : f.end]) for f in PersonalData().find(text)]
        counts[kind][0 if (kind, part) in seen else 2] += 1
        for other, what in seen:
            counts[other][1] += (other, what) != (kind, part)
    for text in LOOK_ALIKES:
        for finding in PersonalData().find(text):
            counts[finding.kind][1] += 1
    return {kind: (a, b, c) for kind, (a, b, c) in counts.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_recall_of_each_kind(kind: str) -> None:
    found, wrong, missed = _counts()[kind]
    assert found / (found + missed) >= 0.9, (found, wrong, missed)
    assert found / (found + wrong) >= 0.9, (found, wrong, missed)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (is_card, "4539 1488 0343 6467"),
        (is_iban, "GB82 WEST 1234 5698 7654 32"),
        (is_dni, "12345678Z"),
        (is_dni, "X1234567L"),
        (is_nir, "1 84 12 75 123 456 40"),
        (is_tax_id, "86 095 742 719"),
    ],
)
def test_one_wrong_digit_is_always_seen(check: object, good: str) -> None:
    assert callable(check)
    assert check(good)
    for at, digit in enumerate(good):
        for other in "0123456789":
            if digit.isdecimal() and other != digit:
                changed = good[:at] + other + good[at + 1 :]
                assert not check(changed), changed
    assert not check("")
