"""Memories side by side, as text."""

from collections.abc import Sequence

from befit.evaluate.schema import Row

LARGE = 10.0  # from here on one digit after the point is enough


def side_by_side(rows: Sequence[Row]) -> str:
    """A line a figure, a column a method; each with its 95 % interval over people.

    Metrics in [0, 1] have three digits, others as many as they need; what a method does not have
    is a dash.
    """
    methods = list(dict.fromkeys(row.method for row in rows))
    figures: dict[str, dict[str, str]] = {}
    for row in rows:
        turns = "" if row.shots is None else f" after {row.shots}"
        cells = figures.setdefault(f"{row.data} {row.metric}{turns}", {})
        cells[row.method] = f"{_short(row.value)} ({_short(row.lo)} to {_short(row.hi)})"
    lines = [["", *methods]]
    lines += [
        [name, *(cells.get(each, "-") for each in methods)] for name, cells in figures.items()
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < LARGE else f"{value:.1f}"
