"""Check digits: whether a number that looks like a card, an account or an id can be one.

Pure arithmetic; what the number belongs to is not known here.

Source: Luhn, US patent 2,950,048 (payment cards); ISO 7064 mod 97-10 (IBAN, the French NIR) and
mod 11,10 (the German tax id); the check letter of Spanish DNI and NIE.
"""

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_card(number: str) -> bool:
    """Whether length, first digit and check digit are a payment card's; separators are passed."""
    digits = [int(c) for c in number if c.isdecimal()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (3, 4, 5, 6):
        return False
    doubled = [2 * digit for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether length and check digits are an IBAN's; spaces are passed."""
    plain = text.replace(" ", "").upper()
    if not (15 <= len(plain) <= 34 and plain.isascii() and plain.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_dni(text: str) -> bool:
    """Whether the letter of a Spanish DNI or NIE is right."""
    plain = text.replace("-", "").replace(" ", "").upper()
    number, letter = plain[:-1].translate(str.maketrans("XYZ", "012")), plain[-1:]
    return number.isdecimal() and len(number) == 8 and _LETTERS[int(number) % 23] == letter


def is_nir(text: str) -> bool:
    """Whether the key of a French social security number is right; Corsica's letters too."""
    plain = "".join(c for c in text.upper() if c.isalnum())
    plain = plain.replace("2A", "19", 1) if plain[5:7] == "2A" else plain
    plain = plain.replace("2B", "18", 1) if plain[5:7] == "2B" else plain
    if len(plain) != 15 or not plain.isdecimal():
        return False
    return 97 - int(plain[:13]) % 97 == int(plain[13:])


def is_tax_id(text: str) -> bool:
    """Whether the check digit of a German tax id is right; spaces are passed."""
    digits = [int(c) for c in text if c.isdecimal()]
    if len(digits) != 11 or digits[0] == 0:
        return False
    product = 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == digits[10]
