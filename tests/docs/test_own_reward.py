"""The page on adding a reward: its file keeps the promises, and its commands find the habit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from befit.evaluate.schema import Result

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/own-reward.md"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.local
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_reward_in_one_file_is_checked_and_compared(tmp_path: Path) -> None:
    (_, code), *rest = BLOCK.findall(PAGE.read_text("utf-8"))
    (tmp_path / "my_reward.py").write_text(code, "utf-8")
    kept = {k: v for k, v in os.environ.items() if k in {"HOME", "BEFIT_CACHE"}}
    env = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    kinds = []
    for kind, block in rest:
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(
            command if kind == "sh" else [sys.executable, "-c", block],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        kinds.append(kind)
    assert kinds == ["sh", "python", "sh"]
    result = Result.load(tmp_path / "out.json")
    learned = result.find("pairs", "my_reward:LengthHabit", 4, "accuracy")
    unknown = result.find("pairs", "my_reward:LengthHabit", 0, "accuracy")
    assert learned is not None
    assert unknown is not None
    assert learned.value > 0.95 > unknown.value + 0.2
    assert "LengthHabit" in (tmp_path / "out.html").read_text("utf-8")
