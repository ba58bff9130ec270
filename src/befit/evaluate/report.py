"""An evaluation as one page: k-shot curves with their intervals, tables, and how it was done.

The page holds everything it shows: no script, no font, no image from elsewhere. Computes nothing.
"""

from collections.abc import Iterable, Sequence
from html import escape
from io import StringIO
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from befit.evaluate.schema import Result, Row

# Okabe and Ito's colours, told apart by people who see few; each method has a mark as well
_STYLES = {
    "default": ("#0072B2", "o", "-"),
    "user-blind": ("#D55E00", "s", "--"),
    "wrong-user": ("#CC79A7", "^", "-."),
    "longer-wins": ("#666666", "D", ":"),
    "random": ("#999999", "", ":"),
}
_OTHERS = (("#009E73", "v", "-"), ("#E69F00", "P", "-"), ("#56B4E9", "X", "-"))
_TITLES = {
    "accuracy": "accuracy",
    "worst_decile": "worst tenth of people",
    "gain_over_user_blind": "gain over user-blind",
    "gain_over_wrong_user": "gain over wrong-user",
    "nll": "log loss (nats)",
    "brier": "Brier",
    "ece": "calibration error",
}
_METHOD_NOTES = {
    "default": "the default reward after k pairs of the person: population fit, then a posterior",
    "user-blind": "one Bradley-Terry model for everyone on the same features, ridge tuned",
    "wrong-user": "the default reward after k pairs of another unseen person",
    "longer-wins": "the longer text wins",
    "random": "a fair coin",
}
_CSS = """
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:.85rem;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #ddd;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
small{color:#666}svg{max-width:100%;height:auto}h1,h2{line-height:1.2}.wide{overflow-x:auto}
"""


def curves(rows: Sequence[Row], data: str) -> Figure:
    """Accuracy against the number of pairs seen, and beside it the paired gain over user-blind.

    Bands are 95% intervals. Those of the accuracies overlap because people differ; whether a
    method is better than another is read from the gain, which pairs each person with themselves.

    Args:
        rows: Rows of a result.
        data: The data set to draw.
    """
    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    accuracy, gain = figure.subplots(1, 2)
    mine = [row for row in rows if row.data == data]
    _draw(accuracy, [row for row in mine if row.metric == "accuracy"])
    accuracy.set_title("accuracy, mean over people", loc="left", fontsize=10)
    gains = [row for row in mine if row.metric == "gain_over_user_blind"]
    _draw(gain, [row for row in gains if row.method not in {"longer-wins", "random"}])
    gain.axhline(0.0, color="#222222", lw=0.8)
    gain.set_title("gain in accuracy over user-blind, paired", loc="left", fontsize=10)
    people = sorted({row.people for row in mine})
    figure.suptitle(
        f"{data}: {_range(people)} unseen people, 95% intervals", x=0.01, ha="left", fontsize=11
    )
    return figure


def _draw(axes: Axes, rows: Sequence[Row]) -> None:
    shots = sorted({row.shots for row in rows if row.shots is not None})
    spare = iter(_OTHERS * 8)
    ends = []
    for method in dict.fromkeys(row.method for row in rows):
        points = sorted((r for r in rows if r.method == method), key=lambda r: r.shots or 0)
        colour, mark, line = _STYLES.get(method) or next(spare)
        at = [shots.index(row.shots) if row.shots is not None else 0 for row in points]
        axes.fill_between(
            at, [r.lo for r in points], [r.hi for r in points], color=colour, alpha=0.15, lw=0
        )
        axes.plot(at, [r.value for r in points], line, color=colour, marker=mark, lw=1.8, ms=5)
        ends.append((points[-1].value, at[-1], method, colour))
    axes.set_xticks(range(len(shots)), [str(k) for k in shots])
    axes.set_xlabel("pairs of the unseen person that were seen (k)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    bottom, top = axes.get_ylim()
    step, lowest = 0.045 * (top - bottom), bottom
    for value, at_end, method, colour in sorted(ends):
        lowest = max(value, lowest)  # labels never lie upon each other
        axes.annotate(
            method,
            (at_end, lowest),
            xytext=(8, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=9,
        )
        lowest += step


def svg(figure: Figure) -> str:
    """A figure as SVG markup, to stand inside a page; the same figure gives the same bytes."""
    target = StringIO()
    with rc_context({"svg.hashsalt": "befit"}):  # ids by content, not by chance
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    markup = target.getvalue()
    return markup[markup.index("<svg") :]


def page(result: Result) -> str:
    """The whole page."""
    metadata = result.metadata
    names = list(dict.fromkeys(row.data for row in result.rows))
    described = {one["name"]: one for one in metadata.get("data", [])}
    sections = "".join(
        _section(name, [row for row in result.rows if row.data == name], described.get(name, {}))
        for name in names
    )
    methods = "".join(
        f"<li><b>{escape(name)}</b>: {escape(_METHOD_NOTES.get(name, 'as its author says'))}</li>"
        for name in dict.fromkeys(row.method for row in result.rows)
    )
    versions = ", ".join(f"{k} {v}" for k, v in metadata.get("versions", {}).items())
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>befit: evaluation of rewards</title><style>{_CSS}</style>"
        "<h1>How well rewards know people they never met</h1>"
        "<p>Methods are fitted on some people. Of each other person they see k pairs, then say "
        "which text of further pairs the person preferred; support and query share no text (or "
        "no prompt). Figures are means over people; intervals resample people, then their pairs."
        f"</p><ul>{methods}</ul>{sections}"
        f"<p><small>run {escape(str(metadata.get('run_id', '')))}, made "
        f"{escape(str(metadata.get('created', '')))}, seeds {escape(str(metadata.get('seeds')))}, "
        f"schema {escape(str(metadata.get('schema_version')))}; {escape(versions)}</small></p>"
        "</html>\n"
    )


def write_report(result: Result, path: Path) -> None:
    """Write the page to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(result), encoding="utf-8")


def _section(name: str, rows: Sequence[Row], described: dict[str, object]) -> str:
    drawn = svg(curves(rows, name)) if any(row.shots is not None for row in rows) else ""
    shared = "shared" if described.get("shared_items") else "not shared"
    told = (
        f"<p><small>{escape(str(described.get('rule', '')))}. Texts are {shared} between people. "
        f"Licence: {escape(str(described.get('licence', '')))}. SHA-256 of the source: "
        f"{escape(str(described.get('sha256', '')))[:16]}.</small></p>"
        if described
        else ""
    )
    return f"<h2>{escape(name)}</h2>{drawn}{_table(rows)}{told}"


def _table(rows: Sequence[Row]) -> str:
    metrics = [metric for metric in _TITLES if any(row.metric == metric for row in rows)]
    found = {(row.method, row.shots, row.metric): row for row in rows}
    keys = dict.fromkeys((row.method, row.shots) for row in rows if row.metric == metrics[0])
    head = "".join(f"<th>{_TITLES[metric]}</th>" for metric in metrics)
    body = "".join(
        f"<tr><td>{escape(method)}</td><td>{'' if k is None else k}</td>"
        + "".join(f"<td>{_cell(found.get((method, k, metric)))}</td>" for metric in metrics)
        + f"<td>{found[method, k, metrics[0]].people}</td></tr>"
        for method, k in keys
    )
    return (
        "<div class='wide'><table><tr><th>method</th><th>k</th>"
        f"{head}<th>people</th></tr>{body}</table></div>"
    )


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.value:.3f} <small>[{row.lo:.3f}, {row.hi:.3f}]</small>"


def _range(numbers: Iterable[int]) -> str:
    ends = sorted(numbers)
    return str(ends[0]) if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
