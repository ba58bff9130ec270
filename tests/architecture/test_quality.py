"""README's table of rewards is what the kept evaluation says."""

import importlib.util
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


def duel(**given: float | None) -> dict[str, object]:
    same = {"data": "votes", "peer": "lore", "ours": 0.8, "theirs": 0.7, "gain": 0.1, "p": 0.1}
    return {**same, "lo": 0.05, "hi": 0.123456, **given}


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
        "comparisons": [test, ahead, {**test, "shots": 4}],
        "best_peers": [
            duel(shots=4, p_holm=0.001),
            duel(shots=8, p_holm=0.5),
            duel(shots=0, p_holm=0.001),
            duel(shots=None, p_holm=0.001),
        ],
        "shapes": [{"data": "votes"}],
    }
    return Result(metadata=metadata, rows=rows)


def test_a_line_tells_ours_beside_the_best_peer_and_who_is_ahead(keep: ModuleType) -> None:
    text = keep.table(made())
    line = next(line for line in text.splitlines() if line.startswith("| votes"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:5] == ["votes", "300", ".700", ".820 (lore)", "**.800**"]
    assert cells[5] == "ahead: +10.0 points (+8.8 to +11.0), p .001"
    assert cells[6] == "ahead at 1, level at 1"
    assert cells[7] == "lore (by 2.0 points)"
    assert "3 seeds" in text


def test_what_is_kept_gives_the_same_table_in_few_digits_and_the_same_bytes(
    keep: ModuleType,
) -> None:
    content = keep.packed(made())
    assert content == keep.packed(made())
    kept = keep.unpacked(content)
    assert keep.table(kept) == keep.table(made())
    assert kept.rows[0].lo == 0.7877
    assert "shapes" not in kept.metadata
    assert {each["shots"] for each in kept.metadata["comparisons"]} == {8}


def test_what_is_too_large_is_not_kept(keep: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "LARGEST", 100)
    with pytest.raises(SystemExit, match="too many to keep"):
        keep.packed(made())


def test_the_page_has_the_table_of_what_is_kept(keep: ModuleType) -> None:
    page = keep.README.read_text("utf-8")
    assert page == keep.placed(page, keep.table(keep.unpacked(keep.KEPT.read_bytes())))
    assert keep.KEPT.stat().st_size <= keep.LARGEST


def test_the_table_goes_between_its_marks_and_nowhere_else(keep: ModuleType) -> None:
    page = f"before\n{keep.BEGIN}\nold\n{keep.END}\nafter"
    assert keep.placed(page, "new") == f"before\n{keep.BEGIN}\n\nnew\n\n{keep.END}\nafter"
    with pytest.raises(SystemExit, match="marks"):
        keep.placed("no marks", "new")
