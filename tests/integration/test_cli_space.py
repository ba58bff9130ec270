"""Spaces from the command line: one added without code, and a store that follows it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FIRST = """
name = "tea"
version = "1"
extends = ["values"]
[[dimension]]
name = "strength"
low = "weak"
high = "strong"
words_high = ["strong tea"]
[[dimension]]
name = "warmth_of_tea"
low = "hot"
high = "cold"
"""
SECOND = (
    FIRST.replace('"1"', '"2"')
    .replace('"strength"', '"body"')
    .replace('low = "hot"\nhigh = "cold"', 'low = "cold"\nhigh = "hot"')
    + """
[[migration]]
from = "1"
flip = ["warmth_of_tea"]
rename = {strength = "body"}
"""
)


Befit = Callable[..., Any]


def means(befit: Befit) -> dict[str, float]:
    rows = befit("profile", "ana", "--json").json["beliefs"]
    return {row["dimension"]: round(row["mean"], 6) for row in rows}


def test_spaces_are_listed_shown_and_checked(befit: Befit) -> None:
    listed = {row["name"]: row for row in befit("space", "list", "--json").json}
    assert listed["needs"]["sensitive"] == 10
    assert listed["style"]["used"]
    shown = {d["name"]: d for d in befit("space", "show", "needs", "--json").json["dimensions"]}
    assert shown["religion"]["sensitive"] == "belief"
    assert shown["honest"]["universal"]
    Path("tea.toml").write_text(FIRST)
    checked = befit("space", "check", "tea.toml")
    assert "tea 1: 5 dimensions" in checked.out
    assert "warmth_of_tea: are never read" in checked.out
    Path("bad.toml").write_text(FIRST.replace('low = "weak"', "low = 3"))
    assert befit("space", "check", "bad.toml").code == 2
    assert befit("space", "show", "nowhere").code == 2


def test_a_store_follows_its_space_to_a_new_version(
    befit: Befit, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("one.toml").write_text(FIRST)
    Path("two.toml").write_text(SECOND)
    monkeypatch.setenv("BEFIT_MEMORY__SPACE", "one.toml")
    befit("correct", "ana", "strength", "0.5")
    befit("correct", "ana", "warmth_of_tea", "-0.5")
    befit("remember", "ana", "I like biscuits.")
    befit("pin", "ana", "warmth_of_tea")
    before = means(befit)
    assert before["strength"] > 0.4
    assert (
        befit("space", "migrate", "befit.db", "new.db", "--from", "0", "--space", "two.toml").code
        == 2
    )
    assert not Path("new.db").exists()
    moved = befit(
        "space", "migrate", "befit.db", "new.db", "--from", "1", "--space", "two.toml", "--json"
    ).json
    assert (moved["copied"]["evidence"], moved["moved"]) == (3, 2)
    assert means(befit) == before  # the old store is as it was
    monkeypatch.setenv("BEFIT_MEMORY__SPACE", "two.toml")
    monkeypatch.setenv("BEFIT_MEMORY__PATH", "new.db")
    after = means(befit)
    assert after["body"] == before["strength"]
    assert after["warmth_of_tea"] == pytest.approx(-before["warmth_of_tea"])
    assert after["topic:biscuits"] == before["topic:biscuits"]
    assert "strength" not in after
