"""Personal data: found where it is, masked whole, and numbers that are nothing left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from befit.core.protocols import Screen
from befit.memory.personal_data import KINDS, Finder, PersonalData, PersonalDataScreen, mask

FOUND = [
    ("email", "write to ada.l+news@mail.example.org.", "ada.l+news@mail.example.org"),
    ("phone", "I'm at +44 20 7946 0958", "+44 20 7946 0958"),
    ("phone", "ring (555) 010-9999 after six", "(555) 010-9999"),
    ("phone", "my mobile is 07700 900 123", "07700 900 123"),
    ("card", "it is 4539 1488 0343 6467.", "4539 1488 0343 6467"),
    ("iban", "pay DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
    ("ssn", "SSN 536-22-8726", "536-22-8726"),
    ("key", "use AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("key", "my wifi password is hunter2!", "hunter2!"),
    ("address", "I live at 221b Baker Street", "221b Baker Street"),
    ("address", "Ich wohne in der Lindenstraße 12", "Lindenstraße 12"),
]
NOTHING = [
    "",
    "on 2026-01-31 at 12:30",
    "version 3.11.4 of 20 files, 1,234,567 rows",
    "4539 1488 0343 6468 has a wrong check digit",
    "DE88 3704 0044 0532 0130 00",
    "pi is 3.14159265358979",
    "the password is important",
    "ada@home",
    "I walked 5 km",
    "\U0001f600",
]


@pytest.mark.parametrize(("kind", "text", "part"), FOUND)
def test_what_is_there_is_found(kind: str, text: str, part: str) -> None:
    finder = PersonalData()
    assert isinstance(finder, Finder)
    (found,) = finder.find(text)
    assert (found.kind, text[found.start : found.end]) == (kind, part)
    assert mask(text, [found]) == text.replace(part, f"[{kind}]")
    others = tuple(each for each in KINDS if each != kind)
    assert not [f for f in PersonalData(kinds=others).find(text) if f.kind == kind]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_nothing_is_left(text: str) -> None:
    assert PersonalData().find(text) == ()


@given(st.text(max_size=60), st.sampled_from(FOUND), st.text(max_size=60))
def test_findings_are_in_order_and_apart(
    before: str, case: tuple[str, str, str], after: str
) -> None:
    text = f"{before} {case[1]} {after}"
    found = PersonalData().find(text)
    assert all(one.end <= other.start for one, other in pairwise(found))
    masked = mask(text, found)
    assert len(masked) == len(text) - sum(f.end - f.start - len(f.kind) - 2 for f in found)


def test_the_screen_names_the_kinds_and_not_the_data() -> None:
    screen = PersonalDataScreen()
    assert isinstance(screen, Screen)
    verdict = screen.inspect("I live at 221b Baker Street, ada@mail.example.org")
    assert not verdict.allowed
    assert verdict.reason == "holds personal data: address, email"
    assert screen.inspect("Keep it short").allowed
    assert PersonalDataScreen(kinds=("card",)).inspect("ada@mail.example.org").allowed


def test_a_long_text_is_read_in_time() -> None:
    for text in ("a@" * 100_000, "1 " * 100_000, "A1" * 100_000, "password " * 30_000):
        assert PersonalData().find(text) is not None
