import json
from pathlib import Path

import pytest

from befit.core.errors import InvalidImportError
from befit.evaluate.schema import SCHEMA_VERSION, Result, Row

ROW = Row(
    data="polis", method="default", shots=8, metric="accuracy", value=0.7, lo=0.6, hi=0.8, people=3
)
RESULT = Result(metadata={"schema_version": SCHEMA_VERSION, "seeds": 3}, rows=(ROW,))


def test_a_saved_result_reads_back_the_same(tmp_path: Path) -> None:
    RESULT.save(tmp_path / "deep" / "out.json")
    assert Result.load(tmp_path / "deep" / "out.json") == RESULT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.json"]


def test_rows_have_exactly_the_eight_keys() -> None:
    (row,) = json.loads(RESULT.to_json())["rows"]
    assert list(row) == ["data", "method", "shots", "metric", "value", "lo", "hi", "people"]


def test_a_result_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    Result(metadata={"schema_version": "0.9"}, rows=()).save(path)
    with pytest.raises(InvalidImportError, match=r"0\.9"):
        Result.load(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rows": [{"data": 1}]}', "\0"])
def test_what_is_no_result_is_a_typed_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(InvalidImportError):
        Result.load(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    RESULT.save(path)
    broken = Result(metadata={"schema_version": SCHEMA_VERSION, "bad": float("nan")}, rows=())
    with pytest.raises(ValueError, match="JSON"):
        broken.save(path)
    assert Result.load(path) == RESULT
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
