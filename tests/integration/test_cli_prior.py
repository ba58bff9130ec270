"""What is learned from everybody is promoted, believed of the next person, and taken back."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from befit.app.cli import app


def befit(*arguments: str) -> Any:
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def believed(user: str) -> dict[str, float]:
    return {b["dimension"]: b["mean"] for b in befit("profile", user)["beliefs"]}


def test_a_prior_is_promoted_recalled_and_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)
    for user in ("a", "b", "c", "d"):
        befit("remember", user, "No bullet points, and please be brief.")
        befit("consent", user, "stated", "train", "on")
    befit("remember", "e", "Please use bullet points.")
    before = believed("e")
    made = befit("prior")
    assert made["metrics"]["people"] == 4.0
    assert not list(tmp_path.glob("*.toml"))  # no file to paste: the next recall knows
    after = believed("e")
    assert after["lists"] < before["lists"] - 0.1
    assert befit("prior", "--rollback") is None
    assert believed("e") == before
