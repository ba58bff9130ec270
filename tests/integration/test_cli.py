"""The command line, whole: a real store, a toy model, every verb, every kind of failure."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from befit.app import cli

TOML = """
[policy]
use = "toy"
[reward]
use = "style"
[encoder]
use = "tiny_encoder:Tiny"
[boundary]
guards = [{ use = "rules" }]
"""
ENCODER = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class Tiny:
    """Counts letters."""

    name = "tiny"
    width = 26

    def encode(self, texts):
        import numpy

        counts = numpy.ones((len(texts), 26), dtype=numpy.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                if "a" <= letter <= "z":
                    counts[row, ord(letter) - 97] += 1
        return counts / numpy.linalg.norm(counts, axis=1, keepdims=True)
'''


Befit = Callable[..., Any]


@pytest.fixture
def befit(befit: Befit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Befit:
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("tiny_encoder.py").write_text(ENCODER, "utf-8")
    return befit


def leaves() -> list[list[str]]:
    """Every command of the tree."""

    def walk(command: Any, path: list[str]) -> list[list[str]]:
        children = getattr(command, "commands", None)
        if not children:
            return [path]
        return [leaf for name in children for leaf in walk(children[name], [*path, name])]

    return walk(typer.main.get_command(cli.app), [])


@pytest.mark.parametrize("command", leaves(), ids=" ".join)
def test_every_verb_has_json_and_help(befit: Befit, command: list[str]) -> None:
    ran = befit(*command, "--help")
    assert ran.code == 0
    assert "--json" in ran.out


def test_someone_is_answered_by_what_they_said_and_why_is_known(befit: Befit) -> None:
    assert befit("remember", "ann", "I prefer short answers.").code == 0
    answer = befit("respond", "ann", "How do I cook rice?", "--json").json
    stranger = befit("respond", "bob", "How do I cook rice?", "--json").json
    assert answer["beliefs"] == ["length"]
    assert stranger["beliefs"] == []
    assert len(answer["text"]) < len(stranger["text"])
    assert "draft" not in answer
    belief = befit("profile", "ann", "--why", "--json").json["beliefs"][0]
    assert belief["dimension"] == "length"
    assert belief["mean"] < 0
    assert belief["why"][0]["text"] == "I prefer short answers."
    assert "I prefer short answers." in befit("profile", "ann", "--why").out


def test_past_and_scope_have_their_own_profile(befit: Befit) -> None:
    befit("remember", "ann", "I prefer short answers.", "--scope", "work", "--at", "2026-01-02")
    assert befit("profile", "ann", "--as-of", "2026-01-01", "--json").json["beliefs"] == []
    assert befit("profile", "ann", "--scope", "work", "--json").json["beliefs"]


def test_reaction_is_learned(befit: Befit) -> None:
    answer = befit("respond", "ann", "How do I cook rice?", "--json").json
    for way in (
        ("--rating", "0.9"),
        ("--comment", "I prefer short answers."),
        ("--edit", "Boil it."),
        ("--copied",),
        ("--dwell", "2.5"),
    ):
        assert befit("feedback", answer["id"], *way, "--json").code == 0
    assert befit("profile", "ann", "--json").json["beliefs"]


def test_choice_between_two_responses_is_learned(befit: Befit) -> None:
    one, two = (
        befit("respond", "ann", "How do I cook rice?", "--json").json["id"] for _ in range(2)
    )
    assert befit("feedback", one, "--over", two).code == 0


def test_incognito_keeps_nothing(befit: Befit) -> None:
    befit("respond", "ann", "How do I cook rice?", "--incognito")
    assert befit("profile", "ann").code == 3


def test_export_forget_import_brings_a_person_back(befit: Befit) -> None:
    befit("remember", "ann", "I prefer short answers.")
    before = befit("profile", "ann", "--json").json["beliefs"]
    assert befit("export", "ann", "ann.json").code == 0
    assert befit("forget", "ann", "--json").json["erased"] >= 1
    assert befit("profile", "ann").code == 3
    assert befit("import", "ann.json").code == 0
    after = befit("profile", "ann", "--json").json["beliefs"]
    assert [b["dimension"] for b in after] == [b["dimension"] for b in before]


def test_one_observation_can_be_forgotten(befit: Befit) -> None:
    said = befit("remember", "ann", "I prefer short answers.", "--json").json
    befit("remember", "ann", "I like tea.")
    assert befit("forget", "ann", "--evidence", said["id"], "--json").json["erased"] == 1


def test_chat_keeps_the_conversation(
    befit: Befit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("How do I cook rice?\nAnd beans?\n\n", "utf-8")
    with (tmp_path / "lines").open() as lines:
        monkeypatch.setattr(sys, "stdin", lines)
        ran = befit("chat", "ann", "--json")
    assert ran.code == 0
    assert ran.out.count('"text"') == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("respond", "ann", ""), 2),
        (("respond", "ann", "x" * 1_000_000), 2),
        (("respond", "ann", "\udcff"), 2),
        (("respond", "ann"), 2),
        (("nothing",), 2),
        (("remember", "ann", ""), 2),
        (("feedback", "no-such", "--rating", "0.5"), 3),
        (("feedback", "no-such", "--user", "ann", "--rating", "0.5"), 3),
        (("profile", "nobody"), 3),
        (("profile", "nobody", "--as-of", "soon"), 2),
        (("forget", "nobody"), 3),
        (("export", "nobody", "file.json"), 3),
        (("import", "no-such.json"), 2),
        (("key", "create"), 2),
        (("key", "create", "ann", "--service"), 2),
        (("learn",), 6),
        (("learn", "--pairs", "no-such.jsonl"), 2),
        (("evaluate", "reward"), 2),
        (("evaluate", "reward", "--data", "polis", "--shots", "many"), 2),
        (("evaluate", "reward", "--data", "no-such"), 2),
    ],
    ids=lambda v: " ".join(a[:12] for a in v) if isinstance(v, tuple) else str(v),
)
def test_mistake_ends_with_its_code_and_a_way_out(
    befit: Befit, arguments: tuple[str, ...], code: int
) -> None:
    ran = befit(*arguments)
    assert ran.code == code
    assert ran.out == ""
    assert re.search("way out: |Usage: ", ran.err)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("value", ["nan", "1.5", "-1"])
def test_rating_that_makes_no_sense_is_not_kept(befit: Befit, value: str) -> None:
    answer = befit("respond", "ann", "How do I cook rice?", "--json").json
    assert befit("feedback", answer["id"], "--rating", value).code == 2
    befit("export", "ann", "ann.json")
    assert '"rating"' not in Path("ann.json").read_text("utf-8")


def test_response_of_another_person_is_unknown(befit: Befit) -> None:
    answer = befit("respond", "ann", "How do I cook rice?", "--json").json
    assert befit("feedback", answer["id"], "--user", "bob", "--rating", "0.5").code == 3


def test_misspelt_setting_is_named(befit: Befit) -> None:
    Path("befit.toml").write_text(f"{TOML}\n[memory]\nspce = 'style'\n", "utf-8")
    ran = befit("respond", "ann", "Hello?")
    assert ran.code == 2
    assert "memory.spce" in ran.err
    assert "memory.space" in ran.err


def test_damaged_store_has_its_own_code(befit: Befit) -> None:
    Path("befit.db").write_bytes(b"this is no database" * 1000)
    assert befit("remember", "ann", "I prefer short answers.").code == 5


def test_key_is_made(befit: Befit) -> None:
    assert befit("key", "create", "ann", "--json").json["key"].startswith("sk-befit-")
    assert befit("key", "create", "--service", "--json").json["person"] is None


def test_components_are_listed(befit: Befit) -> None:
    assert "sqlite" in befit("components", "--json").json["memory"]


def test_doctor_says_what_works_and_why_a_part_is_off(befit: Befit) -> None:
    found = {f["what"]: f for f in befit("doctor", "--json").json}
    assert found["store"]["ok"]
    assert found["personal reward"]["way_out"]
    Path("befit.toml").write_text("[upstream]\nurl = 'http://127.0.0.1:9/v1'\n", "utf-8")
    ran = befit("doctor", "--json")
    assert ran.code == 1
    assert not {f["what"]: f for f in ran.json}["model"]["ok"]


def test_help_is_quick_and_lists_every_verb() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "befit", "--help"], capture_output=True, text=True, check=True
    )
    assert {path[0] for path in leaves()} <= set(re.findall(r"\w+", ran.stdout))


def test_learning_from_pairs_is_audited(befit: Befit) -> None:
    """What teaches that the longer text is always better must not pass as harmless."""
    texts = "Boil it.", "Boil it slowly, stir, taste, and season it until it is done. " * 4
    rows = [
        {
            "user": f"u{person}",
            "prompt": f"How do I cook dish {dish}?",
            "chosen": f"{texts[1]} Dish {dish}, plate {person}.",
            "rejected": f"{texts[0]} Dish {dish}, plate {person}.",
        }
        for person in range(12)
        for dish in range(6)
    ]
    Path("pairs.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    ran = befit("learn", "--pairs", "pairs.jsonl", "--json")
    assert ran.code == 6
    assert "worse on" in ran.err
    assert befit("learn", "--rollback", "--json").json is None


def test_server_starts_and_answers_with_a_key(befit: Befit, tmp_path: Path) -> None:
    key = befit("key", "create", "ann", "--json").json["key"]
    befit("remember", "ann", "I prefer short answers.")
    server = subprocess.Popen(
        [sys.executable, "-m", "befit", "serve", "--port", "0", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        lines = iter(server.stdout.readline, "")
        url = json.loads("".join(islice(lines, 3)))["url"]
        answer = httpx.post(
            f"{url}/chat/completions",
            headers={"authorization": f"Bearer {key}"},
            json={
                "model": "befit",
                "messages": [{"role": "user", "content": "How do I cook rice?"}],
            },
            timeout=30,
        )
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert answer.status_code == 200
    assert answer.headers["x-befit-beliefs-used"] == "length"
