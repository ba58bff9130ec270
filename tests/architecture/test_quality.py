"""README's table of rewards is what the kept evaluation says."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from befit.evaluate.schema import Result, Row

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keep() -> ModuleType:
    path = ROOT / "benchmarks" / "quality" / "keep.py"
    spec = importlib.util.spec_from_file_location("keep", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(method: str, metric: str, value: float) -> Row:
    return Row(
        data="votes", method=method, shots=8, metric=metric, value=value, lo=value - 0.0123456,
        hi=value + 0.01, people=300,
    )  # fmt: skip


def made() -> Result:
    test = {
        "data": "votes", "shots": 8, "method": "default", "against": "user-blind", "gain": 0.1,
        "p_holm": 0.001, "detectable_at_80_percent_power": 0.01,
    }  # fmt: skip
    ahead = {**test, "method": "lore", "against": "default", "gain": 0.02}
    rows = (
        row("default", "accuracy", 0.8),
        row("user-blind", "accuracy", 0.7),
        row("lore", "accuracy", 0.82),
        row("lore+bald", "accuracy", 0.9),
        row("default", "gain_over_user_blind", 0.1),
    )
    metadata = {
        "schema_version": "1.0",
        "seeds": 3,
        "task": {"data": ["votes"]},
        "comparisons": [test, ahead],
    }
    return Result(metadata=metadata, rows=rows)


def test_a_line_tells_ours_beside_the_best_peer_and_who_is_ahead(keep: ModuleType) -> None:
    text = keep.table(made())
    line = next(line for line in text.splitlines() if line.startswith("| votes"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:5] == ["votes", "300", ".700", ".820 (lore)", "**.800**"]
    assert cells[5] == "ahead: +10.0 points (+8.8 to +11.0), p .001"
    assert cells[6] == "lore (by 2.0 points)"
    assert "3 seeds" in text


def test_what_is_kept_reads_as_a_result_of_few_digits(keep: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(keep.rounded(made()))
    assert keep.table(Result.load(path)) == keep.table(made())
    assert json.loads(path.read_text())["rows"][0]["lo"] == 0.7877


def test_the_table_goes_between_its_marks_and_nowhere_else(keep: ModuleType) -> None:
    page = f"before\n{keep.BEGIN}\nold\n{keep.END}\nafter"
    assert keep.placed(page, "new") == f"before\n{keep.BEGIN}\n\nnew\n\n{keep.END}\nafter"
    with pytest.raises(SystemExit, match="marks"):
        keep.placed("no marks", "new")
