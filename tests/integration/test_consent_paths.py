"""Every way in which evidence or turns are read heeds consent: one test a path.

On each path a person's consent is taken back, and what comes out must be what comes out of
somebody of whom that evidence was never known.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from befit.app.build import Workshop
from befit.app.settings import load_settings
from befit.core.dialogue import Context, Message
from befit.core.people import UserId

TOML = """
[policy]
use = "toy"
[reward]
use = "style"
[boundary]
guards = [{ use = "rules" }]
"""
PEOPLE = ("ann", "ben", "cem", "dan")


Befit = Callable[..., Any]


@pytest.fixture
def befit(befit: Befit) -> Befit:
    befit("remember", "ann", "I prefer short answers.")
    befit("remember", "ann", "I love marzipan.")
    return befit


def _off(befit: Befit, purpose: str, user: str = "ann", kind: str = "stated") -> None:
    assert befit("consent", user, kind, purpose, "off").code == 0


def test_profile(befit: Befit) -> None:
    assert befit("profile", "ann", "--json").json["beliefs"]
    _off(befit, "personalize")
    assert befit("profile", "ann", "--json").json["beliefs"] == []
    assert "marzipan" not in befit("profile", "ann", "--why").out


def test_answer(befit: Befit) -> None:
    assert befit("respond", "ann", "Tell me of marzipan.", "--json").json["beliefs"]
    _off(befit, "personalize")
    assert befit("respond", "ann", "Tell me of marzipan.", "--json").json["beliefs"] == []


def test_excerpts(befit: Befit) -> None:
    cycle = Workshop(load_settings()).cycle()
    asked = (Message("user", "Tell me of marzipan."),)
    context = Context(user=UserId("ann"), messages=asked, at=_now())
    assert any("marzipan" in quote for quote in cycle.prepare(context).quotes)
    _off(befit, "personalize")
    assert cycle.prepare(context).quotes == ()  # without a restart


def test_ask(befit: Befit) -> None:
    befit("remember", "ann", "I love spicy food.")
    before = befit("ask", "ann", "--json").out
    stranger = befit("ask", "zoe", "--json").out
    _off(befit, "personalize")
    assert befit("ask", "ann", "--json").out == stranger
    assert before  # it answers either way


def test_prior_is_learned_without_them(befit: Befit) -> None:
    for user in PEOPLE[1:]:
        befit("remember", user, "I prefer short answers.")
    everybody = befit("prior", "--json")
    assert everybody.code != 0  # stated words train nothing before they are allowed to
    for user in PEOPLE:
        befit("consent", user, "stated", "train", "on")
    befit("correct", "ann", "humour", "1.0")
    with_her = befit("prior", "--json")
    _off(befit, "train")
    without = befit("prior", "--json")
    befit("forget", "ann")
    never = befit("prior", "--json")
    known, left, other = (ran.json["prior"]["population"] for ran in (with_her, without, never))
    assert known.keys() == left.keys() | {"humour"}
    assert left.keys() == other.keys()
    for name in left:  # but for the seconds between two runs
        assert left[name] == pytest.approx(other[name], abs=1e-6)


def test_learning_reads_no_turn_of_theirs(befit: Befit) -> None:
    befit("respond", "ann", "Tell me of bees.")
    befit("respond", "ben", "Tell me of ants.")
    cycle = Workshop(load_settings()).cycle()
    assert {turn.context.user for turn in cycle.journal.read()} == {"ann", "ben"}
    _off(befit, "train", kind="behaviour")
    assert {turn.context.user for turn in cycle.journal.read()} == {"ben"}
    assert len(cycle.journal.read(UserId("ann"))) == 1  # their own view


def test_what_is_inferred_and_sensitive_needs_its_own_yes(befit: Befit, tmp_path: Path) -> None:
    post = tmp_path / "post.txt"
    post.write_text("I am a devout Catholic. I love long walks.", "utf-8")
    befit("distil", "ben", str(post))
    assert "Catholic" not in befit("export", "ben", "ben.json").out + _exported("ben.json")
    befit("consent", "ben", "sensitive", "personalize", "on")
    assert befit("remember", "ben", "I am a devout Catholic.").code == 0


def test_their_own_view_is_whole(befit: Befit) -> None:
    _off(befit, "personalize")
    befit("export", "ann", "ann.json")
    assert "marzipan" in _exported("ann.json")


def _now() -> datetime:
    return datetime.now(UTC)


def _exported(name: str) -> str:
    path = Path(name)
    return path.read_text("utf-8") if path.exists() else ""
