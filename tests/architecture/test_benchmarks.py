"""The page of benchmarks is what its JSON files say, and each file says where it comes from."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2] / "benchmarks"
RESULTS = sorted((ROOT / "results").glob("*.json"))


def _table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("table", ROOT / "speed" / "table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_what_the_files_say() -> None:
    assert (ROOT / "README.md").read_text("utf-8") == _table().page(ROOT)


def test_every_benchmark_has_a_result() -> None:
    names = {"gateway", "memory_search", "retrieval", "reward", "start", "update", "writes"}
    assert {path.stem for path in RESULTS} == names


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: str(path.stem))
def test_result_says_where_it_comes_from(path: Path) -> None:
    result = json.loads(path.read_text("utf-8"))
    assert result["schema_version"] == 1
    assert result["version"]
    assert {"cpu", "cores", "memory_gb", "system", "python"} <= result["machine"].keys()
    assert isinstance(result["seed"], int)
    assert result["rows"]


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: str(path.stem))
def test_a_met_goal_is_met_by_its_figures(path: Path) -> None:
    for row in json.loads(path.read_text("utf-8"))["rows"]:
        if row["ratio"] is None:
            assert row["met"] is None
            continue
        low, high = row["spread"]
        assert low <= row["ratio"] <= high
        if row["against"] == "limit":
            assert row["met"] == (row["ratio"] <= 1.0)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: str(path.stem))
def test_results_name_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "/work" not in text
    assert "/home" not in text
    assert "hostname" not in text
