"""Asked in words, on the command line: what is stated is kept, what is to go is gone."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOML = """
[policy]
use = "toy"
[reward]
use = "style"
[boundary]
guards = [{ use = "rules" }]
"""


Befit = Callable[..., Any]


def test_a_turn_teaches_and_a_turn_takes_back(befit: Befit, tmp_path: Path) -> None:
    befit("respond", "ann", "I love jazz. Please keep your answers short.")
    known = befit("profile", "ann", "--json").json["beliefs"]
    assert {b["dimension"] for b in known} == {"length", "topic:jazz"}
    answer = befit("respond", "ann", "Please forget that I love jazz.", "--json").json
    assert answer["forgotten"] >= 1
    left = befit("profile", "ann", "--json").json["beliefs"]
    assert [b["dimension"] for b in left] == ["length"]
    assert "forgotten: 0" in befit("respond", "ann", "Please forget that I love jazz.").out
    files = [f for f in tmp_path.iterdir() if f.name.startswith("befit.db")]
    assert not any(b"jazz" in f.read_bytes() for f in files)


def test_a_talk_forgets_what_it_is_told_to(
    befit: Befit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = ["I love jazz.", "Forget what I just said.", "Forget everything about me.", "yes", "Hi."]
    (tmp_path / "lines").write_text("\n".join([*said, "", ""]), "utf-8")
    with (tmp_path / "lines").open() as lines:
        monkeypatch.setattr(sys, "stdin", lines)
        ran = befit("chat", "ann", "--json")
    answers = [json.loads(part + "\n}") for part in ran.out.split("\n}")[:-1]]
    assert [a.get("forgotten") for a in answers] == [None, 2, 0, 0, None]
    kept = befit("export", "ann", "ann.json")
    assert kept.code == 0
    assert "jazz" not in Path("ann.json").read_text("utf-8")
