"""Presidio beside our own checks. Skipped, aloud, where it is not installed."""

import pytest

pytest.importorskip("presidio_analyzer", reason="pip install 'befit[presidio]'")

from befit.core.errors import ModelFileError
from befit.memory.personal_data import Finder, mask
from befit.memory.presidio import PresidioFinder


def test_both_find_and_our_own_wins() -> None:
    finder = PresidioFinder()
    assert isinstance(finder, Finder)
    text = "mail ada@mail.example.org, IBAN DE89370400440532013000, my password is hunter2!"
    found = finder.find(text)
    assert [f.kind for f in found] == ["email", "iban", "key"]
    assert mask(text, found) == "mail [email], IBAN [iban], my password is [key]"
    assert finder.find("") == ()
    assert finder.find("I like long walks and short answers.") == ()


def test_it_knows_what_our_own_does_not() -> None:
    text = "my bitcoin wallet is 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ"
    assert PresidioFinder().own.find(text) == ()
    (found,) = PresidioFinder().find(text)
    assert (found.kind, text[found.start : found.end]) == ("key", text.rsplit(maxsplit=1)[-1])


def test_a_missing_model_is_said() -> None:
    with pytest.raises(ModelFileError, match="nowhere"):
        PresidioFinder(model="nowhere").find("hello there")
