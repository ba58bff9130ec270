"""``befit store retain`` and ``limit``: the deployment's limits, a person's own, nothing else."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from befit.app import cli

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def befit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFIT_CONFIG", raising=False)
    Path("befit.toml").write_text("[retention]\nstated = 100000\n", "utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["befit", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        ran = capsys.readouterr()
        return code if isinstance(code, int) else 0, ran.out + ran.err

    return run


def _read(ran: tuple[int, str]) -> Any:
    assert ran[0] == 0, ran[1]
    return json.loads(ran[1])


def test_what_is_too_old_is_erased(befit: Run, tmp_path: Path) -> None:
    code, said = befit("store", "retain")
    assert code == 2
    assert "at most 36500" in said
    Path("befit.toml").write_text("[retention]\nstated = 30000\nturns = 30\n", "utf-8")
    for user in ("ann", "ben"):
        befit("remember", user, "I prefer short answers.")
    assert _read(befit("store", "limit", "ann", "stated", "0.000001", "--json"))["verb"] == "retain"
    told = _read(befit("store", "retain", "--dry-run", "--json"))
    assert (told["people"], told["own"]) == (2, ["ann"])
    assert befit("profile", "ann")[0] == 0
    done = _read(befit("store", "retain", "--json"))
    assert (done["people"], done["evidence"]) == (1, 1)
    assert _read(befit("profile", "ann", "--json"))["beliefs"] == []
    assert _read(befit("profile", "ben", "--json"))["beliefs"]
    assert "0 people" in befit("store", "retain")[1]
    assert befit("store", "limit", "ann", "secrets", "3")[0] == 2
