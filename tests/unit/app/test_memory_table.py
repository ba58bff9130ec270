"""Methods stand side by side, a dash where one has no such figure."""

from befit.app.memory_table import side_by_side
from befit.evaluate.schema import Row


def row(method: str, metric: str, value: float, shots: int | None = None) -> Row:
    return Row(
        data="made-up", method=method, shots=shots, metric=metric,
        value=value, lo=value / 2, hi=value, people=3,
    )  # fmt: skip


def test_a_line_a_figure_and_a_column_a_method() -> None:
    rows = [
        row("ours", "found", 0.75, 300),
        row("ours", "tokens", 120.0),
        row("theirs", "found", 0.5, 300),
    ]
    head, found, tokens = side_by_side(rows).splitlines()
    assert head.split() == ["ours", "theirs"]
    assert "made-up found after 300" in found
    assert "0.750 (0.375 to 0.750)" in found
    assert "0.500 (0.250 to 0.500)" in found
    assert "120.0 (60.0 to 120.0)" in tokens
    assert tokens.split()[-1] == "-"
    assert head.index("theirs") == found.index("0.500 (") == tokens.rindex("-")
