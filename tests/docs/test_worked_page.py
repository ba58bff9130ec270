"""The page that follows one real person: its commands run in order, and its sums come out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from befit.evaluate.datasets.search import find_files

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/how-a-belief-comes-about.md"
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
BELIEF = re.compile(r"^([+-]\d\.\d\d) ± (\d\.\d\d)  (\S+)", re.MULTILINE)
SUM = re.compile(r"mean \S+ / \S+ = ([+-]\d+\.\d\d), std 1 / sqrt\(\S+\) = (\d\.\d\d)")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_commands_run_in_order_and_say_what_the_page_says(tmp_path: Path) -> None:
    (ratings, _) = find_files("movielens-small", ("ratings.csv.gz", "movies.csv.gz"))
    beside = Path(sys.executable).parent
    kept = {k: v for k, v in os.environ.items() if k in {"HOME", "BEFIT_CACHE", "LANG"}}
    env = {
        **kept,
        "PATH": f"{beside}:{os.environ['PATH']}",
        "D": str(ratings.parent),
        "PYTHONUTF8": "1",
    }
    printed = []
    for block in SHELL.findall(PAGE.read_text("utf-8")):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        printed.append(done.stdout)
    evidence, beliefs, checked, times, last = printed[:5]
    assert "topic:" in evidence
    told = BELIEF.findall(beliefs)
    short, why = told[: len(told) // 2], told[len(told) // 2 :]
    assert short == why
    sums = SUM.findall(beliefs)
    assert [(mean, std) for mean, std, _ in why] == sums
    assert checked.count("as it should be") == len(why) > 5
    assert "topic:comedy" not in times
    assert "+0.9" in last.splitlines()[1] or "comedy" in last
    assert BELIEF.findall(printed[5]) != short
