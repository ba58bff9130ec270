"""The pages on data sets are true: the table is what loads, and the how-to works as it stands."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from befit.evaluate.catalogue import HEAD, line, rule, table
from befit.evaluate.datasets.contested import RULE
from befit.evaluate.datasets.synthetic import (
    SyntheticAdversarial,
    SyntheticConflict,
    SyntheticDrift,
    SyntheticMixture,
    SyntheticSparse,
)
from befit.evaluate.schema import Dataset, PairData, PairRow
from befit.evaluate.values import known_data, load_data

DOCS = Path(__file__).parents[3] / "docs"
TABLE = (DOCS / "reference/datasets.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to/own-dataset.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MADE: list[Dataset] = [
    SyntheticMixture(),
    SyntheticConflict(),
    SyntheticSparse(),
    SyntheticDrift(),
    SyntheticAdversarial(),
]


@pytest.mark.data
@pytest.mark.parametrize("name", known_data())
def test_the_page_says_of_each_set_what_loads(name: str) -> None:
    for part in load_data(name, 0):
        assert line(part) in TABLE, "python -m befit.evaluate.catalogue"
        assert rule(part) in TABLE


@pytest.mark.parametrize("loader", MADE, ids=lambda loader: type(loader).__name__)
def test_the_page_says_of_made_people_what_is_made(loader: Dataset) -> None:
    assert line(loader.load(0)) in TABLE
    assert rule(loader.load(0)) in TABLE
    assert RULE in TABLE


def test_the_table_counts_people_only_where_there_are_any() -> None:
    row = PairRow(user="u", prompt="", chosen="a", rejected="b")
    data = PairData(
        name="d/helpful",
        rows=(row, row),
        licence="free",
        digest="",
        rule="as said",
        shared_items=False,
        ties=(row,),
        about={"u": {"age": "30-39"}},
        notes={"person": "a guest"},
    )
    assert line(data) == "| `d/helpful` | a guest | 1 | 2 | 2 | 1 |  | age | free |"
    nobody = PairData(
        name="d/other",
        rows=(row,),
        licence="free",
        digest="",
        rule="as said",
        shared_items=False,
        people=False,
    )
    assert line(nobody) == "| `d/other` | nobody |  | 1 |  |  |  |  | free |"
    assert table([data, nobody]).splitlines()[0] == HEAD.splitlines()[0]
    assert table([data, nobody]).endswith("\n\n- `d`: as said.")  # one rule for both values


@pytest.mark.local
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_how_to_works_as_it_stands(tmp_path: Path) -> None:
    blocks = BLOCK.findall(HOW_TO)
    file, makes, shell = blocks[0][1], blocks[1][1], next(b for kind, b in blocks if kind == "sh")
    (tmp_path / "my_menus.py").write_text(file, encoding="utf-8")
    words = shlex.split(shell)
    settings = dict(word.split("=", 1) for word in words[: words.index("befit")])
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "BEFIT_CACHE"}}
    for command in (
        [sys.executable, "-c", makes],
        [sys.executable, "-m", *words[words.index("befit") :]],
    ):
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=kept | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "menus.json").read_text(encoding="utf-8"))
    accuracy = {
        (row["method"], row["shots"]): row["value"]
        for row in result["rows"]
        if row["metric"] == "accuracy"
    }
    assert result["data"][0]["name"] == "menus"
    assert accuracy["default", 2] > accuracy["user-blind", 2]  # the guests want opposite things
